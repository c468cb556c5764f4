"""The files that servers of files are asked for, and a certificate to serve them under."""

import atexit
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["LARGE", "MEDIUM", "SMALL", "NoCertificate", "certificate", "content", "folder"]

# A page of little text, a picture or a script, and a film or an archive.
SMALL, MEDIUM, LARGE = "small.html", "medium.html", "large.html"
_SIZES = {SMALL: 1_300, MEDIUM: 100_000, LARGE: 50_000_000}


class NoCertificate(Exception):
    """The openssl program made none; the message says why."""


def content(name: str) -> bytes:
    """What the file *name* holds: lines that are not alike, so that none can stand for another."""
    lines = b"".join(b"%011d\n" % number for number in range(_SIZES[name] // 12 + 1))
    return lines[: _SIZES[name]]


@cache
def folder() -> str:
    """The folder that holds them, which goes when this program ends."""
    made = TemporaryDirectory(prefix="bench-files-")
    atexit.register(made.cleanup)
    os.chmod(made.name, 0o755)  # nginx reads as another user where we are root
    for name in _SIZES:
        Path(made.name, name).write_bytes(content(name))
    return made.name


@cache
def certificate() -> str:
    """A file with a key and its certificate for localhost. Raises NoCertificate."""
    if shutil.which("openssl") is None:
        raise NoCertificate("openssl is not installed: apt-get install openssl")
    made = TemporaryDirectory(prefix="bench-certificate-")
    atexit.register(made.cleanup)
    key, signed, both = (Path(made.name, name) for name in ("key", "signed", "both.pem"))
    ended = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", signed],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise NoCertificate(ended.stderr)
    both.write_bytes(key.read_bytes() + signed.read_bytes())
    return str(both)
