"""The portal: who is asked, in which order, and what comes of it."""

import asyncio

import pytest

from weblayer.cred.checkers import (
    ANONYMOUS,
    AllowAnonymousAccess,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from weblayer.cred.credentials import (
    Anonymous,
    BearerToken,
    IUsernamePassword,
    UsernamePassword,
)
from weblayer.cred.error import (
    LoginDenied,
    LoginFailed,
    Unauthorized,
    UnauthorizedLogin,
    UnhandledCredentials,
)
from weblayer.cred.portal import Portal
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.testing import assertNoResult, failureResultOf, successResultOf


class Mailbox:
    """An interface of avatars."""


class Realm:
    """Whose avatars are what it was asked for."""

    def __init__(self, give=lambda login: login):
        self.give, self.left = give, []

    def requestAvatar(self, avatarId, mind, *interfaces):
        avatar = (avatarId, mind, interfaces)
        return self.give((interfaces[0], avatar, lambda: self.left.append(avatarId)))


class Says:
    """A checker that says what it was told to, and counts."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def requestAvatarId(self, credentials):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ADA = UsernamePassword("ada", "lovelace")


def users(**names):
    return InMemoryUsernamePasswordDatabaseDontUse(**names)


async def later(value):
    await asyncio.sleep(0)
    return value


def test_a_login_gives_the_avatar_of_who_asked():
    """The realm is told who, on whose behalf and for which interfaces; no loop is needed."""
    realm = Realm()
    portal = Portal(realm, [users(ada="lovelace")])
    interface, avatar, logout = successResultOf(portal.login(ADA, "mind", Mailbox, int))
    assert (interface, avatar) == (Mailbox, ("ada", "mind", (Mailbox, int)))
    assert realm.left == []
    logout()
    assert realm.left == ["ada"]


@pytest.mark.parametrize("credentials", [("ada", "l"), ("ada", ""), ("Ada", "lovelace"), ("", "")])
def test_who_is_not_known_is_not_let_in(credentials):
    """The error is of every class that a program may look for, and does not say what was wrong."""
    failing = Portal(Realm(), [users(ada="lovelace")]).login(UsernamePassword(*credentials))
    failure = failureResultOf(failing, UnauthorizedLogin)
    assert isinstance(failure.value, LoginFailed) and isinstance(failure.value, Unauthorized)
    assert "ada" not in str(failure.value).lower()


async def test_checkers_and_realms_may_answer_later():
    """By a coroutine or a Deferred, both of them."""

    class Slow(Realm):
        async def requestAvatar(self, *asked):
            return await later(super().requestAvatar(*asked))

    for portal in (
        Portal(Slow(), [Says(later("ada"))]),
        Portal(Realm(succeed), [Says(succeed("ada"))]),
    ):
        assert (await portal.login(ADA, None, Mailbox)).avatar[0] == "ada"


def test_a_login_that_is_cancelled_cancels_what_it_waits_for():
    """A client that left is not waited for."""
    slow = Deferred()
    login = Portal(Realm(), [Says(slow)]).login(ADA, None, Mailbox)
    assertNoResult(login)
    login.cancel()
    failureResultOf(slow, asyncio.CancelledError)
    failureResultOf(login, asyncio.CancelledError)


def test_credentials_that_nobody_takes_are_told_of():
    """With their class, and those that there are checkers for."""
    portal = Portal(Realm(), [AllowAnonymousAccess()])
    error = failureResultOf(portal.login(ADA), UnhandledCredentials).value
    assert "UsernamePassword" in str(error) and "IAnonymous" in str(error)
    assert "secret" not in str(failureResultOf(portal.login(BearerToken("secret"))).value)
    failureResultOf(Portal(Realm()).login(ADA), UnhandledCredentials)


def test_who_shows_nothing_is_anonymous():
    """ANONYMOUS is one of its kind, and false."""
    portal = Portal(Realm(), [AllowAnonymousAccess()])
    assert successResultOf(portal.login(Anonymous(), None, Mailbox)).avatar[0] is ANONYMOUS
    assert not ANONYMOUS
    assert repr(ANONYMOUS) == "ANONYMOUS"


def test_a_second_checker_is_asked_when_the_first_knows_nobody():
    """In the order of registration, and no further than one that knows them."""
    first, second, third = Says(UnauthorizedLogin()), Says("second"), Says("third")
    portal = Portal(Realm(), [first, second, third])
    assert successResultOf(portal.login(ADA, None, Mailbox)).avatar[0] == "second"
    assert [each.asked for each in (first, second, third)] == [1, 1, 0]


@pytest.mark.parametrize("error", [LoginDenied("locked"), OSError("the disk is gone")])
def test_no_other_error_has_the_next_one_asked(error):
    """Who is locked out of one place does not come in by another, nor by a failure."""
    second = Says("second")
    failing = Portal(Realm(), [Says(error), second]).login(ADA)
    assert failureResultOf(failing).value is error
    assert second.asked == 0


def test_the_last_refusal_is_the_one_told():
    """An error of a checker's own class comes through."""

    class Expired(UnauthorizedLogin):
        pass

    portal = Portal(Realm(), [Says(UnauthorizedLogin()), Says(Expired())])
    failureResultOf(portal.login(ADA), Expired)


def test_credentials_are_of_the_classes_they_inherit_from():
    """The nearest class first; a checker registered for two of them is asked once."""

    class Signed(UsernamePassword):
        """A program's own."""

    near, far = Says(UnauthorizedLogin()), Says(UnauthorizedLogin())
    portal = Portal(Realm(), [far])
    portal.registerChecker(near, Signed)
    portal.registerChecker(far, Signed, UsernamePassword)
    failureResultOf(portal.login(Signed("ada", "lovelace")), UnauthorizedLogin)
    assert (near.asked, far.asked) == (1, 1)
    assert portal.listCredentialsInterfaces() == [IUsernamePassword, Signed, UsernamePassword]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([None], "realm must be"),
        ([Realm], "realm must be"),
        ([Realm(), users()], "checkers must be a list"),
        ([Realm(), [type(users())]], "checker must be one, an instance"),
        ([Realm(), ["ada"]], "checker must be one, an instance"),
    ],
)
def test_a_portal_of_something_else_is_refused(arguments, match):
    """A TypeError where it is made, and none at the first login."""
    with pytest.raises(TypeError, match=match):
        Portal(*arguments)


def test_what_is_no_class_is_no_interface():
    """A TypeError that names the parameter, when the checker is registered."""
    with pytest.raises(TypeError, match="credentialInterfaces"):
        Portal(Realm()).registerChecker(users(), "password")


@pytest.mark.parametrize("given", [None, "ada", ("ada", Mailbox)])
def test_a_realm_that_gives_something_else_is_told(given):
    """A TypeError that shows what it gave."""
    portal = Portal(Realm(lambda login: given), [users(ada="lovelace")])
    assert repr(given) in str(failureResultOf(portal.login(ADA, None, Mailbox), TypeError).value)


def test_a_login_says_whose_it_is():
    """Beside the three that it is made of, which are unpacked as ever."""
    login = successResultOf(Portal(Realm(), [Says("ada")]).login(ADA, None, Mailbox))
    interface, avatar, _ = login
    assert (login.avatarId, interface, avatar[0]) == ("ada", Mailbox, "ada")
