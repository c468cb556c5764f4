"""Bearer tokens before a part of the tree: opaque and signed, and what RFC 6750 says to others."""

import json

import pytest

from tests.web.logins import ADA, asked_by, guarded
from tests.web.trees import raw
from weblayer.cred.checkers import Token, TokenChecker, hashToken, newToken
from weblayer.loop.deferred import succeed
from weblayer.web.guard import BasicCredentialFactory, BearerCredentialFactory
from weblayer.web.testing import Conversation, ask
from weblayer.web.tokens import SignedTokens

KEY = "a key that is long enough"
OPAQUE = newToken()
KNOWN = {hashToken(OPAQUE): Token("ada", ["read"], expires=100)}


def opaque(now=0):
    return TokenChecker(KNOWN.get, seconds=lambda: now)


def signed(now=0, key=KEY, **options):
    return SignedTokens(key, 100, seconds=lambda: now, **options)


def say(token, *checkers, scope=()):
    """What who says *token* is told."""
    factories = [BearerCredentialFactory("api", scope)]
    guard = guarded(*(checkers or [opaque()]), factories=factories)
    return ask(guard, "GET", "/", {"Authorization": f"Bearer {token}"})


CHECKERS = [(opaque, lambda: OPAQUE), (signed, lambda: signed().give("ada", ["read"]))]


@pytest.mark.parametrize(("checker", "token"), CHECKERS)
def test_whoever_has_the_token_comes_in(checker, token):
    """At once, as whom it stands for."""
    assert json.loads(say(token(), checker()).text())["id"] == "ada"
    assert say(token(), checker(99)).code == 200


@pytest.mark.parametrize(("checker", "token"), CHECKERS)
def test_a_token_that_has_expired_is_no_token(checker, token):
    """The client is told at once, so that it can get itself another."""
    answer = say(token(), checker(101))
    assert answer.code == 401
    assert asked_by(answer) == ['Bearer realm="api", error="invalid_token"']


@pytest.mark.parametrize(("checker", "token"), CHECKERS)
@pytest.mark.parametrize("change", [lambda token: token[:-1] + "_", lambda token: "abc"])
def test_any_other_word_is_no_token(checker, token, change):
    """Whatever it looks like."""
    changed = change(token())
    assert changed == token() or say(changed, checker()).code == 401


@pytest.mark.parametrize(("checker", "token"), CHECKERS)
@pytest.mark.parametrize(
    ("scope", "code"), [((), 200), ("read", 200), (["write"], 403), ({"read", "write"}, 403)]
)
def test_a_token_is_good_for_some_things_and_not_for_others(checker, token, scope, code):
    """Who has one that is not good for this is told what is needed: RFC 6750, 3.1."""
    answer = say(token(), checker(), scope=scope)
    words = " ".join(sorted([scope] if isinstance(scope, str) else scope))
    wanted = f'Bearer realm="api", scope="{words}", error="insufficient_scope"'
    assert (answer.code, asked_by(answer)) == (code, [wanted] if code == 403 else [])


def test_who_says_nothing_is_told_no_error():
    """Source: RFC 6750, 3.1."""
    factories = [BearerCredentialFactory("api", ["read", "a:b"]), BasicCredentialFactory("b")]
    answer = ask(guarded(opaque(), factories=factories), "GET", "/")
    assert asked_by(answer)[0] == 'Bearer realm="api", scope="a:b read"'
    assert asked_by(answer)[1].startswith("Basic ")


@pytest.mark.parametrize("token", ["", "a b", "ä", "=", "a=b"])
def test_what_is_not_written_as_a_token_is_a_bad_request(token):
    """Source: RFC 6750, 3.1: invalid_request."""
    answer = say(token)
    assert answer.code == 400
    assert asked_by(answer) == ['Bearer realm="api", error="invalid_request"']


def test_who_may_not_uploads_nothing():
    """Too little scope is told on the head."""
    factories = [BearerCredentialFactory("api", "write")]
    conversation = Conversation(guarded(opaque(), factories=factories))
    said = f"Authorization: Bearer {OPAQUE}"
    conversation.send(raw("PUT / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue", said))
    assert conversation.received.startswith(b"HTTP/1.1 403 ")


def test_a_token_is_never_logged(caplog):
    """Nor in its hash."""
    say("sesame")
    assert caplog.records
    assert "sesame" not in caplog.text


def test_a_store_may_be_asked_and_answer_later():
    """By the hash alone."""
    asked = []
    checker = TokenChecker(lambda hashed: asked.append(hashed) or succeed(KNOWN.get(hashed)))
    assert say("abc", checker).code == 401
    assert asked == [hashToken("abc")]
    assert say(OPAQUE, TokenChecker(lambda hashed: succeed(Token(7)))).code == 200


def test_keys_are_changed_without_a_break():
    """The first signs, the others are still taken; a key that was dropped is not."""
    new = "another key that is long enough"
    token = signed().give("ada")
    assert say(token, signed(key=[new, KEY])).code == 200
    assert say(token, signed(key=new)).code == 401


def test_tokens_for_one_purpose_are_none_for_another():
    """Though they are signed with the same key."""
    token = signed(purpose="download").give("ada")
    assert say(token, signed(purpose="upload")).code == 401


def test_several_kinds_of_tokens_are_taken_together():
    """And passwords beside them."""
    checkers = [opaque(), signed(), ADA]
    for token in (OPAQUE, signed().give("ada")):
        assert say(token, *checkers).code == 200


def test_a_scope_is_words():
    """Others would end the field, or its quotes."""
    for scope in ('a"', "a b", ["a", "b\n"], [""]):
        with pytest.raises(ValueError, match="scope"):
            BearerCredentialFactory("api", scope)
