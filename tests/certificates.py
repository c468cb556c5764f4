"""Certificates for tests, made by the `openssl` program: an authority, and what it has signed."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")

LOCAL = "DNS:localhost,IP:127.0.0.1,IP:::1"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, each in a file, and both in one."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder: Path, name="Test Authority"):
        self.folder = folder
        folder.mkdir()
        self.pair = self._self_signed(
            "authority", f"/CN={name}", "basicConstraints=critical,CA:TRUE"
        )
        self.certificate = self.pair.certificate

    def sign(self, name, names=LOCAL, days=2):
        """A certificate for *names*; with negative *days* it has expired."""
        pair = self._pair(name)
        request = self.folder / f"{name}.csr"
        openssl("req", "-new", *new_key(pair), "-subj", f"/CN={name}", "-out", request)
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.pair.certificate, "-CAkey", self.pair.key,
            "-set_serial", str(abs(hash(name))), "-days", str(days), "-extfile", extensions,
            "-out", pair.certificate,
        )  # fmt: skip
        return joined(pair)

    def self_signed(self, name="alone", names=LOCAL):
        """A certificate that its own key has signed."""
        return self._self_signed(name, f"/CN={name}", f"subjectAltName={names}")

    def _self_signed(self, name, subject, extension):
        pair = self._pair(name)
        openssl(
            "req", "-x509", *new_key(pair), "-subj", subject, "-addext", extension, "-days", "2",
            "-out", pair.certificate,
        )  # fmt: skip
        return joined(pair)

    def _pair(self, name):
        return Pair(*(self.folder / f"{name}.{kind}" for kind in ("crt", "key", "pem")))


def new_key(pair):
    """The options that make an elliptic key, much faster than RSA's."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    return (*curve, "-nodes", "-keyout", pair.key)


def joined(pair):
    pair.both.write_text(pair.key.read_text() + pair.certificate.read_text())
    return pair


def openssl(*arguments):
    """Run the program, which must succeed."""
    done = subprocess.run([OPENSSL, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


class Certificates:
    """All that the tests need."""

    def __init__(self, folder):
        self.authority = Authority(folder / "ours")
        stranger = Authority(folder / "theirs", "Some Stranger")
        self.trusted = self.authority.certificate
        self.server = self.authority.sign("server")
        self.client = self.authority.sign("client", "DNS:client.test")
        self.elsewhere = self.authority.sign("elsewhere", "DNS:elsewhere.test")
        self.wild = self.authority.sign("wild", "DNS:*.wild.test")
        self.expired = self.authority.sign("expired", days=-1)
        self.alone = self.authority.self_signed()
        self.unknown = stranger.sign("unknown")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Certificates of an authority, and some that nobody should trust."""
    if OPENSSL is None:
        pytest.skip("the openssl program is not installed")
    return Certificates(tmp_path_factory.mktemp("certificates"))
