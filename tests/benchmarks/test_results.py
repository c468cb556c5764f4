"""The results: what is kept, what is judged, and what the pages say of it."""

import re
import sys
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.footprint import Figure
from tests.benchmarks.measure import Sample
from tests.benchmarks.results.__main__ import DATA, main
from tests.benchmarks.results.budgets import BUDGETS, judge
from tests.benchmarks.results.charts import charts
from tests.benchmarks.results.costs import ahead
from tests.benchmarks.results.pages import pages
from tests.benchmarks.results.parts import Command, take
from tests.benchmarks.results.record import (
    Asked,
    Part,
    Record,
    read,
    samples_of,
    written,
)
from tests.benchmarks.scaling.measure import Sample as Growth
from tests.benchmarks.server import ROOT

NOTHING = Part(fault="It was never measured.")
EMPTY = Record(NOTHING, NOTHING, NOTHING, NOTHING)


def served(case: str, number: int = 0, **cpus: float) -> list[Sample]:
    """One round of a case: the microseconds that each server took."""
    plain = {field.name: 0.0 for field in fields(Sample)} | {"case": case, "round": number}
    plain |= {"wrong": 0, "broken": 0}
    return samples_of("servers", [plain | {"server": name, "cpu": cpu}
                                  for name, cpu in cpus.items()])  # fmt: skip


def figure(name: str, what: str, value: float) -> Figure:
    return Figure(name, what, "kB", value, value, value)


def record(*samples: Sample, **parts: Part) -> Record:
    return replace(EMPTY, servers=Part("2026-01-02", {"python": "3"}, samples=samples), **parts)


def figures(of: Record) -> dict[str, float]:
    """What is known of the budgets, by what they bound."""
    return {v.budget.work: v.figure for v in judge(of) if v.figure is not None}


def test_nothing_measured_is_nothing_met():
    """A budget without samples is neither met nor has it a figure."""
    assert not figures(EMPTY)
    assert {verdict.word for verdict in judge(EMPTY)} == {"not measured"}


def test_a_ratio_is_of_one_round_and_judged_by_its_median():
    """A machine that slows down in a round slows both."""
    rounds = [(4, 7), (8, 14), (4, 20)]
    samples = [s for n, (bare, our) in enumerate(rounds)
               for s in served("deep", n, bare=bare, weblayer=our)]  # fmt: skip
    verdict = next(v for v in judge(record(*samples)) if v.budget.work == "GET, two levels deep")
    assert (verdict.figure, verdict.word) == (1.75, "met")


@pytest.mark.parametrize(("ours", "word"), [(18, "met"), (18.1, "missed")])
def test_a_budget_may_be_used_up(ours, word):
    """And no more than that."""
    verdicts = judge(record(*served("hello", bare=10, weblayer=ours)))
    assert verdicts[0].word == word


def test_files_are_compared_with_nginx():
    """Whatever else served them."""
    samples = served("small", nginx=10, aiohttp=100, weblayer=20)
    assert figures(record(*samples)) == {"a file of 1.3 kB": 2}


def test_the_cheapest_python_server_is_the_one_to_be_ahead_of():
    """The bare loop and nginx are none."""
    samples = served("deep", bare=4, nginx=3, weblayer=8, granian_rsgi=10, aiohttp=25)
    work = "GET, two levels deep, beside its peers"
    assert figures(record(*samples))[work] == pytest.approx(0.8)


def test_a_browsers_headers_are_compared_with_none():
    """Our own plain case is what they come on top of."""
    found = figures(record(*served("deep", weblayer=8), *served("browser", weblayer=10)))
    assert found == {"GET with a browser's headers and a cookie": 1.25}


