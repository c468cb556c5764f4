"""The answer to a challenge: the standard's own examples, and what a server makes of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.cred import digest as checking
from weblayer.wire.challenge import Challenge, parse_challenges
from weblayer.wire.digest import Login, answer_digest, choose_digest

RFC = b"""Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%b,
 nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
 opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""""
MUFASA = Login(b"Mufasa", b"Circle of Life")
CNONCE = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (b"MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        (b"SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(algorithm, response):
    """Source: RFC 7616, 3.9.1."""
    (challenge,) = parse_challenges((RFC % algorithm).replace(b"\n", b""))
    answer = answer_digest(challenge, MUFASA, b"GET", b"/dir/index.html", b"", CNONCE)
    assert b'response="%b"' % response in answer
    (read,) = parse_challenges(answer)
    assert read.scheme == b"digest"
    assert read.parameters.items() >= {
        b"username": b"Mufasa", b"uri": b"/dir/index.html", b"algorithm": algorithm,
        b"nc": b"00000001", b"qop": b"auth", b"cnonce": CNONCE,
        b"opaque": b"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }.items()  # fmt: skip


def test_the_example_of_a_hashed_name():
    """Source: RFC 7616, 3.9.2, with the two hashes of erratum 4897: those printed are others."""
    challenge = Challenge(b"digest", {
        b"realm": b"api@example.org", b"qop": b"auth", b"algorithm": b"SHA-512-256",
        b"nonce": b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", b"userhash": b"true",
    })  # fmt: skip
    login = Login("J\u00e4s\u00f8n Doe".encode(), b"Secret, or not?")
    cnonce = b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    answer = answer_digest(challenge, login, b"GET", b"/doe.json", b"", cnonce)
    (read,) = parse_challenges(answer)
    name = b"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    proof = b"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert read.parameters.items() >= {
        b"username": name, b"userhash": b"true", b"response": proof,
    }.items()  # fmt: skip


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)


@given(
    algorithm=st.sampled_from(checking.ALGORITHMS),
    qop=st.sampled_from([None, "auth", "auth-int"]),
    said=st.tuples(texts, texts, texts, texts),
    body=st.binary(max_size=9),
)
def test_a_server_takes_the_answer(algorithm, qop, said, body):
    """What it computes by itself, of each algorithm and quality, is the same."""
    username, password, realm, nonce = said
    offered = {} if qop is None else {b"qop": qop.encode()}
    parameters = {b"algorithm": algorithm.encode(), b"realm": realm.encode(), **offered}
    challenge = Challenge(b"digest", {**parameters, b"nonce": nonce.encode()})
    login = Login(username.encode(), password.encode())
    answer = answer_digest(challenge, login, b"PUT", b"/a?b", body, b"c")
    (read,) = parse_challenges(answer)
    ha2 = checking.calcHA2(algorithm, "PUT", "/a?b", qop, checking.digestOf(algorithm, body))
    response = checking.calcResponse(
        algorithm, checking.calcHA1(algorithm, username, realm, password), ha2, nonce, qop,
        "00000001" if qop else "", "c",
    )  # fmt: skip
    assert read.parameters[b"response"].decode() == response
    assert read.parameters[b"username"] == username.encode()


@pytest.mark.parametrize(
    ("field", "chosen"),
    [
        (b"Basic realm=a", None),
        (b"Digest realm=a", None),  # without a nonce
        (b"Digest realm=a, nonce=b, algorithm=X", None),
        (b"Digest realm=a, nonce=b, qop=x", None),
        (b"Digest nonce=1, algorithm=MD5, Digest nonce=2, algorithm=SHA-256", b"2"),
        (b"Basic, Digest nonce=1, algorithm=md5-sess", b"1"),
        (b'Digest nonce=1, qop="x, auth"', b"1"),
    ],
)
def test_the_strongest_that_can_be_answered(field, chosen):
    """None where there is none."""
    found = choose_digest(parse_challenges(field))
    assert (found and found.parameters[b"nonce"]) == chosen
