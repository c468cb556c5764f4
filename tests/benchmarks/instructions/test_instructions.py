"""The parts of the counting that can be wrong without anybody noticing."""

import pytest

from tests.benchmarks.instructions import __main__ as command
from tests.benchmarks.instructions.comparison import Counts, dearer, others, read, table, write
from tests.benchmarks.instructions.costs import costs, listed
from tests.benchmarks.instructions.counted import run
from tests.benchmarks.instructions.counting import count, missing_valgrind
from tests.benchmarks.instructions.scenarios import SCENARIOS, Hello, Scenario, asked, chosen, on

needs_valgrind = pytest.mark.skipif(missing_valgrind() is not None, reason=str(missing_valgrind()))

NAMES = [scenario.name for scenario in SCENARIOS]


def counts(python="3.11", **instructions):
    return Counts({"python": python}, instructions)


@pytest.fixture
def counting(monkeypatch, tmp_path):
    """Runs the command where those are the counts; gives its exit status."""
    stored = tmp_path / "counts.json"

    def counting(now, *arguments):
        monkeypatch.setattr(command, "count", lambda names: now)
        return command.main(["--stored", str(stored), *arguments])

    counting.stored = stored
    return counting


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_a_scenario_is_answered_again_and_again(scenario):
    """On one connection, and as it expects: what is wrong is easy to give fast."""
    run(scenario, 3)


def test_another_status_is_no_answer():
    """A scenario that has come to ask for what is not there is not counted."""
    with pytest.raises(AssertionError, match="404 Not Found"):
        run(Scenario("odd", "odd", on(Hello(), asked("/two"))), 1)


@needs_valgrind
def test_instructions_are_counted_without_what_it_takes_to_start():
    """Some ten thousand each, where it takes half a milliard until there is anything to ask."""
    counted = count(["memory", "parser"], 8, 16)
    assert list(counted.instructions) == ["memory", "parser"]
    assert all(1_000 < each < 100_000 for each in counted.instructions.values())


def test_nothing_is_said_where_nothing_can_be_counted(monkeypatch, capsys):
    """Without valgrind a bisection passes over the commit, and a person is told what to do."""
    monkeypatch.setenv("PATH", "")
    assert command.main(["--only", "parser"]) == 125
    assert "apt-get install valgrind" in capsys.readouterr().err


def test_what_costs_more_than_two_per_cent_more_is_told():
    """What costs less, or was not counted before, is not."""
    stored = counts(form=1000, hello=1000, page=1000)
    now = counts(form=1021, hello=1020, page=900, file=5)
    assert dearer(stored, now) == ["form"]
    assert table(stored, now).splitlines()[2:] == [
        "| form | 1,000 | 1,021 | +2.1% **dearer** |",
        "| hello | 1,000 | 1,020 | +2.0% |",
        "| page | 1,000 | 900 | -10.0% |",
        "| file | - | 5 | - |",
    ]


def test_counts_of_another_python_are_told_as_such():
    """Each fact that is another; where nothing is stored there is nothing to compare."""
    assert others(counts(), counts("3.12")) == ["python is 3.12, and was 3.11"]
    assert others(Counts(), counts("3.12")) == []


def test_counts_are_read_as_they_were_written(tmp_path):
    """And where there is no file, nothing is stored."""
    file = tmp_path / "counts.json"
    assert read(file) == Counts()
    write(file, counts(form=1))
    assert read(file) == counts(form=1)


def test_the_exit_status_tells_a_bisection(counting):
    """0 where nothing is stored or dearer, 1 where something is."""
    assert counting(counts(form=100)) == 0
    assert counting(counts(form=100), "--save") == 0
    assert counting(counts(form=110)) == 1
    assert counting(counts(form=110), "--save") == 0
    assert counting(counts(form=110)) == 0


def test_what_is_not_counted_anew_stays_stored(counting):
    """Unless it was counted elsewhere: then all of it is to be counted again."""
    counting(counts(form=100, page=200), "--save")
    counting(counts(form=90), "--save")
    assert read(counting.stored) == counts(form=90, page=200)
    assert counting(counts("3.12", form=80), "--save") == 125
    assert read(counting.stored) == counts(form=90, page=200)
    counting(counts("3.12", form=80, page=180), "--save")
    assert read(counting.stored) == counts("3.12", form=80, page=180)


def test_each_scenario_is_stored():
    """What is compared by default is what there is."""
    assert list(read(command.STORED).instructions) == NAMES


def test_the_functions_that_cost_are_found():
    """What a render executes is its own, each time; starting falls out."""
    (hello,) = chosen(["hello"])
    found = costs(hello)
    render = next(cost for cost in found if cost.function == "Hello.render_GET")
    assert render.calls == 1
    assert 0 < render.opcodes < 10
    assert "site.py" not in {cost.place.rpartition("/")[2].partition(":")[0] for cost in found}
    assert found == sorted(found, key=lambda cost: -cost.opcodes)
    assert len(listed(found, 3).splitlines()) == 5


def test_another_name_is_no_scenario(capsys):
    """The message says which there are."""
    with pytest.raises(SystemExit):
        command.main(["--only", "hello,hallo"])
    assert "no hallo; there is agent," in capsys.readouterr().err
