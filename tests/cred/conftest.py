"""Stored passwords that cost little to check, and who let themselves be asked for a login."""

import hashlib
from base64 import b64encode

import pytest


def written(data):
    return b64encode(data).decode().rstrip("=")


@pytest.fixture
def cheap():
    """A function that stores a password as hashPassword does, in a thousandth of its time."""

    def cheap(password):
        key = hashlib.scrypt(password.encode(), salt=b"salt", n=16, r=1, p=1, dklen=32)
        return f"$scrypt$ln=4,r=1,p=1${written(b'salt')}${written(key)}"

    return cheap
