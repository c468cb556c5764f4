"""Figures as pictures: SVG, from plain rows to text, by pure functions.

A drawing has no viewBox: heights are pixels, and what lies across is a percentage. So it is
as wide as its place on a page, a telephone's or a large screen's, while its letters keep their size
and its lines their width. It brings its own colours, light and dark, as a picture in an <img>
gets none from the page; they and the letters are those of `static/weblayer.css`.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

__all__ = ["Axis", "Bar", "Series", "bars", "lines", "ticks"]

STYLE = """
svg { --ink: #17211c; --soft: #56635c; --line: #c5d0c8; --bar: #a9bab0; --ours: #12694a;
  --over: #b3401f; --one: #12694a; --two: #b3401f; --three: #2f5fa8; --four: #7a4d9e }
@media (prefers-color-scheme: dark) {
  svg { --ink: #dce5df; --soft: #96a69d; --line: #34423a; --bar: #4d6156; --ours: #7dcfa6;
    --over: #f09673; --one: #7dcfa6; --two: #f09673; --three: #8db8f2; --four: #c9a4e6 }
}
text { font: 15px Charter, "Bitstream Charter", "Sitka Text", Cambria, "Noto Serif", serif;
  font-variant-numeric: tabular-nums; fill: var(--ink) }
.soft { font-size: 14px; fill: var(--soft) }
.end { text-anchor: end }
.middle { text-anchor: middle }
.bar { fill: var(--bar) }
.ours { fill: var(--ours); font-weight: 600 }
.over { fill: var(--over) }
.grid { stroke: var(--line) }
.mark { stroke: var(--ink); stroke-width: 2 }
.series { stroke-width: 2.5; stroke-linecap: round }
.s0 { stroke: var(--one); fill: var(--one) }
.s1 { stroke: var(--two); fill: var(--two); stroke-dasharray: 7 5 }
.s2 { stroke: var(--three); fill: var(--three); stroke-dasharray: 2 5 }
.s3 { stroke: var(--four); fill: var(--four); stroke-dasharray: 12 4 2 4 }
circle.series { stroke-dasharray: none }
"""

COLOURS = 4

# Pixels. A name and its figure stand above their bar, where both have the whole width.
ROW, THICK = 42, 12
PLOT, TICKS, LEGEND = 220, 48, 24

# Percent of the width: left of the first point stand the figures of the axis of y, and the last
# figure of the other axis needs half its own width on the right.
LEFT, RIGHT = 14.0, 92.0


class Bar(NamedTuple):
    """One row: how long it is, and the words for that; *ours* stands out."""

    name: str
    value: float
    label: str
    ours: bool = False


class Axis(NamedTuple):
    """What is told along it, with its unit; *log* for a step that is ten times the last."""

    label: str
    log: bool = False


Series = tuple[str, Sequence[tuple[float, float]]]


def bars(title: str, description: str, rows: Sequence[Bar], mark: float | None = None) -> str:
    """Bars from the left, in the order given.

    A *mark* is a limit: a line shows it on every bar, which is green or, beyond it, red.
    *title* and *description* are for who does not see it.
    """
    longest = max([bar.value for bar in rows] + [mark or 0.0]) or 1.0
    drawing = _drawing(title, description, len(rows) * ROW)
    for number, bar in enumerate(rows):
        kind = _kind(bar, mark)
        _bar(drawing, bar, number * ROW, bar.value / longest, kind)
        if mark is not None:
            place, top = _percent(mark / longest * 100), number * ROW
            _put(drawing, "line", "mark", x1=place, x2=place, y1=top + 20, y2=top + 38)
    return _written(drawing)


def _kind(bar: Bar, mark: float | None) -> str:
    if mark is None:
        return "ours" if bar.ours else "bar"
    return "over" if bar.value > mark else "ours"


def _bar(drawing: Element, bar: Bar, top: int, share: float, kind: str) -> None:
    words = "ours" if bar.ours else ""
    _put(drawing, "text", words, bar.name, x=0, y=top + 16)
    _put(drawing, "text", f"end {words}", bar.label, x="100%", y=top + 16)
    _put(drawing, "rect", kind, x=0, y=top + 23, width=_percent(share * 100), height=THICK, rx=2)


def lines(title: str, description: str, series: Sequence[Series], x: Axis, y: Axis) -> str:
    """One line for each of *series*, through its points (x, y); at most four, none empty.

    The axis of y begins at 0, so that what looks twice as high is. On a logarithmic one every
    value must be above 0.
    """
    across = ticks([point[0] for _, points in series for point in points], x.log, most=6)
    up = ticks([0.0, *(point[1] for _, points in series for point in points)], y.log)
    top = LEGEND * (len(series) if len(series) > 1 else 0) + LEGEND
    drawing = _drawing(title, description, top + PLOT + TICKS)
    _grid(drawing, across, up, top, x, y)
    for number, (name, points) in enumerate(series):
        kind = f"series s{number % COLOURS}"
        if len(series) > 1:
            _legend(drawing, kind, name, number)
        spots = [
            (LEFT + (RIGHT - LEFT) * _share(a, across, x.log),
             top + PLOT * (1 - _share(b, up, y.log)))
            for a, b in points
        ]  # fmt: skip
        _line(drawing, kind, spots)
    return _written(drawing)


def ticks(values: Iterable[float], log: bool = False, most: int = 5) -> list[float]:
    """Round figures, from the lowest of *values* or below it to the highest or above.

    Powers of ten where *log*, and steps of 1, 2 or 5 times one where not; there are two at least.
    """
    low, high = min(values := list(values)), max(values)
    if log:
        first, last = floor(log10(low)), ceil(log10(high))
        return [10.0**power for power in range(first, max(last, first + 1) + 1)]
    step = _step((high - low or 1.0) / most)
    first, last = floor(low / step), ceil(high / step)
    return [round(number * step, 9) for number in range(first, max(last, first + 1) + 1)]


def _step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least * (1 - 1e-9))


def _share(value: float, ends: Sequence[float], log: bool) -> float:
    """Where *value* lies between the first and the last of *ends*, from 0 to 1."""
    value, low, high = map(log10, (value, ends[0], ends[-1])) if log else (value, ends[0], ends[-1])
    return (value - low) / (high - low)


def _grid(
    drawing: Element, across: Sequence[float], up: Sequence[float], top: int, x: Axis, y: Axis
) -> None:
    """The figures of both axes, and a line at each of those that go up."""
    bottom = top + PLOT
    for value in up:
        level = _number(bottom - PLOT * _share(value, up, y.log))
        _put(drawing, "line", "grid", x1=0, x2="100%", y1=level, y2=level)
        _put(drawing, "text", "soft", f"{value:,.10g}", x=0, y=float(level) - 4)
    _put(drawing, "text", "soft end", y.label, x="100%", y=top - 6)
    for value in across:
        place = _percent(LEFT + (RIGHT - LEFT) * _share(value, across, x.log))
        _put(drawing, "line", "grid", x1=place, x2=place, y1=bottom, y2=bottom + 5)
        _put(drawing, "text", "soft middle", f"{value:,.10g}", x=place, y=bottom + 20)
    _put(drawing, "text", "soft end", x.label, x="100%", y=bottom + 42)


def _legend(drawing: Element, kind: str, name: str, number: int) -> None:
    middle = number * LEGEND + 11
    _put(drawing, "line", kind, x1=2, x2=28, y1=middle, y2=middle)
    _put(drawing, "text", "", name, x=38, y=middle + 5)


def _line(drawing: Element, kind: str, spots: Sequence[tuple[float, float]]) -> None:
    """Straight pieces, as these take percentages and a path does not; and a dot at each point."""
    for (left, start), (right, end) in pairwise(spots):
        _put(drawing, "line", kind, x1=_percent(left), y1=_number(start),
             x2=_percent(right), y2=_number(end))  # fmt: skip
    for across, down in spots:
        _put(drawing, "circle", kind, cx=_percent(across), cy=_number(down), r=3)


def _drawing(title: str, description: str, height: int) -> Element:
    drawing = Element(
        "svg", xmlns="http://www.w3.org/2000/svg", width="100%", height=str(height), role="img"
    )
    _put(drawing, "title", "", title)
    _put(drawing, "desc", "", description)
    _put(drawing, "style", "", STYLE)
    return drawing


def _put(parent: Element, tag: str, kind: str, text: str = "", **places: str | float) -> None:
    """Add an element of the class *kind* that holds *text*."""
    facts = {"class": kind.strip()} if kind.strip() else {}
    made = SubElement(parent, tag, facts | {name: str(place) for name, place in places.items()})
    made.text = text or None


def _percent(value: float) -> str:
    return f"{_number(value)}%"


def _number(value: float) -> str:
    """A hundredth of a pixel is more than anybody sees."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _written(drawing: Element) -> str:
    indent(drawing, "  ")
    return tostring(drawing, encoding="unicode") + "\n"
