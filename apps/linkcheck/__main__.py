"""A link checker: what of a site's links leads nowhere, told so that it can be mended.

Run `python apps/linkcheck http://localhost:8080/`; with `--html report.html` there is a page to
pass on. The exit code is 1 where a link is broken, 2 where the command makes no sense.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from crawler import Bounds, Crawler
from findings import Report, judge
from progress import Progress
from report import as_html, as_json, as_text

from weblayer.client import Session
from weblayer.client.retry import Retrying
from weblayer.client.uri import URI

# Who reads a log is told what it was, and finds out what it does.
USER_AGENT = "linkcheck (weblayer)"


def options() -> argparse.Namespace:
    """What the person asked for."""
    parser = argparse.ArgumentParser(prog="linkcheck", description="Find broken links.")
    parser.add_argument("url", nargs="+", help="where to begin; its site is gone through")
    parser.add_argument("--depth", type=int, metavar="N", help="follow no more than N links")
    parser.add_argument("--pages", type=int, default=1000, metavar="N", help="read no more pages")
    parser.add_argument("--at-once", type=int, default=16, metavar="N", help="requests in all")
    parser.add_argument("--per-host", type=int, default=4, metavar="N", help="requests to one host")
    parser.add_argument(
        "--delay", type=float, default=0.0, metavar="SECONDS", help="between two to one host"
    )
    parser.add_argument("--timeout", type=float, default=15.0, metavar="SECONDS", help="of each")
    parser.add_argument("--exclude", type=pattern, metavar="REGEX", help="ask for no such URL")
    parser.add_argument("--no-external", action="store_true", help="ask no other site")
    parser.add_argument("--ignore-robots", action="store_true", help="for a site of your own")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it for programs; - prints")
    return parser.parse_args()


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def bounds(asked: argparse.Namespace) -> Bounds:
    """How far to go. Raises ValueError."""
    for name in ("pages", "at_once", "per_host"):
        if getattr(asked, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be 1 at least")
    if asked.delay < 0 or not asked.timeout > 0 or (asked.depth or 0) < 0:
        raise ValueError("--delay, --timeout and --depth must not be negative")
    return Bounds(
        asked.depth, asked.pages, asked.at_once, asked.per_host, asked.delay,
        not asked.no_external, not asked.ignore_robots, asked.exclude,
    )  # fmt: skip


def start(url: str) -> str:
    """A URL, which may lack its scheme as people type it. Raises InvalidURI."""
    found = URI.fromText(url if "://" in url else f"http://{url}")
    return found.toText().partition("#")[0]


async def crawl(starts: list[str], limits: Bounds, timeout: float) -> Report:
    """Go through the site; Ctrl-C ends that, and what was found until then is told."""
    began, stopped = time.monotonic(), False
    session = Session(
        headers={"User-Agent": USER_AGENT}, timeout=timeout, redirects=0, retrying=Retrying(times=1)
    )
    async with session:
        with Progress(sys.stderr) as progress:
            crawler = Crawler(session, starts, limits, progress.tell)
            try:
                await crawler.run()
            except asyncio.CancelledError:
                stopped = True
    return judge(starts, crawler.visits, time.monotonic() - began, stopped)


def tell(report: Report, asked: argparse.Namespace) -> None:
    """Print it, and write what was asked for. Raises OSError."""
    if asked.html is not None:
        asked.html.write_text(as_html(report), "utf-8")
    if asked.json == Path("-"):
        sys.stdout.write(as_json(report))
        return
    if asked.json is not None:
        asked.json.write_text(as_json(report), "utf-8")
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    is_colored = sys.stdout.isatty() and not is_plain
    sys.stdout.write(as_text(report, is_colored))


def main() -> int:
    """Do all of it; gives the exit code."""
    asked = options()
    for channel in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # of a test, which keeps what is written
            channel.reconfigure(errors="replace")  # type: ignore[union-attr]  # as told
    try:
        starts, limits = list(dict.fromkeys(map(start, asked.url))), bounds(asked)
    except ValueError as error:
        sys.stderr.write(f"linkcheck: {error}\n")
        return 2
    report = asyncio.run(crawl(starts, limits, asked.timeout))
    try:
        tell(report, asked)
    except OSError as error:
        sys.stderr.write(f"linkcheck: {error.filename}: {error.strerror}\n")
        return 2
    return 0 if report.is_good and not report.stopped else 1


if __name__ == "__main__":
    sys.exit(main())
