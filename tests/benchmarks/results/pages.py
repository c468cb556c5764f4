"""The pages: every file that shows a record, by its path, as text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup, escape

from tests.benchmarks.clients.__main__ import CASES, CLIENTS
from tests.benchmarks.clients.__main__ import table as client_table
from tests.benchmarks.clients.work import Report
from tests.benchmarks.footprint import table
from tests.benchmarks.results.budgets import Verdict, judge
from tests.benchmarks.results.charts import Chart, charts
from tests.benchmarks.results.costs import OURS, ahead, cheapest_peer, costs, over_base
from tests.benchmarks.results.record import Part, Record
from tests.benchmarks.scaling.table import report as growth_report
from tests.benchmarks.table import Grid, markdown, report, summary

__all__ = ["pages"]

# Facts that say what the machine is; the others are versions.
MACHINE = ("processor", "kernel", "load average before", "python")


class Section(NamedTuple):
    """A part of the page, with its pictures."""

    id: str
    title: str
    words: str


SECTIONS = (
    Section("pages", "Pages",
            "Microseconds of CPU time per request, the least first. Each server gives the same "
            "body, which the bare loop and nginx have ready, and runs as its manual says is fast."),
    Section("files", "Files",
            "Each server has its own way to serve a folder; nginx is the one that is known for "
            "it."),
    Section("sockets", "Sockets",
            "No HTTP: what a reactor, or a loop, takes to send 64 bytes back."),
    Section("clients", "Asking others",
            "What a request costs who asks. All of them ask one nginx, and keep their "
            "connections."),
    Section("footprint", "Memory, and time to start",
            "What there is to pay before the first request, and for who is connected and says "
            "nothing."),
    Section("scaling", "When there is more of everything",
            "What a request costs weblayer, from few to many. There is no cliff where a line stays "
            "level, or climbs as it must: sixty headers have to be read."),
)  # fmt: skip

# A mark of Markdown's in words that come from the rows: `async def`.
CODE = re.compile("`([^`]+)`")


def pages(record: Record) -> dict[str, str]:
    """The files to write, by their paths from the root of the repository."""
    shown = charts(record)
    facts = _facts(record, shown)
    return {
        "tests/benchmarks/RESULTS.md": _fill("results.md", facts | _tables(record)),
        "static/performance.html": _fill("performance.html", facts),
    } | {f"static/{chart.file}": chart.svg for chart in shown}


def _facts(record: Record, shown: Sequence[Chart]) -> dict[str, Any]:
    """What both pages say."""
    verdicts = judge(record)
    parts: dict[str, Part] = vars(record)
    about = {key: value for part in parts.values() for key, value in part.about.items()}
    versions = {key: value for key, value in about.items() if key not in MACHINE}
    drawn = {chart.section for chart in shown}
    return {
        "verdicts": verdicts,
        "unmet": [verdict for verdict in verdicts if not verdict.is_met],
        "ahead": list(ahead(record)),
        "parts": parts,
        "machine": _machine(record.servers),
        "versions": dict(sorted(versions.items())),
        "headline": _headline(record),
        "doubts": _doubts(record.servers),
        "charts": shown,
        "sections": [section for section in SECTIONS if section.id in drawn],
        "summary": summary(record.servers.samples) if record.servers.samples else Grid([], []),
    }


def _machine(part: Part) -> dict[str, str]:
    """When and on what the servers were measured, for the head of the page."""
    facts = {key: part.about[key] for key in MACHINE if key in part.about}
    return ({"measured": part.taken} if part.taken else {}) | facts


def _doubts(part: Part) -> list[str]:
    """Why its figures are to be read with care."""
    doubts = []
    if part.plan.get("rounds") == 1:
        doubts.append("Each server was measured once: enough to look at, not to judge by.")
    load = part.about.get("load average before", "0")
    if float(load) >= 1:
        doubts.append(f"The machine had other work too: its load average was {load} before.")
    return doubts


def _headline(record: Record) -> dict[str, Any] | None:
    """The one figure to remember; None where it is not known."""
    if (ours := costs(record, "deep").get(OURS)) is None:
        return None
    peer, theirs = cheapest_peer(record, "deep") or (None, 0.0)
    return {"ours": ours, "ratio": over_base(record, "deep"), "peer": peer, "theirs": theirs}


def _tables(record: Record) -> dict[str, Any]:
    """Every table, in Markdown; empty where nothing was measured."""
    verdicts = [
        [f"{one.budget.work}: {one.budget.measure}", _figure(one), _bound(one), one.word]
        for one in judge(record)
    ]
    return {
        "budgets": Grid(["work", "measured", "budget", "verdict"], verdicts),
        "servers": report(record.servers.samples) if record.servers.samples else "",
        "clients": _clients(record.clients),
        "footprint": table(record.footprint.samples) if record.footprint.samples else "",
        "scaling": growth_report(record.scaling.samples),
    }


def _clients(part: Part) -> str:
    taken: dict[tuple[str, str], list[Report]] = {}
    for one in part.samples:
        taken.setdefault((one.case, one.client), []).append(Report(one.cpu, one.rate))
    asked = {case for case, _ in taken}
    return "\n\n".join(client_table(case, CLIENTS, taken) for case in CASES if case.name in asked)


def _figure(verdict: Verdict) -> str:
    if verdict.figure is None:
        return "-"
    digits = 2 if verdict.budget.unit == "x" else 1
    return f"{verdict.figure:.{digits}f} {verdict.budget.unit}"


def _bound(verdict: Verdict) -> str:
    return f"{verdict.budget.bound:g} {verdict.budget.unit}"


def _code(text: str) -> Markup:
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def _fill(template: str, facts: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"figure": _figure, "bound": _bound, "code": _code,
                            "markdown": markdown}  # fmt: skip
    return environment.get_template(template).render(facts)
