"""The pictures of the results, read again as what they are: XML with lengths in it."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.plot import Axis, Bar, bars, lines, ticks

SVG = "{http://www.w3.org/2000/svg}"
COST = Axis("CPU µs per request")

figures = st.floats(0.001, 1e7)
names = st.text(st.characters(exclude_categories=["C"]), max_size=12)


def drawn(text, tag):
    """The elements *tag* of a drawing."""
    return fromstring(text).findall(f"{SVG}{tag}")


def percent(element, name):
    return float(element.get(name).removesuffix("%"))


@given(values=st.lists(figures, min_size=1, max_size=9))
def test_bars_are_as_long_as_their_values(values):
    """The highest takes the whole width, and each other its share of that."""
    shown = drawn(bars("", "", [Bar("a", value, "") for value in values]), "rect")
    widths = [percent(rect, "width") for rect in shown]
    assert widths == pytest.approx([100 * value / max(values) for value in values], abs=0.01)


@given(name=names, label=names)
def test_any_words_stand_in_a_picture(name, label):
    """What XML would take for markup is text."""
    text = bars(name, label, [Bar(name, 1, label)])
    found = [
        element.text or "" for tag in ("title", "desc", "text") for element in drawn(text, tag)
    ]
    assert found == [name, label, name, label]


def test_ours_stands_out():
    """By class, which both colour schemes have a colour for; its words too."""
    text = bars("", "", [Bar("peer", 1, "1"), Bar("weblayer", 2, "2", ours=True)])
    assert [rect.get("class") for rect in drawn(text, "rect")] == ["bar", "ours"]
    words = {text.text: text.get("class") for text in drawn(text, "text")}
    assert words == {"peer": None, "1": "end", "weblayer": "ours", "2": "end ours"}


def test_what_is_over_the_mark_stands_out():
    """A limit is kept by what is as long as it is."""
    text = bars("", "", [Bar("a", 1, "1"), Bar("b", 2, "2"), Bar("c", 4, "4")], mark=2)
    assert [rect.get("class") for rect in drawn(text, "rect")] == ["ours", "ours", "over"]
    assert {percent(line, "x1") for line in drawn(text, "line")} == {50}


@given(values=st.lists(figures, min_size=1, max_size=9), log=st.booleans())
def test_an_axis_holds_all_its_values(values, log):
    """Its figures rise from the lowest or below it to the highest or above, and are few."""
    marks = ticks(values, log)
    assert marks == sorted(set(marks))
    assert marks[0] <= min(values) * (1 + 1e-9)
    assert marks[-1] >= max(values) * (1 - 1e-9)
    assert 2 <= len(marks) <= (12 if log else 7)


@pytest.mark.parametrize(
    ("values", "log", "expected"),
    [
        ([0, 12], False, [0, 5, 10, 15]),
        ([1, 20], False, [0, 5, 10, 15, 20]),
        ([7, 7], False, [7, 7.2]),
        ([10, 10_000], True, [10, 100, 1000, 10_000]),
        ([5, 5], True, [1, 10]),
    ],
)
def test_the_figures_of_an_axis_are_round(values, log, expected):
    """Steps of 1, 2 or 5 and their tenfolds, or powers of ten."""
    assert ticks(values, log) == expected


points = st.lists(st.tuples(figures, figures), min_size=1, max_size=9)


@given(series=st.lists(st.tuples(names, points), min_size=1, max_size=4), log=st.booleans())
def test_every_point_lies_in_the_picture(series, log):
    """One dot for each point, and higher where there is more."""
    text = lines("", "", series, Axis("connections", log), COST)
    dots = [(percent(dot, "cx"), float(dot.get("cy"))) for dot in drawn(text, "circle")]
    height = float(fromstring(text).get("height"))
    assert all(0 <= across <= 100 and 0 <= down <= height for across, down in dots)
    values = [point for _, points in series for point in points]
    assert len(dots) == len(values)
    lowest, highest = (best(range(len(values)), key=lambda n: values[n][1]) for best in (min, max))
    assert dots[lowest][1] >= dots[highest][1]


def test_a_picture_of_lines_names_its_axes_and_series():
    """A single line needs no name: the heading beside the picture has it."""
    one = lines("", "", [("idle", [(1, 2), (3, 4)])], Axis("connections"), COST)
    two = lines("", "", [("idle", [(1, 2)]), ("busy", [(3, 4)])], Axis("connections"), COST)
    words = [[text.text for text in drawn(svg, "text")] for svg in (one, two)]
    assert all({"connections", "CPU µs per request"} <= set(shown) for shown in words)
    assert "idle" not in words[0]
    assert {"idle", "busy"} <= set(words[1])


def test_a_picture_brings_all_it_needs():
    """Nothing from outside, colours for the dark, and no size but its height."""
    text = bars("", "", [Bar("a", 1, "1")])
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "viewBox" not in text
    assert text.count("http") == 1  # the name of SVG itself
