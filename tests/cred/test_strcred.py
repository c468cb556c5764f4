"""Checkers from strings: what can be written, and what is said to who wrote something else."""

import sqlite3
import sys

import pytest

from weblayer.cred.checkers import AllowAnonymousAccess, HtdigestFile, InMemoryPasswords
from weblayer.cred.credentials import Anonymous, UsernamePassword
from weblayer.cred.error import MissingLibrary, UnauthorizedLogin
from weblayer.cred.strcred import Kind, helpForCheckers, listKinds, makeChecker, registerKind

SHA = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="  # of myPassword


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    """A folder with files of users, in which the descriptions are read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.users").write_text(f"ada:{SHA}\n")
    (tmp_path / "other.users").write_text(f"x;{SHA};Ada\n")
    (tmp_path / "digest.users").write_text(f"ada:our site:{'0' * 32}\n")
    connection = sqlite3.connect("users.db")
    connection.execute("CREATE TABLE users (name, password)")
    connection.execute("INSERT INTO users VALUES ('ada', ?)", (SHA,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "description",
    [
        "file:web.users",
        "file:other.users:delim=;:usernameField=2:passwordField=1:caseSensitive=0",
        "htpasswd:web.users",
        "memory:ada:myPassword",
        "memory:bob:x:ada:myPassword",
        "sqlite:users.db:SELECT password FROM users WHERE name = ?",
        r"sqlite:users.db:SELECT password FROM users WHERE name = ? AND '\:' \= '\:'",
    ],
)
async def test_a_checker_is_written_as_a_string(description):
    """And takes who it should."""
    checker = makeChecker(description)
    told = await checker.requestAvatarId(UsernamePassword("ada", "myPassword"))
    assert told.lower() == "ada"
    with pytest.raises(UnauthorizedLogin):
        await checker.requestAvatarId(UsernamePassword("ada", "guess"))


async def test_a_password_with_marks_in_it():
    """A backslash takes the meaning from a colon; an equals sign has none here."""
    checker = makeChecker(r"memory:ada:a\:b=c\\:bob=:d")
    assert await checker.requestAvatarId(UsernamePassword("ada", "a:b=c\\")) == "ada"
    assert await checker.requestAvatarId(UsernamePassword("bob=", "d")) == "bob="


async def test_other_kinds():
    """Digests, and nobody."""
    assert isinstance(makeChecker("htdigest:digest.users"), HtdigestFile)
    for description in ("anonymous:", "anonymous"):
        checker = makeChecker(description)
        assert isinstance(checker, AllowAnonymousAccess)
        assert not await checker.requestAvatarId(Anonymous())


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("", "should be written as one of htpasswd:PATH"),
        ("web.users", "should be written as one of htpasswd:PATH"),
        ("passwd:web.users", "should be written as one of htpasswd:PATH"),
        ("file:", "file: needs path, as in file:passwords.txt"),
        ("file:web.users:delim=;:usernameField=one", "usernameField must be a number"),
        ("file:web.users:caseSensitive=no", "caseSensitive must be 0 or 1"),
        ("file:web.users:colour=1:delim=;", "delim"),
        ("file:web.users:usernameField=3", "line 1: a line must have a name in field 3"),
        ("htpasswd", "htpasswd: needs path"),
        ("htpasswd:web.users:more", "htpasswd takes path"),
        ("htpasswd:other.users", "line 1: a line must be written as user:hash"),
        ("memory:", "memory: needs a name and a password"),
        ("memory:ada", "memory: needs a name and a password"),
        ("memory:ada:", "memory: needs a name and a password"),
        ("memory:ada:x:bob", "memory: needs a name and a password"),
        ("sqlite:users.db", "sqlite: needs query"),
        ("sqlite:none.db:SELECT 1", "unable to open"),
        ("sqlite:users.db:SELECT secret FROM users WHERE name = ?", "no such column: secret"),
        ("sqlite:users.db:SELECT password FROM users", "binding"),
        ("anonymous:me", "anonymous takes no arguments"),
    ],
)
def test_what_was_expected_is_said(description, words):
    """To whoever wrote something else: at once, and with an example."""
    with pytest.raises(ValueError) as told:
        makeChecker(description)
    assert words in str(told.value)


def test_files_that_are_not_there_are_named(tmp_path):
    """And none is made."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match=r"none\.users"):
        makeChecker("htpasswd:none.users")
    with pytest.raises(ValueError, match="none"):
        makeChecker("sqlite:none.db:SELECT password FROM users WHERE name = ?")
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_no_string_is_told():
    """A TypeError that names the parameter."""
    with pytest.raises(TypeError, match="description"):
        makeChecker(b"anonymous:")


def test_the_users_of_this_machine_need_a_library(monkeypatch):
    """Which is named."""
    monkeypatch.setitem(sys.modules, "pamela", None)
    for description in ("unix", "unix:", "unix:web"):
        with pytest.raises(MissingLibrary, match="weblayer"):
            makeChecker(description)


def test_help_tells_of_all_kinds():
    """How each is written, and what it is."""
    text = helpForCheckers()
    for kind in listKinds():
        assert f"{kind.written}\n    {kind.help}" in text
    names = {kind.name for kind in listKinds()}
    assert names >= {"file", "htpasswd", "htdigest", "memory", "sqlite", "unix", "anonymous"}


async def test_a_program_has_kinds_of_its_own():
    """They are made of what stands behind the colon, and told of in the help."""
    kind = Kind(
        "only", "only:HASH", "Ada, by this hash.", lambda rest: InMemoryPasswords({"ada": rest})
    )
    registerKind(kind)
    checker = makeChecker(f"only:{SHA}")
    assert await checker.requestAvatarId(UsernamePassword("ada", "myPassword")) == "ada"
    assert "only:HASH\n    Ada, by this hash." in helpForCheckers()
    with pytest.raises(ValueError, match="stored"):
        makeChecker("only:secret")
    with pytest.raises(ValueError, match="the name of a kind"):
        registerKind(kind._replace(name="not:this"))
