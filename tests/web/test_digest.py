"""Digest before a part of the tree: who proves to know the password, once with each proof."""

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.logins import Realm, asked_by, guarded
from tests.web.trees import Page, raw, tree
from weblayer.cred.checkers import HtdigestFile, InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.digest import ALGORITHMS, calcHA1, calcHA2, calcResponse, digestOf, hashUsername
from weblayer.loop.timers import Clock
from weblayer.web.digest import DigestCredentialFactory
from weblayer.web.guard import BasicCredentialFactory, CommonRealm
from weblayer.web.nonces import MOST, Nonces
from weblayer.web.policy import Policy
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.testing import Conversation
from weblayer.wire.challenge import parse_challenges
from weblayer.wire.digest import Login, answer_digest

BOTH = "auth", "auth-int"


def digest(algorithm="SHA-256", *checkers, realm=None, **options):
    """A conversation with a guarded tree, and what it asks with."""
    factory = DigestCredentialFactory(algorithm, "home", **options)
    conversation = Conversation(guarded(*checkers, realm=realm, factories=[factory]))
    conversation.ask("GET", "/")
    return conversation, challenge_of(conversation)


def challenge_of(conversation, number=0):
    return parse_challenges(asked_by(conversation)[number].encode("latin-1"))[0]


def proof(challenge, method="GET", target="/", body=b"", **changes):
    """The fields of a request that answers *challenge*, as ada does, with some *changes*."""
    said = {k.decode(): v.decode() for k, v in challenge.parameters.items()}
    facts = {
        "username": "ada", "password": "lovelace", "uri": target, "nc": "00000001", "cnonce": "c",
        "qop": "auth", "algorithm": said["algorithm"], "realm": said["realm"],
        "nonce": said["nonce"], "opaque": said["opaque"], **changes,
    }  # fmt: skip
    algorithm, qop = facts["algorithm"] or "MD5", facts["qop"]
    ha1 = calcHA1(algorithm, facts["username"] or "", facts["realm"] or "", facts.pop("password"))
    ha2 = calcHA2(algorithm, method, facts["uri"] or "", qop, digestOf(algorithm, body))
    once = facts["nonce"] or "", qop, facts["nc"] or "", facts["cnonce"] or ""
    facts.setdefault("response", calcResponse(algorithm, ha1, ha2, *once))
    if facts.get("userhash") == "true":
        facts["username"] = hashUsername(algorithm, facts["username"], facts["realm"])
    written = ", ".join(f'{k}="{v}"' for k, v in facts.items() if v is not None)
    return {"Authorization": f"Digest {written}"}


def told(conversation):
    """The last answer's code, and whether it says that only the nonce was wrong."""
    stale = conversation.code == 401 and b"stale" in challenge_of(conversation).parameters
    return (conversation.code, "stale") if stale else conversation.code


def counted(number, **changes):
    return {"nc": f"{number:08x}", **changes}


@pytest.mark.parametrize("qop", BOTH)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_proves_to_know_the_password_is_let_in(algorithm, qop):
    """By each algorithm and quality, with or without a body; who does not is not."""
    conversation, challenge = digest(algorithm, qop=BOTH)
    conversation.ask("PUT", "/a?b", proof(challenge, "PUT", "/a?b", b"hello", qop=qop), b"hello")
    assert json.loads(conversation.text())["body"] == "hello"
    conversation.ask("GET", "/", proof(challenge, qop=qop, **counted(2)))
    assert conversation.code == 200
    conversation.ask("GET", "/", proof(challenge, qop=qop, password="x", **counted(3)))
    conversation.advance(1)
    assert told(conversation) == 401


def test_several_algorithms_are_several_challenges():
    """A field line each, the first liked best, with a nonce in common."""
    conversation, first = digest(ALGORITHMS)
    challenges = [challenge_of(conversation, number) for number in range(len(ALGORITHMS))]
    assert [each.parameters[b"algorithm"].decode() for each in challenges] == list(ALGORITHMS)
    assert {each.parameters[b"nonce"] for each in challenges} == {first.parameters[b"nonce"]}
    for number, challenge in enumerate(challenges, 1):
        conversation.ask("GET", "/", proof(challenge, **counted(number)))
        assert conversation.code == 200


def test_what_is_asked_for_is_written_as_the_standard_has_it():
    """Source: RFC 7616, 3.3: some parameters are quoted, and others are not."""
    conversation, challenge = digest(
        "sha-256", qop=BOTH, userhash=True, domain=["/a", "https://b.test/"]
    )
    [field] = asked_by(conversation)
    assert 'qop="auth, auth-int"' in field
    assert 'domain="/a https://b.test/"' in field
    assert "userhash=true" in field and "algorithm=SHA-256" in field
    assert challenge.parameters[b"charset"] == b"UTF-8"


