"""Certificates of clients: whose they are, once they have been verified."""

import pytest

from weblayer.cred.certificates import CertificateChecker
from weblayer.cred.credentials import ClientCertificate
from weblayer.cred.error import UnauthorizedLogin
from weblayer.loop.deferred import succeed
from weblayer.loop.ssl import Certificate
from weblayer.loop.testing import failureResultOf, successResultOf

ADA = Certificate(b"der", {"subject": [[("organizationName", "x")], [("commonName", "ada")]]})
NAMELESS = Certificate(b"der", {"subject": [[("organizationName", "x")]]})


def login(certificate, *find):
    return CertificateChecker(*find).requestAvatarId(ClientCertificate(certificate))


def test_a_certificate_is_of_its_common_name():
    """Or of whomever the program says, now or later."""
    assert successResultOf(login(ADA)) == "ada"
    assert successResultOf(login(ADA, lambda certificate: len(certificate.der))) == 3
    assert successResultOf(login(ADA, lambda certificate: succeed("later"))) == "later"


@pytest.mark.parametrize(
    ("certificate", "find"),
    [(Certificate(b"der"), [lambda certificate: "ada"]), (NAMELESS, []), (ADA, [lambda one: None])],
)
def test_others_are_nobodys(certificate, find):
    """Those that were not verified, that name nobody, or that the program does not know."""
    failureResultOf(login(certificate, *find), UnauthorizedLogin)
