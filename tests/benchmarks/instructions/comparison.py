"""Two sets of counts side by side."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Counts", "dearer", "others", "read", "table", "write"]

# More than this much more is told of. Of two runs one is never 0.1 % above the other; a change
# elsewhere that moves the heap has been seen to make it 0.7 %.
TOLERATED = 0.02


@dataclass(frozen=True)
class Counts:
    """Instructions by scenario, and the *facts* that they belong to: versions by name."""

    facts: Mapping[str, str] = field(default_factory=dict)
    instructions: Mapping[str, int] = field(default_factory=dict)


def read(file: Path) -> Counts:
    """What was stored in *file*; nothing where there is none."""
    return Counts(**json.loads(file.read_text())) if file.exists() else Counts()


def write(file: Path, counts: Counts) -> None:
    """Store *counts* in *file*."""
    file.write_text(json.dumps(asdict(counts), indent=1) + "\n")


def others(stored: Counts, now: Counts) -> list[str]:
    """What is not as it was when the counts were stored: a sentence each."""
    return [
        f"{name} is {value}, and was {stored.facts.get(name)}"
        for name, value in now.facts.items()
        if stored.facts and stored.facts.get(name) != value
    ]


def dearer(stored: Counts, now: Counts) -> list[str]:
    """The scenarios that cost more than is tolerated."""
    before = stored.instructions
    return [
        name
        for name, count in now.instructions.items()
        if name in before and count > before[name] * (1 + TOLERATED)
    ]


def table(stored: Counts, now: Counts) -> str:
    """As Markdown: what is stored, what is now, and the change, marked where it is too much."""
    lines = ["| scenario | stored | now | change |", "| --- | ---: | ---: | ---: |"]
    marked = dearer(stored, now)
    for name, count in now.instructions.items():
        before = stored.instructions.get(name)
        was, by = ("-", "-") if before is None else (f"{before:,}", f"{count / before - 1:+.1%}")
        mark = " **dearer**" if name in marked else ""
        lines.append(f"| {name} | {was} | {count:,} | {by}{mark} |")
    return "\n".join(lines)
