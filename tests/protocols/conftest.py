"""What holds for every test of this room."""

from tests.reactors import reactor as reactor
