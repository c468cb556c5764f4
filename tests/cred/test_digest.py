"""Digest: the examples of the standards, and that nothing else will do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.credentials import DigestedCredentials, UsernamePassword
from weblayer.cred.digest import (
    ALGORITHMS,
    calcHA1,
    calcHA2,
    calcResponse,
    calcSession,
    digestOf,
    hashUsername,
)
from weblayer.cred.error import UnauthorizedLogin
from weblayer.loop.testing import failureResultOf, successResultOf

# RFC 7616, 3.9.1.
MUFASA = DigestedCredentials(
    username="Mufasa",
    realm="http-auth@example.org",
    method="GET",
    uri="/dir/index.html",
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    nc="00000001",
    cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    qop="auth",
    response="8ca523f5e9506fed4657c9700eebdbec",
)
MUFASA_SHA = replace(
    MUFASA,
    algorithm="SHA-256",
    response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
)

# RFC 2617, 3.5.
OLD_MUFASA = DigestedCredentials(
    username="Mufasa",
    realm="testrealm@host.com",
    method="GET",
    uri="/dir/index.html",
    nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
    nc="00000001",
    cnonce="0a4f113b",
    qop="auth",
    response="6629fae49393a05397450978507c4ef1",
)

# RFC 7616, 3.9.2, with the two hashes of erratum 4897: those printed are not of SHA-512/256.
JASON = DigestedCredentials(
    username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
    realm="api@example.org",
    method="GET",
    uri="/doe.json",
    nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
    nc="00000001",
    cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    qop="auth",
    algorithm="SHA-512-256",
    userhash=True,
    response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
)

names = st.text(st.characters(codec="utf-8"), max_size=20)
fields = st.fixed_dictionaries(
    dict.fromkeys(["username", "realm", "method", "uri", "nonce", "nc", "cnonce"], names)
)


def signed(password, body=b"", **facts):
    """Credentials as a client makes them."""
    algorithm = facts["algorithm"]
    made = DigestedCredentials(response="", bodyHash=digestOf(algorithm, body), **facts)
    ha1 = calcHA1(algorithm, made.username, made.realm, password)
    ha2 = calcHA2(algorithm, made.method, made.uri, made.qop, made.bodyHash)
    response = calcResponse(algorithm, ha1, ha2, made.nonce, made.qop, made.nc, made.cnonce)
    return replace(made, response=response)


@pytest.mark.parametrize(
    ("credentials", "password"),
    [(MUFASA, "Circle of Life"), (MUFASA_SHA, "Circle of Life"), (OLD_MUFASA, "Circle Of Life")],
)
def test_the_examples_of_the_standards(credentials, password):
    """By the password, and by what a server may store instead of it."""
    assert credentials.checkPassword(password)
    assert not credentials.checkPassword(password.lower())
    ha1 = calcHA1(credentials.algorithm, credentials.username, credentials.realm, password)
    assert credentials.checkHash(ha1) and credentials.checkHash(ha1.upper().encode())
    assert not credentials.checkHash(ha1[:-1] + "x")


def test_the_example_of_a_hashed_name():
    """It is found among the names of all users, and then is in plain."""
    assert hashUsername("SHA-512-256", "Jäsøn Doe", "api@example.org") == JASON.username
    users = InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace")
    users.addUser("Jäsøn Doe", "Secret, or not?")
    assert successResultOf(users.requestAvatarId(JASON)) == "Jäsøn Doe"
    stranger = replace(JASON, username=hashUsername("SHA-512-256", "bob", JASON.realm))
    failureResultOf(users.requestAvatarId(stranger), UnauthorizedLogin)
    assert not JASON.checkPassword("Secret, or not?")


@pytest.mark.parametrize("qop", [None, "auth", "auth-int"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(facts=fields, password=names, other=names)
def test_only_the_password_that_was_signed_with_will_do(algorithm, qop, facts, password, other):
    """In every algorithm and quality."""
    credentials = signed(password, b"body", algorithm=algorithm, qop=qop, **facts)
    assert credentials.checkPassword(password)
    assert credentials.checkPassword(other) == (other == password)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256-sess"])
@pytest.mark.parametrize(
    "name", ["realm", "method", "uri", "nonce", "nc", "cnonce", "bodyHash", "response", "username"]
)
def test_all_that_is_signed_is_signed(algorithm, name):
    """A change of any part of it is seen, that of the body too."""
    signing = {"username": "ada", "realm": "r", "method": "POST", "uri": "/"}
    once = {"nonce": "n", "nc": "1", "cnonce": "c", "qop": "auth-int"}
    credentials = signed("secret", b"body", algorithm=algorithm, **signing, **once)
    assert credentials.checkPassword("secret")
    changed = replace(credentials, **{name: getattr(credentials, name) + "1"})
    assert not changed.checkPassword("secret")


def test_a_session_is_signed_with_its_own_secret():
    """That of the user, mixed with both nonces: RFC 7616, 3.4.2."""
    ha1, ha2 = "a" * 64, "b" * 64
    session = calcSession("SHA-256-sess", ha1, "n", "c")
    assert session == digestOf("SHA-256", f"{ha1}:n:c".encode())
    asked = ("n", "auth", "00000001", "c")
    assert calcResponse("SHA-256-sess", ha1, ha2, *asked) == calcResponse(
        "SHA-256", session, ha2, *asked
    )


def test_what_clients_get_right_is_offered_first():
    """curl 7.88 has its own idea of SHA-512-256. Names are read in any case."""
    assert list(ALGORITHMS) == [
        "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess", "MD5", "MD5-sess",
    ]  # fmt: skip
    assert digestOf("sha-256-SESS", b"") == digestOf("SHA-256", b"")


@pytest.mark.parametrize(
    "wrong", [{"algorithm": "SHA-1"}, {"algorithm": ""}, {"qop": "auth,auth-int"}, {"qop": ""}]
)
def test_what_is_no_response_is_told(wrong):
    """A ValueError that names the part, for who reads the header to answer."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(MUFASA, **wrong)


def test_a_body_that_is_signed_must_be_known():
    """auth-int cannot be checked without it."""
    with pytest.raises(ValueError, match="bodyHash"):
        replace(MUFASA, qop="auth-int")


def test_one_checker_takes_both():
    """The same users by a password and by a digest."""
    users = InMemoryUsernamePasswordDatabaseDontUse(Mufasa=b"Circle of Life")
    both = MUFASA, UsernamePassword("Mufasa", "Circle of Life")
    assert [successResultOf(users.requestAvatarId(each)) for each in both] == ["Mufasa"] * 2
    failureResultOf(users.requestAvatarId(replace(MUFASA, nc="00000002")), UnauthorizedLogin)
    failureResultOf(users.requestAvatarId(replace(MUFASA, username="")), UnauthorizedLogin)