def test_basic_and_digest_are_offered_together():
    """In the order in which they were given."""
    factories = [DigestCredentialFactory("MD5", "a"), BasicCredentialFactory("b")]
    conversation = Conversation(guarded(factories=factories))
    conversation.ask("GET", "/")
    assert [each.partition(" ")[0] for each in asked_by(conversation)] == ["Digest", "Basic"]


# Once with each proof


def test_a_proof_that_is_replayed_is_refused():
    """It is stale: who has the password can prove it anew, and who has not cannot."""
    conversation, challenge = digest()
    fields = proof(challenge)
    conversation.ask("GET", "/", fields)
    assert told(conversation) == 200
    conversation.ask("GET", "/", fields)
    assert told(conversation) == (401, "stale")
    conversation.ask("GET", "/", proof(challenge_of(conversation)))
    assert told(conversation) == 200


def test_a_proof_that_was_refused_is_not_good_later():
    """A count is used up by whoever uses it."""
    conversation, challenge = digest()
    conversation.ask("GET", "/", proof(challenge, password="x"))
    conversation.advance(1)
    assert told(conversation) == 401
    conversation.ask("GET", "/", proof(challenge))
    assert told(conversation) == (401, "stale")


def test_a_nonce_is_good_for_a_while():
    """A quarter of an hour; then it is stale."""
    clock = Clock()
    site = Site(guarded(factories=[DigestCredentialFactory("MD5", "home")]), reactor=clock)
    with Conversation(site) as conversation:
        conversation.ask("GET", "/")
        challenge = challenge_of(conversation)
    for number, seconds, outcome in (1, 0, 200), (2, 899, 200), (3, 2, (401, "stale")):
        clock.advance(seconds)
        with Conversation(site) as conversation:
            conversation.ask("GET", "/", proof(challenge, **counted(number)))
            assert told(conversation) == outcome


@pytest.mark.parametrize("changes", [{"nonce": "abc"}, {"opaque": "abc"}, {"opaque": None}])
def test_what_we_did_not_give_is_stale(changes):
    """As after a start of ours, of which a client knows nothing."""
    conversation, challenge = digest()
    conversation.ask("GET", "/", proof(challenge, **changes))
    assert told(conversation) == (401, "stale")


# What breaks the rules


