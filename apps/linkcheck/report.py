"""What a person reads of a crawl, on the terminal and as a page, and what a program does."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from findings import BAD, KINDS, Finding, Report

from weblayer import Templates

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "static"

# Links of one finding that are listed on a terminal: enough to find the template they are in.
MOST_SOURCES = 3

MARKS = {"broken": "✗", "fragment": "✗", "mixed": "!", "moved": "→", "unknown": "·"}
COLORS = {"broken": 31, "fragment": 31, "mixed": 33, "moved": 36, "unknown": 2}


class Style:
    """Colours on a terminal that has them; nothing where *is_colored* is not."""

    def __init__(self, is_colored: bool) -> None:
        self._is_colored = is_colored

    def paint(self, text: str, *codes: int) -> str:
        """*text* in the colour, and whatever else the codes say (ECMA-48, 8.3.117)."""
        if not self._is_colored:
            return text
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"


def as_text(report: Report, is_colored: bool) -> str:
    """The report for a terminal."""
    return "\n".join(_lines(report, Style(is_colored))) + "\n"


def as_json(report: Report) -> str:
    """The report for a program: the figures, the findings with every link, and the pages."""
    whole = {
        "starts": report.starts,
        "good": report.is_good,
        "stopped": report.stopped,
        "figures": asdict(report.figures),
        "findings": [asdict(finding) for finding in report.findings],
        "pages": [
            {"url": page.url, "title": page.page.title, "links": len(page.page.links)}
            for page in report.pages
            if page.page is not None
        ],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def as_html(report: Report) -> str:
    """The report as one page that needs nothing else."""
    common = (STATIC / "weblayer.css").read_text("utf-8")
    own = (HERE / "linkcheck.css").read_text("utf-8")
    icon = (STATIC / "favicon.svg").read_text("utf-8")
    return Templates(HERE / "templates").page(
        "report.html", report=report, kinds=KINDS, bad=BAD, verdict=verdict(report),
        style=common + own, icon=icon, counted=counted, short=_shortening(report.starts),
    )  # fmt: skip


def verdict(report: Report) -> str:
    """The report in a sentence."""
    broken = sum(len(report.of(kind)) for kind in BAD)
    if report.stopped:
        return f"Stopped early: {counted(broken, 'broken address', 'broken addresses')} so far."
    if broken:
        return f"{counted(broken, 'broken address', 'broken addresses')}."
    return "Every link leads somewhere." if report.figures.links else "There are no links."


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}".replace(",", "\u202f")


def summary(report: Report) -> str:
    """The figures in a line."""
    figures = report.figures
    sites = counted(figures.sites, "site", "sites")
    return ", ".join((
        counted(figures.pages, "page", "pages"),
        counted(figures.links, "link", "links"),
        f"{counted(figures.addresses, 'address', 'addresses')} on {sites}",
        f"{figures.seconds:.1f} s",
    ))  # fmt: skip


def _lines(report: Report, style: Style) -> Iterator[str]:
    width = max(shutil.get_terminal_size().columns - 1, 40)
    short = _shortening(report.starts)
    for kind, title in KINDS.items():
        found = report.of(kind)
        if found:
            yield style.paint(f"{title} ({len(found)})", 1)
            for finding in found:
                yield from _told(finding, style, short, width)
            yield ""
    color = 32 if report.is_good else 31
    mark = "✓" if report.is_good else "✗"
    yield f"{style.paint(f'{mark} {verdict(report)}', 1, color)} {style.paint(summary(report), 2)}"


def _told(finding: Finding, style: Style, short: Callable[[str], str], width: int) -> Iterator[str]:
    """A finding, with the first of the links that lead there."""
    mark = style.paint(MARKS[finding.kind], COLORS[finding.kind])
    yield f"  {mark} {style.paint(_plain(short(finding.url)), 1)}"
    yield f"      {style.paint(_plain(short(finding.told)), COLORS[finding.kind])}"
    for source in finding.sources[:MOST_SOURCES]:
        text = f" “{source.text}”" if source.text else ""
        yield _cut(f"      {_plain(short(source.page))}:{source.line}{_plain(text)}", width)
    more = len(finding.sources) - MOST_SOURCES
    if more > 0:
        yield style.paint(f"      and {counted(more, 'more link', 'more links')}", 2)


def _shortening(starts: list[str]) -> Callable[[str], str]:
    """What leaves out the site where it can only be that one."""
    sites = {"{0.scheme}://{0.netloc}".format(urlsplit(start)) for start in starts}
    if len(sites) > 1:
        return str  # as it is
    site = re.compile(rf"(?<!\S){re.escape(sites.pop())}(?=/)")
    return lambda text: site.sub("", text)


def _plain(text: str) -> str:
    """*text* without what would move the cursor: a site may have anything in it."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
