"""Who asks, by the certificate that their side of the connection has shown."""

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same

import ssl

import pytest

from tests.certificates import certificates  # noqa: F401  a fixture
from tests.reactors import reactor  # noqa: F401  a fixture
from tests.web.logins import ADA, basic, guarded
from weblayer.cred.certificates import CertificateChecker
from weblayer.loop.ssl import CertificateOptions
from weblayer.loop.threads import deferToThread
from weblayer.web.guard import BasicCredentialFactory, CertificateCredentialFactory
from weblayer.web.site import Site
from weblayer.web.testing import ask


def guard(*checkers):
    factories = [CertificateCredentialFactory(), BasicCredentialFactory("home")]
    return guarded(*checkers, ADA, factories=factories)


def asked(port, certificates, pair, headers):
    """The code and the body that a client with the certificate *pair* is given."""
    from http.client import HTTPSConnection

    context = ssl.create_default_context(cafile=certificates.trusted)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        connection.request("GET", "/", headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("name", "headers", "code", "owner"),
    [
        ("bob", {}, 200, b'"id": "bob"'),
        ("bob", basic("ada", "lovelace"), 200, b'"id": "ada"'),
        ("eve", {}, 401, b""),
        (None, {}, 401, b""),
        (None, basic("ada", "lovelace"), 200, b'"id": "ada"'),
    ],
)
def test_a_certificate_says_who_asks(reactor, certificates, name, headers, code, owner):
    """By its common name; who says otherwise is believed; nobody's certificate is asked further."""
    pair = name and certificates.authority.sign(name)
    known = CertificateChecker(lambda shown: {"bob": "bob"}.get(shown.subject["commonName"]))
    site = Site(guard(known))
    server = CertificateOptions(
        certificates.server.key, certificates.server.certificate,
        trustRoot=certificates.trusted, requireCertificate=False,
    )  # fmt: skip

    async def conversation():
        port = reactor.listenSSL(0, site, server, interface="127.0.0.1")
        number = port.getHost().port
        status, body = await deferToThread(asked, number, certificates, pair, headers)
        assert status == code
        assert owner in body
        await port.stopListening()

    reactor.drive(conversation())


def test_without_encryption_there_is_none():
    """Others are asked as ever."""
    assert ask(guard(CertificateChecker()), "GET", "/").code == 401