def test_clients_and_plain_figures_are_judged_too():
    """Each from the part that measures it, and of weblayer alone."""
    asked = [Asked("hello-32", "bare", 0, 8, 1), Asked("hello-32", "weblayer", 0, 20, 1)]
    known = [figure("weblayer", "idle connection", 3.5),
             figure("aiohttp", "idle connection", 9.5)]  # fmt: skip
    found = figures(replace(EMPTY, clients=Part(samples=asked), footprint=Part(samples=known)))
    assert found == {"Agent, 32 GETs at once": 2.5, "an idle connection that is kept": 3.5}


def test_the_time_to_start_is_without_that_of_python():
    """Which is not ours; where it is not known, neither is what is ours."""
    first, start = figure("weblayer", "first answer", 90), figure("python", "start", 15)
    assert not figures(replace(EMPTY, footprint=Part(samples=[first])))
    found = figures(replace(EMPTY, footprint=Part(samples=[first, start])))
    assert found == {"import and first request": 75}


def test_who_is_ahead_is_told():
    """Whoever needs less, in any case, but what all are measured by."""
    samples = served("form", bare=4, granian_rsgi=7, weblayer=8, aiohttp=25)
    asked = [Asked("hello-1", "pycurl", 0, 18, 1), Asked("hello-1", "session", 0, 9, 1),
             Asked("hello-1", "weblayer", 0, 20, 1)]  # fmt: skip
    known = [figure("weblayer", "idle connection", 4), figure("twisted", "idle connection", 3)]
    parts = {"clients": Part(samples=asked), "footprint": Part(samples=known)}
    told = list(ahead(record(*samples, **parts)))
    assert [(one.peer, one.theirs, one.ours) for one in told] == [
        ("granian RSGI", 7, 8),
        ("pycurl", 18, 20),
        ("Twisted Web", 3, 4),
    ]


@pytest.mark.parametrize("bound", [budget.bound for budget in BUDGETS])
def test_every_budget_bounds_something(bound):
    """None is met by anything."""
    assert 0 < bound < 1000


floats = st.floats(0.001, 1e7)


@given(values=st.lists(st.tuples(floats, floats), min_size=1, max_size=5), text=st.text())
def test_what_is_kept_is_read_again(values, text):
    """To four digits; and what is read is written as it was."""
    points = [Growth("depth", x, 0, cpu, 1, 2, 0, 0) for x, cpu in values]
    text = written(
        replace(EMPTY, scaling=Part("today", {"python": text}, {"rounds": 3}, "", points))
    )
    again = read(text)
    assert again.clients == replace(NOTHING, samples=[])
    assert [(p.x, p.cpu) for p in again.scaling.samples] == [
        (pytest.approx(x, rel=1e-3), pytest.approx(cpu, rel=1e-3)) for x, cpu in values
    ]
    assert written(again) == text


def test_a_sample_that_lacks_a_figure_is_refused():
    """What it has besides is left."""
    row = {"case": "hello-1", "client": "weblayer", "round": 0, "cpu": 3, "rate": 4, "more": 5}
    assert samples_of("clients", [row]) == [Asked("hello-1", "weblayer", 0, 3, 4)]
    with pytest.raises(KeyError):
        samples_of("clients", [{"case": "hello-1"}])


def whole() -> Record:
    """A little of each part."""
    samples = [*served("deep", bare=4, weblayer=8, granian_rsgi=7), *served("hello", weblayer=3)]
    clients = Part(
        "a day",
        {"curl": "8"},
        {},
        "",
        [Asked("hello-32", "pycurl", 0, 8, 1), Asked("hello-32", "weblayer", 0, 9, 1)],
    )
    footprint = Part("a day", samples=[figure("weblayer", "resident", 50)])
    scaling = Part("a day", samples=[Growth("depth", x, 0, 9, 1, 2, 0, 0) for x in (1, 5, 20)])
    return record(*samples, clients=clients, footprint=footprint, scaling=scaling)  # fmt: skip


def test_the_pages_say_what_is_unfavourable():
    """A budget that is missed, one that was not measured, and a peer that is ahead."""
    made = pages(whole())
    for page in (made["tests/benchmarks/RESULTS.md"], made["static/performance.html"]):
        assert "missed" in page
        assert "not measured" in page
        assert "granian RSGI" in page


