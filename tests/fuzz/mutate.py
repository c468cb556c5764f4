"""Samples changed at random: the search where coverage does not lead it."""

from collections.abc import Sequence
from random import Random

__all__ = ["mutated"]

# What grows beyond this is changed no further: long inputs are slow, and find little more.
LONGEST = 8 * 1024


def mutated(chance: Random, samples: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Some sample with a few changes, as *chance* has it."""
    data = chance.choice(samples)
    for _ in range(chance.choice([0, 1, 1, 2, 3, 5, 8])):
        data = chance.choice(CHANGES)(chance, data, samples, tokens)[:LONGEST]
    return data


def _put(chance: Random, data: bytes, samples: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """A token in the place of a few bytes."""
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(tokens) + data[at + chance.choice([0, 0, 1, 3, 9]) :]


def _drop(chance: Random, data: bytes, *others: object) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.choice([1, 2, 4, 20]) :]


def _turn(chance: Random, data: bytes, *others: object) -> bytes:
    """Another byte, or one bit of it."""
    if not data:
        return data
    at = chance.randrange(len(data))
    code = chance.choice([chance.randrange(256), data[at] ^ (1 << chance.randrange(8))])
    return data[:at] + bytes([code]) + data[at + 1 :]


def _again(chance: Random, data: bytes, *others: object) -> bytes:
    """A piece of it once more, or often."""
    start, stop = sorted(chance.randint(0, len(data)) for _ in range(2))
    return data[:stop] + data[start:stop] * chance.choice([1, 1, 2, 50]) + data[stop:]


def _splice(chance: Random, data: bytes, samples: Sequence[bytes], *others: object) -> bytes:
    """Its beginning with another's end."""
    other = chance.choice(samples)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _follow(chance: Random, data: bytes, samples: Sequence[bytes], *others: object) -> bytes:
    """Another behind it."""
    return data + chance.choice(samples)


CHANGES = (_put, _put, _drop, _turn, _again, _splice, _follow)
