"""What was measured, kept in one file: the parts, and the samples of each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tests.benchmarks.footprint import Figure
from tests.benchmarks.measure import Sample
from tests.benchmarks.scaling.measure import Sample as Growth

__all__ = ["Asked", "Part", "Record", "read", "samples_of", "written"]


@dataclass(frozen=True)
class Asked:
    """A client's figures in one round, as those of a Sample."""

    case: str
    client: str
    round: int
    cpu: float
    rate: float


KINDS: Mapping[str, type] = {
    "servers": Sample,
    "clients": Asked,
    "footprint": Figure,
    "scaling": Growth,
}

# Of a float; the fifth digit of a measurement never came twice.
DIGITS = 4


@dataclass(frozen=True)
class Part:
    """What one command measured: the day, the machine and versions, and the samples.

    *plan* is how long and how often; *fault* says what went wrong, and is empty where nothing did.
    """

    taken: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    samples: Sequence[Any] = ()


@dataclass(frozen=True)
class Record:
    """The parts; one that was never measured is a Part that says so, and has no samples."""

    servers: Part
    clients: Part
    footprint: Part
    scaling: Part


def samples_of(name: str, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The samples of the part *name*, from the rows of the JSON that its command writes.

    Raises KeyError where a row lacks a figure; what it has besides is left.
    """
    kind = KINDS[name]
    return [kind(**{column.name: row[column.name] for column in fields(kind)}) for row in rows]


def read(text: str) -> Record:
    """The record that *text* is; raises ValueError or KeyError where it is none."""
    parts = {}
    for name, facts in json.loads(text).items():
        columns = facts.pop("columns")
        rows = [dict(zip(columns, row, strict=True)) for row in facts.pop("samples")]
        parts[name] = Part(**facts, samples=samples_of(name, rows))
    return Record(**parts)


def written(record: Record) -> str:
    """The record as JSON: a line for each sample, so that two of them can be compared."""
    parts = [f"{json.dumps(name)}: {_part(name, getattr(record, name))}" for name in KINDS]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _part(name: str, part: Part) -> str:
    facts = {
        "taken": part.taken,
        "about": dict(part.about),
        "plan": dict(part.plan),
        "fault": part.fault,
        "columns": [column.name for column in fields(KINDS[name])],
    }
    lines = [f" {json.dumps(fact)}: {json.dumps(value)}" for fact, value in facts.items()]
    rows = ",\n".join("  " + json.dumps(_row(sample)) for sample in part.samples)
    return "{\n" + ",\n".join([*lines, f' "samples": [\n{rows}\n ]']) + "\n}"


def _row(sample: Any) -> list[str | float]:
    return [
        float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for value in asdict(sample).values()
    ]
