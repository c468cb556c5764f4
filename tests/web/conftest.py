"""What holds for every test of the web."""

from hypothesis import settings

from tests.web.scripts import nothing_left, program

__all__ = ["nothing_left", "program"]

# A busy machine is slow at times, and no law here is about how fast one example is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