@pytest.mark.parametrize(
    "changes",
    [
        {"username": None}, {"realm": None}, {"nonce": None}, {"uri": None},
        {"response": None}, {"qop": None}, {"nc": None}, {"cnonce": None},
        {"nc": "1"}, {"nc": "00000000"}, {"nc": "0000000g"},
        {"uri": "/other"}, {"qop": "auth-int"}, {"qop": "x"}, {"userhash": "true"},
        {"username*": "UTF-8''ada"}, {"username": None, "username*": "ada"},
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_a_bad_request(changes):
    """Source: RFC 7616, 3.4: what is missing or improper is a 4xx."""
    conversation, challenge = digest()
    conversation.ask("GET", "/", proof(challenge, **changes))
    assert conversation.code == 400


@pytest.mark.parametrize(
    ("proxies", "uri", "code"),
    [
        (["192.0.2.1"], "/shop/a?b", 200),
        (["192.0.2.1"], "/a?b", 200),
        (["192.0.2.1"], "/other/a?b", 400),
        (["192.0.2.9"], "/shop/a?b", 400),
        ([], "http://weblayer.test/a?b", 400),
    ],
)
def test_what_is_signed_is_what_the_client_has_asked_for(proxies, uri, code):
    """A proxy of ours may have taken a prefix off; no other has."""
    guard = guarded(factories=[DigestCredentialFactory("MD5", "home")])
    fields = ["X-Forwarded-For", "X-Forwarded-Prefix"]
    conversation = Conversation(Site(guard, trustedProxies=proxies, proxyFields=fields))
    conversation.ask("GET", "/")
    said = proof(challenge_of(conversation), uri=uri)
    forwarded = {"X-Forwarded-Prefix": "/shop", "X-Forwarded-For": "203.0.113.1"}
    conversation.ask("GET", "/a?b", {**said, **forwarded})
    assert conversation.code == code


def test_a_target_with_the_servers_name_may_be_signed_as_it_is_or_without():
    """Source: RFC 9112, 3.2.2, and RFC 7616, 3.4.6."""
    conversation, challenge = digest()
    for number, uri in enumerate(["http://weblayer.test/a?b", "/a?b"], 1):
        said = proof(challenge, uri=uri, **counted(number))
        conversation.ask("GET", "http://weblayer.test/a?b", said)
        assert told(conversation) == 200


@pytest.mark.parametrize("said", ["Digest", "Digest a", 'Digest a="', "Digest a=b, Basic c=d"])
def test_what_cannot_be_read_is_a_bad_request(said):
    """It is no proof of anything."""
    conversation, _ = digest()
    conversation.ask("GET", "/", {"Authorization": said})
    assert conversation.code == 400


@pytest.mark.parametrize("changes", [{"realm": "other"}, {"algorithm": "MD5"}, {"algorithm": None}])
def test_what_was_not_offered_is_asked_for_again(changes):
    """A weaker algorithm than ours is none."""
    conversation, challenge = digest()
    conversation.ask("GET", "/", proof(challenge, **changes))
    assert told(conversation) == 401


def test_without_an_algorithm_it_is_md5():
    """Source: RFC 7616, 3.4."""
    conversation, challenge = digest("MD5")
    conversation.ask("GET", "/", proof(challenge, algorithm=None))
    assert told(conversation) == 200


# Names


def test_a_hashed_name_is_found():
    """Where it is asked for; who says the name in plain is let in, too."""
    conversation, challenge = digest(userhash=True)
    conversation.ask("GET", "/", proof(challenge, userhash="true"))
    assert json.loads(conversation.text())["id"] == "ada"
    conversation.ask("GET", "/", proof(challenge, userhash="false", **counted(2)))
    assert told(conversation) == 200


def test_a_name_may_be_in_any_script():
    """In UTF-8, or as RFC 8187 has it."""
    users = InMemoryUsernamePasswordDatabaseDontUse()
    users.addUser("Jäsøn", "lovelace")
    conversation, challenge = digest("SHA-256", users)
    field = proof(challenge, username="Jäsøn")["Authorization"]
    conversation.ask("GET", "/", {"Authorization": field.encode().decode("latin-1")})
    assert told(conversation) == 200
    field = proof(challenge, username="Jäsøn", **counted(2))["Authorization"]
    extended = field.replace('username="Jäsøn"', "username*=UTF-8''J%C3%A4s%C3%B8n")
    conversation.ask("GET", "/", {"Authorization": extended})
    assert told(conversation) == 200


def test_no_password_need_be_stored(tmp_path):
    """The hash of one realm does, as htdigest writes it."""
    file = tmp_path / "users"
    file.write_text("ada:home:" + hashlib.md5(b"ada:home:lovelace").hexdigest() + "\n")
    conversation, challenge = digest("MD5", HtdigestFile(file))
    conversation.ask("GET", "/", proof(challenge))
    assert told(conversation) == 200


# The body


def put(challenge, signed, sent, **changes):
    fields = proof(challenge, "PUT", "/", signed, **changes)
    lines = [f"{name}: {value}" for name, value in fields.items()]
    head = [f"Content-Length: {len(sent)}", "Expect: 100-continue", *lines]
    return raw("PUT / HTTP/1.1", *head)


def test_a_body_that_was_not_signed_is_not_taken():
    """The avatar is not asked for, nor anything of it."""
    realm = Realm()
    conversation, challenge = digest(qop=BOTH, realm=realm)
    conversation.send(put(challenge, b"hello", b"hellO", qop="auth-int"), "PUT")
    assert conversation.received.endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    conversation.send(b"hellO")
    conversation.advance(1)
    assert told(conversation) == 401
    assert realm.came == []


def test_a_proof_that_is_stale_is_known_before_the_body():
    """Of auth-int as of auth."""
    conversation, challenge = digest(qop=BOTH)
    for qop in BOTH:
        conversation.send(put(challenge, b"", b"hello", qop=qop, nonce="x"), "PUT")
        assert told(conversation) == (401, "stale")


def test_behind_a_signed_body_the_walk_goes_on():
    """Through children that come later; streams and files read what has been taken in."""

    class Later(Resource):
        async def getChild(self, name, request):
            return Page(read, Policy(takesBody="stream"))

    async def read(request):
        return b"".join([piece async for piece in request.stream()])

    conversation, challenge = digest(qop=BOTH, realm=CommonRealm(tree(a=Later())))
    fields = proof(challenge, "PUT", "/a/b", b"hello", qop="auth-int")
    conversation.ask("PUT", "/a/b", fields, b"hello")
    assert (conversation.code, conversation.body) == (200, b"hello")


def test_a_signed_body_is_as_large_as_the_policy_before_the_guard_says():
    """A stranger fills no more of our memory than that."""
    conversation, challenge = digest(qop=BOTH)
    body = b"a" * (1024 * 1024 + 1)
    conversation.ask("PUT", "/", proof(challenge, "PUT", "/", body, qop="auth-int"), body)
    assert conversation.code == 413


def test_a_large_body_is_hashed_beside_the_loop():
    """Where the policy before the guard takes one."""
    factory = DigestCredentialFactory("SHA-256", "home", qop=["auth-int"])
    realm = CommonRealm(Page(lambda request: str(len(request.content.read()))))
    guard = guarded(realm=realm, factories=[factory])
    guard.policy = Policy(maxBody=10**7)
    conversation = Conversation(guard)
    conversation.ask("GET", "/")
    body = b"a" * (2 * 10**6)
    fields = proof(challenge_of(conversation), "PUT", "/", body, qop="auth-int")
    conversation.ask("PUT", "/", fields, body)
    conversation.waitFor(lambda: len(conversation.answers) == 2)
    assert (conversation.code, conversation.text()) == (200, "2000000")


# How a factory is made


@pytest.mark.parametrize(
    "wrong",
    [{"algorithm": "sha"}, {"algorithm": []}, {"qop": ["x"]}, {"qop": []}, {"domain": ["a\nb"]}],
)
def test_what_cannot_be_offered_is_told(wrong):
    """Where it is written."""
    with pytest.raises(ValueError):
        DigestCredentialFactory(**{"algorithm": "MD5", "authenticationRealm": "a", **wrong})


@pytest.mark.parametrize("qop", [*([each] for each in BOTH), BOTH])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_client_is_understood(algorithm, qop):
    """What it makes of our challenge lets it in, with a body and a hashed name."""
    conversation, challenge = digest(algorithm, qop=qop, userhash=True)
    login = Login(b"ada", b"lovelace")
    said = answer_digest(challenge, login, b"PUT", b"/a", b"hello", b"abc").decode()
    conversation.ask("PUT", "/a", {"Authorization": said}, b"hello")
    assert told(conversation) == 200


# Nonces


@given(st.lists(st.integers(1, 100) | st.sampled_from([2**32 - 1, 2**31]), max_size=200))
def test_a_count_is_accepted_once(counts):
    """Within a window of 64, in whichever order they come; and the next one always is."""
    nonces, used = Nonces(60), set()
    nonce = nonces.give(0)
    for count in counts:
        wanted = count not in used and count > max(used, default=0) - 64
        assert nonces.use(nonce, count, 0) == wanted
        used |= {count} if wanted else set()
    assert nonces.use(nonce, max(used, default=0) + 1, 0)


@given(
    steps=st.lists(st.tuples(st.sampled_from(["give", "use"]), st.integers(0, 9)), max_size=60),
    most=st.integers(1, 4),
)
def test_what_is_forgotten_is_never_accepted_again(steps, most):
    """However few are remembered, and whenever they were given."""
    nonces, given, used = Nonces(60, most), [], set()
    for now, (act, which) in enumerate(steps):
        if act == "give":
            given.append(nonces.give(now / 10))
        elif given:
            nonce = given[which % len(given)]
            if nonces.use(nonce, 1, now / 10):
                assert nonce not in used
                used.add(nonce)


def test_who_only_asks_is_not_remembered():
    """As many as you like may be given; one that was given first is still good."""
    nonces = Nonces(60)
    first = nonces.give(0)
    for _ in range(MOST + 1):
        nonces.give(1)
    assert nonces.use(first, 1, 1)


def test_a_nonce_has_one_spelling():
    """Another one would be used anew."""
    nonces = Nonces(60)
    nonce = nonces.give(0)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(nonce[-1])
    others = [nonce[:-1] + alphabet[last & ~3 | n] for n in range(4) if n != last & 3]
    others += [nonce + "=", nonce + "\n", nonce.replace("-", "+").replace("_", "/") + " "]
    assert not any(nonces.use(other, 1, 0) for other in others)
    assert nonces.use(nonce, 1, 0)


@given(st.text() | st.binary().map(lambda data: urlsafe_b64encode(data).decode()))
def test_nothing_else_is_a_nonce(word):
    """Whatever a stranger makes up."""
    assert not Nonces(60).use(word, 1, 0)
