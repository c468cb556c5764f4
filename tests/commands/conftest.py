"""What the tests of the program share."""

import os
from contextlib import contextmanager

import pytest

NOBODY = 65534


@pytest.fixture
def unprivileged(tmp_path):
    """A block in which this process may not read what its permissions forbid, though it be root."""

    @contextmanager
    def block():
        mine = os.geteuid()
        if mine == 0:
            for folder in (tmp_path, *tmp_path.parents[:2]):
                folder.chmod(0o711)
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(mine)

    return block()
