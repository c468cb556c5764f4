"""The guard: who is let in, what the others are told, and when."""

import json
import logging
from base64 import b64encode

import pytest

from tests.web.logins import ADA, Realm, Says, asked_by, basic, guarded
from tests.web.trees import Page, errors_of, raw, tree
from weblayer.cred.checkers import (
    AllowAnonymousAccess,
    FilePasswordDB,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from weblayer.cred.error import LoginBusy, LoginDenied, MissingLibrary
from weblayer.cred.portal import Portal
from weblayer.loop.deferred import Deferred
from weblayer.web.errors import Error
from weblayer.web.guard import BasicCredentialFactory, CommonRealm, HTTPAuthSessionWrapper
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask

GOOD = basic("ada", "lovelace")
CHALLENGE = 'Basic realm="home", charset="UTF-8"'
UPLOAD = raw("PUT /in HTTP/1.1", "Content-Length: 5", "Expect: 100-continue")


def test_who_is_known_goes_on_to_what_is_theirs():
    """The avatar is what the walk goes on with, and the request says whose it is."""
    answer = ask(tree(home=guarded()), "GET", "/home/a/b", GOOD)
    told = {"owner": "ada", "id": "ada", "path": ["a", "b"], "body": ""}
    assert json.loads(answer.text()) == told


def test_who_says_nothing_is_asked():
    """At once, as RFC 9110, 15.5.2 has it, and the scheme says that we read UTF-8."""
    answer = ask(guarded(), "GET", "/")
    assert (answer.code, asked_by(answer)) == (401, [CHALLENGE])


def test_names_and_passwords_may_be_in_any_script():
    """As UTF-8: RFC 7617, 2.1."""
    users = InMemoryUsernamePasswordDatabaseDontUse()
    users.addUser("Jäsøn", "密码:with a colon")
    assert ask(guarded(users), "GET", "/", basic("Jäsøn", "密码:with a colon")).code == 200


@pytest.mark.parametrize("fields", [basic("ada", "Lovelace"), basic("bob", "lovelace")])
def test_who_is_nobody_is_kept_waiting(fields):
    """A wrong name and a wrong password alike, without a word on which it was."""
    conversation = ask(guarded(), "GET", "/", fields)
    assert conversation.received == b""
    conversation.advance(1)
    assert (conversation.code, asked_by(conversation)) == (401, [CHALLENGE])
    conversation.ask("GET", "/", GOOD)
    assert conversation.code == 200


def test_so_many_are_kept_waiting_and_no_more(monkeypatch):
    """Guesses do not fill the memory."""
    monkeypatch.setattr("weblayer.web.guard.MOST_DELAYED", 2)
    guard = guarded()
    conversations = [Conversation(guard) for _ in range(3)]
    for conversation in conversations:
        conversation.ask("GET", "/", basic("ada", ""))
    assert [bool(each.received) for each in conversations] == [False, False, True]
    conversations[0].reset()
    with Conversation(guard) as conversation:
        conversation.ask("GET", "/", basic("ada", ""))
        assert not conversation.received


@pytest.mark.parametrize(
    "said",
    [
        "Basic", "Basic !", "Basic YQ==", "Basic " + b64encode(b"a:\nb").decode(), "Other abc",
        "Basic YTpi, Basic YTpi", "Digest username=a", "", "Basic\tYTpi",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_asked_for_again(said):
    """Whatever a client sends, it is asked for what we know."""
    answer = ask(guarded(), "GET", "/", {"Authorization": said})
    assert (answer.code, asked_by(answer)) == (401, [CHALLENGE])


def test_who_is_not_let_in_is_logged_without_the_password(caplog):
    """From where, as whom, and for what; and it is no error of ours."""
    conversation = ask(guarded(), "GET", "/in?a=b", basic("ada", "hunter2"))
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert all(word in record.getMessage() for word in ("192.0.2.1", "'ada'", "GET /in:"))
    assert "hunter2" not in record.getMessage()
    assert conversation.received == b""


def test_a_client_that_only_asks_is_not_logged(caplog):
    """Each conversation begins so."""
    ask(guarded(), "GET", "/")
    assert not caplog.records


def test_a_scheme_is_named_in_any_case():
    """Source: RFC 9110, 11.1."""
    said = GOOD["Authorization"].replace("Basic", "bAsIC")
    assert ask(guarded(), "GET", "/", {"Authorization": said}).code == 200


def test_who_is_not_let_in_uploads_nothing():
    """The 401 stands in place of 100 Continue."""
    conversation = Conversation(tree(**{"in": guarded()}))
    conversation.send(UPLOAD)
    assert conversation.received.startswith(b"HTTP/1.1 401 ")


def test_who_is_let_in_uploads_then():
    """While it is found out who it is, the client waits for its 100 Continue."""
    waiting = Deferred()
    conversation = Conversation(tree(**{"in": guarded(Says(waiting))}))
    said = f"Authorization: {GOOD['Authorization']}\r\n\r\n".encode()
    conversation.send(UPLOAD.removesuffix(b"\r\n") + said)
    assert conversation.received == b""
    waiting.callback("ada")
    assert conversation.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    conversation.send(b"hello")
    assert b'"body": "hello"' in conversation.received


# Nobody in particular


def test_who_shows_nothing_is_nobody_where_that_is_allowed():
    """A checker of the portal takes who is nobody in particular."""
    realm = Realm()
    guard = guarded(ADA, AllowAnonymousAccess(), realm=realm)
    assert json.loads(ask(guard, "GET", "/").text())["id"] == "ANONYMOUS"
    assert json.loads(ask(guard, "GET", "/", GOOD).text())["id"] == "ada"
    assert (realm.came[1], realm.left) == ("ada", realm.came)


def test_wrong_credentials_are_not_taken_for_none():
    """Who says a name is to know its password, though nobody need say one."""
    conversation = ask(guarded(ADA, AllowAnonymousAccess()), "GET", "/", basic("ada", ""))
    conversation.advance(1)
    assert conversation.code == 401


@pytest.mark.parametrize("below", ["Basic realm=below", None])
def test_a_401_from_below_asks_too(below):
    """By the schemes of the guard, unless it says how."""
    fields = [("WWW-Authenticate", below)] if below else []

    def closed(request):
        raise Error(401, "", fields)

    guard = guarded(AllowAnonymousAccess(), realm=Realm(lambda avatar: Page(closed)))
    answer = ask(guard, "GET", "/")
    assert (answer.code, asked_by(answer)) == (401, [below or CHALLENGE])


def test_of_two_guards_the_one_that_refuses_asks():
    """The inner one, where the outer has let somebody in."""
    inner = guarded(factories=[BasicCredentialFactory("inner")])
    outer = guarded(AllowAnonymousAccess(), realm=CommonRealm(inner))
    assert asked_by(ask(outer, "GET", "/")) == ['Basic realm="inner", charset="UTF-8"']


# What else may come of a login


@pytest.mark.parametrize(
    ("error", "code", "retry"),
    [(LoginDenied("locked"), 403, None), (LoginBusy("later"), 503, "5")],
)
def test_what_is_no_question_of_credentials_does_not_ask(error, code, retry):
    """We know who it is, or cannot find out now."""
    answer = ask(guarded(Says(error)), "GET", "/", GOOD)
    assert (answer.code, answer.getHeader("retry-after")) == (code, retry)
    assert not asked_by(answer)


def test_a_realm_may_deny_nobody_in_particular():
    """It is not asked for a name, which would be of no use."""

    class Closed:
        def requestAvatar(self, avatarId, mind, *interfaces):
            raise LoginDenied("closed today")

    guard = guarded(AllowAnonymousAccess(), realm=Closed())
    assert ask(guard, "GET", "/").code == 403


@pytest.mark.parametrize("error", [MissingLibrary("pip install it"), OSError(13, "not allowed")])
def test_who_cannot_be_checked_is_our_fault(error, caplog):
    """A 500, with the reason in the log and nowhere else."""
    answer = ask(guarded(Says(error)), "GET", "/", GOOD)
    assert answer.code == 500
    assert str(error) not in answer.text()
    assert str(error) in caplog.text


def test_a_file_of_passwords_that_breaks_is_told_in_a_line(tmp_path, caplog):
    """With its name and the line's number; who is in it stays out until it is mended."""
    file = tmp_path / "users"
    file.write_text("ada:lovelace\n")
    guard = guarded(FilePasswordDB(file))
    assert ask(guard, "GET", "/", GOOD).code == 200
    file.write_text("ada:lovelace\nbob\n")
    caplog.clear()
    assert ask(guard, "GET", "/", GOOD).code == 500
    assert f"{file}, line 2" in caplog.text
    assert "Traceback" not in caplog.text
    file.unlink()
    assert ask(guard, "GET", "/", GOOD).code == 500


def test_a_realm_that_fails_is_an_error_of_ours(caplog):
    """With its traceback in the log."""
    guard = guarded(realm=Realm(lambda avatarId: 1 / 0))
    assert ask(guard, "GET", "/", GOOD).code == 500
    assert "ZeroDivisionError" in caplog.text


# Leaving


@pytest.mark.parametrize("fails", [False, True])
def test_who_is_answered_is_logged_out(fails):
    """Once, and an error's page is an answer."""
    realm = Realm(lambda avatarId: Page(lambda request: 1 / fails))
    ask(guarded(realm=realm), "GET", "/", GOOD)
    assert realm.left == ["ada"]


@pytest.mark.parametrize("leaves", [False, True])
def test_who_is_answered_piece_by_piece_is_logged_out_at_the_end(leaves):
    """Or when they leave before."""
    requests = []
    page = Page(lambda request: requests.append(request) or NOT_DONE_YET)
    realm = Realm(lambda avatarId: page)
    conversation = ask(guarded(realm=realm), "GET", "/", GOOD)
    conversation.do(requests[0].write, b"a")
    assert realm.left == []
    if leaves:
        conversation.reset()
    else:
        conversation.do(requests[0].finish)
    assert realm.left == ["ada"]


def test_who_leaves_before_they_are_let_in_is_not_let_in():
    """What is found out about them is cancelled."""
    waiting, realm = Deferred(), Realm()
    conversation = ask(guarded(Says(waiting), realm=realm), "GET", "/", GOOD)
    conversation.reset()
    assert waiting.called
    assert realm.came == realm.left == []


def test_a_logout_that_fails_is_logged(caplog):
    """The answer is out already."""
    realm = Realm(logout=lambda: 1 / 0)
    assert ask(guarded(realm=realm), "GET", "/", GOOD).code == 200
    [record] = errors_of(caplog)
    assert "logout of 'ada'" in record.getMessage()


# How a guard is made


def test_of_each_scheme_there_is_one():
    """Which of two would be asked is nothing to guess."""
    factories = [BasicCredentialFactory("a"), BasicCredentialFactory("b")]
    with pytest.raises(ValueError, match="basic"):
        HTTPAuthSessionWrapper(Portal(Realm()), factories)


@pytest.mark.parametrize(
    ("portal", "factories", "match"),
    [
        (Page(None), [], "portal must be"),
        (Portal(Realm()), BasicCredentialFactory("a"), "credentialFactories must be a list"),
        (Portal(Realm()), [BasicCredentialFactory], "credentialFactories must be instances"),
    ],
)
def test_a_guard_of_something_else_is_refused(portal, factories, match):
    """Where it is made, by the parameter's name."""
    with pytest.raises(TypeError, match=match):
        HTTPAuthSessionWrapper(portal, factories)


def test_a_realm_has_a_resource():
    """An instance, and not its class."""
    with pytest.raises(TypeError, match="resource must be a resource"):
        CommonRealm(Page)


@pytest.mark.parametrize("realm", ["a\nb", b"\x00"])
def test_a_realm_holds_no_controls(realm):
    """It would be another field."""
    with pytest.raises(ValueError, match="realm"):
        BasicCredentialFactory(realm)


def test_a_realm_is_quoted():
    """Whatever it is called."""
    answer = ask(guarded(factories=[BasicCredentialFactory(b'a "b" \\')]), "GET", "/")
    assert asked_by(answer) == ['Basic realm="a \\"b\\" \\\\", charset="UTF-8"']


def test_a_factory_of_another_frameworks_program_will_do():
    """With bytes for text, as those have it."""

    class Word:
        scheme = b"word"

        def getChallenge(self, request):
            return {b"realm": b"r"}

        def decode(self, response, request):
            return ADA_CREDENTIALS if response == "open" else None

    from weblayer.cred.credentials import UsernamePassword

    ADA_CREDENTIALS = UsernamePassword("ada", "lovelace")
    guard = guarded(factories=[Word(), BasicCredentialFactory("home")])
    assert asked_by(ask(guard, "GET", "/")) == ['Word realm="r"', CHALLENGE]
    assert ask(guard, "GET", "/", {"Authorization": "Word open"}).code == 200


def test_a_common_realm_has_a_resource_and_nothing_else():
    """Another protocol needs another realm."""
    with pytest.raises(NotImplementedError):
        CommonRealm(Page(None)).requestAvatar("ada", None, logging.Logger)