def test_the_pages_doubt_what_was_measured_once_or_beside_other_work():
    """And what was measured as it should be is not doubted."""
    for rounds, load, count in ((1, "3.2", 2), (5, "3.2", 1), (5, "0.1", 0)):
        servers = Part("a day", {"load average before": load}, {"rounds": rounds, "seconds": 1})
        page = pages(replace(EMPTY, servers=servers))["static/performance.html"]
        assert page.count("<strong>") == count


def test_a_page_of_nothing_claims_nothing():
    """Without samples there are no pictures, and no figures."""
    made = pages(EMPTY)
    assert not [path for path in made if path.endswith(".svg")]
    assert "µs of" not in made["static/performance.html"]
    assert made["tests/benchmarks/RESULTS.md"].count("not measured") >= len(BUDGETS)


def test_every_picture_is_shown_and_told_in_words():
    """Each once, with its height, so that nothing moves when it comes."""
    shown = charts(whole())
    page = pages(whole())["static/performance.html"]
    assert [chart.name for chart in shown] == ["budgets", "deep", "client-hello-32", "depth"]
    for chart in shown:
        (image,) = re.findall(f'<img src="{chart.file}"[^>]*>', page)
        assert f'height="{chart.height}"' in image
        assert re.search(r'alt="[^"]*\d', image)


def test_a_part_that_is_not_there_is_left_out():
    """With a line that says so."""
    part = take(Command("scaling", "", "tests.benchmarks.nothing", [], []), False, "today")
    assert (part.samples, part.taken) == ((), "today")
    assert part.fault


@pytest.mark.parametrize("argument", ["--no-such-option", "--help"])
def test_a_part_that_leaves_no_samples_is_left_out(argument, capfd):
    """Its fault says how it ended, or what is missing."""
    part = take(Command("servers", "", "tests.benchmarks", [argument], []), False, "today")
    assert not part.samples
    assert ("ended with code 2" if argument == "--no-such-option" else "no samples") in part.fault
    capfd.readouterr()


def test_pages_are_made_again_of_what_was_kept(tmp_path, capsys):
    """Without a measurement, and without the pictures of another time."""
    kept = tmp_path / "kept.json"
    kept.write_text(written(whole()), encoding="utf-8")
    old = tmp_path / "static/performance-old.svg"
    old.parent.mkdir()
    old.write_text("<svg/>")
    assert main(["--from", str(kept), "--to", str(tmp_path)]) == 0
    assert (tmp_path / DATA).read_text(encoding="utf-8") == kept.read_text(encoding="utf-8")
    assert not old.exists()
    assert {path.name for path in old.parent.iterdir()} == {
        "performance.html",
        *(chart.file for chart in charts(whole())),
    }
    assert len(capsys.readouterr().out.splitlines()) == len(BUDGETS)


def test_an_unknown_part_is_refused(capsys):
    """With the names of those that there are."""
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "scaling" in capsys.readouterr().err


def test_what_was_measured_last_can_be_shown_again():
    """Who has the repository has its samples, and cases and servers that they are of."""
    kept = read((ROOT / DATA).read_text(encoding="utf-8"))
    assert {"deep", "hello"} <= {sample.case for sample in kept.servers.samples}
    assert figures(kept)["GET, two levels deep"] > 0
    assert pages(kept)["static/performance.html"].count("<img") > 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_part_is_measured():
    """What a command writes is what is kept, and all of it."""
    arguments = ["--only", "echo", "--servers", "bare", "--rounds", "1", "--seconds", "1"]
    part = take(Command("servers", "", "tests.benchmarks", arguments, []), False, "today")
    assert (part.fault, part.plan["rounds"]) == ("", 1)
    (sample,) = part.samples
    assert (sample.case, sample.server) == ("echo", "bare")
    assert sample.cpu > 0
    assert "python" in part.about
