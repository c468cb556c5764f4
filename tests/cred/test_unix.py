"""The users of this machine: what is asked of PAM, and what never is."""

import sys
from types import ModuleType

import pytest

from weblayer.cred.checkers import UnixChecker
from weblayer.cred.credentials import UsernamePassword
from weblayer.cred.error import MissingLibrary, UnauthorizedLogin


class PAMError(Exception):
    pass


@pytest.fixture
def asked(monkeypatch):
    """What a PAM that knows one user was asked."""
    asked = []

    def authenticate(*question):
        asked.append(question)
        if question[:2] != (b"ada", [b"s\xc3\xa9same"]):
            raise PAMError

    library = ModuleType("pamela")
    library.PAMError, library.authenticate = PAMError, authenticate
    monkeypatch.setitem(sys.modules, "pamela", library)
    return asked


async def test_pam_is_asked(asked):
    """For the service that was named, with the bytes that were typed."""
    checker = UnixChecker("web")
    assert await checker.requestAvatarId(UsernamePassword("ada", "sésame")) == "ada"
    with pytest.raises(UnauthorizedLogin):
        await checker.requestAvatarId(UsernamePassword("bob", "sésame"))
    assert asked == [(b"ada", [b"s\xc3\xa9same"], "web"), (b"bob", [b"s\xc3\xa9same"], "web")]


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "sésame\0"), ("ada\0", "sésame"), ("", "sésame"), ("ada", "x" * 512)],
)
async def test_what_c_would_cut_is_never_asked(asked, username, password):
    """A password with a NUL behind it is another password."""
    with pytest.raises(UnauthorizedLogin):
        await UnixChecker().requestAvatarId(UsernamePassword(username, password))
    assert asked == []


def test_the_library_that_is_missing_is_named(monkeypatch):
    """When the checker is made."""
    monkeypatch.setitem(sys.modules, "pamela", None)
    with pytest.raises(MissingLibrary, match=r"pip install weblayer\[pam\]"):
        UnixChecker()
