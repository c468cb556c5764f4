"""Checkers of passwords, whatever they look in: who is let in, and who is told what."""

import asyncio
import sqlite3
from functools import partial

import pytest

from weblayer.cred.checkers import (
    Account,
    DatabaseChecker,
    InMemoryPasswords,
    InMemoryUsernamePasswordDatabaseDontUse,
    PasswordChecker,
)
from weblayer.cred.credentials import UsernamePassword
from weblayer.cred.error import UnauthorizedLogin
from weblayer.cred.passwords import verifyPassword
from weblayer.loop.deferred import Deferred, succeed


async def login(checker, username, password):
    return await checker.requestAvatarId(UsernamePassword(username, password))


async def is_refused(checker, username, password):
    with pytest.raises(UnauthorizedLogin):
        await login(checker, username, password)
    return True


async def test_hashed_passwords_in_memory(cheap):
    """Who is there is let in by their own password, until they are taken out."""
    checker = InMemoryPasswords({"ada": cheap("lovelace")})
    checker.setStored("grace", cheap("hopper"))
    assert await login(checker, b"ada", b"lovelace") == "ada"
    assert await is_refused(checker, "ada", "hopper")
    assert await is_refused(checker, "Ada", "lovelace")
    assert await is_refused(checker, "bob", "lovelace")
    checker.removeUser("ada")
    assert await is_refused(checker, "ada", "lovelace")
    assert await login(checker, "grace", "hopper") == "grace"
    with pytest.raises(KeyError):
        checker.removeUser("ada")


def test_passwords_in_plain_text_are_refused_where_hashes_are_due():
    """When the checker is made, with the name and without the password."""
    with pytest.raises(ValueError, match="'ada'") as told:
        InMemoryPasswords({"ada": "lovelace"})
    assert "lovelace" not in str(told.value)


async def test_an_empty_password_is_nobodys():
    """Though it be the one that was given."""
    checker = InMemoryUsernamePasswordDatabaseDontUse(ada="", grace="hopper")
    assert await is_refused(checker, "ada", "")
    assert await is_refused(checker, "nobody", "nobody's")
    assert await login(checker, "grace", "hopper") == "grace"


async def test_an_outdated_hash_is_written_anew_at_login(cheap):
    """Once, by a function or a coroutine, before the login is done; no other login does so."""
    told = []

    async def upgrade(username, outdated, stored):
        await asyncio.sleep(0)
        checker.setStored(username, stored)
        told.append((username, outdated, stored))

    checker = InMemoryPasswords({"ada": cheap("lovelace")}, upgrade)
    assert await is_refused(checker, "ada", "guess")
    assert told == []
    for _ in range(2):
        assert await login(checker, "ada", "lovelace") == "ada"
    [(username, outdated, stored)] = told
    assert (username, outdated) == ("ada", cheap("lovelace"))
    assert verifyPassword(stored, "lovelace") == (True, False)


@pytest.mark.parametrize("error", [OSError("full"), UnauthorizedLogin("no")])
async def test_a_login_does_not_fail_with_what_it_writes(cheap, flushLoggedErrors, error):
    """The error is logged."""

    def upgrade(username, outdated, stored):
        raise error

    checker = InMemoryPasswords({"ada": cheap("lovelace")}, upgrade)
    assert await login(checker, "ada", "lovelace") == "ada"
    assert flushLoggedErrors() == [error]


@pytest.mark.parametrize("kind", ["now", "a Deferred", "a coroutine"])
async def test_a_program_may_look_wherever_it_likes(cheap, kind):
    """In a class of its own, now or later; the avatar id is what it says."""
    accounts = {"ada": Account(1815, cheap("lovelace"))}

    async def later(username):
        await asyncio.sleep(0)
        return accounts.get(username)

    class Mine(PasswordChecker):
        def accountOf(self, username):
            if kind == "a coroutine":
                return later(username)
            return (succeed if kind == "a Deferred" else lambda x: x)(accounts.get(username))

    assert await login(Mine(), "ada", "lovelace") == 1815
    assert await is_refused(Mine(), "bob", "lovelace")


# A real database.


@pytest.fixture
def database(tmp_path, cheap):
    """The path of a database with users, of whom one alone can log in."""
    path = tmp_path / "users.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (id INTEGER, name TEXT COLLATE NOCASE, password TEXT)")
    rows = [
        (1815, "ada", cheap("lovelace")), (1906, "grace", None), (1912, "alan", ""),
        (1903, "john", "$y$j9T$"),
    ]  # fmt: skip
    connection.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


def users_of(path, query="SELECT password FROM users WHERE name = ?", **more):
    return DatabaseChecker(partial(sqlite3.connect, path), query, **more)


async def test_a_query_finds_who_is_in_the_database(database):
    """By name; who is not there, or has no password, is not let in."""
    users = users_of(database)
    assert await login(users, "ada", "lovelace") == "ada"
    for username, password in [
        ("ada", "hopper"), ("bob", "lovelace"), ("grace", ""), ("grace", "None"),
        ("alan", ""), ("alan", "lovelace"),
        ("ada' OR '1'='1", "lovelace"), ("\ud800", "lovelace"), ("ada\0", "lovelace"), ("", ""),
    ]:  # fmt: skip
        assert await is_refused(users, username, password)


@pytest.mark.weblayer(mayLeave=["error"])
async def test_a_hash_that_cannot_be_read_is_told_to_the_log_alone(database, caplog):
    """A stranger must not hear that there is such a user; and nobody else is in the way of it."""
    users = users_of(database)
    assert await login(users, "ada", "lovelace") == "ada"
    for password in ("lovelace", "$y$j9T$"):
        assert await is_refused(users, "john", password)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
    assert "'john' cannot log in" in caplog.text
    assert "j9T" not in caplog.text
    assert await is_refused(users, "eve", "lovelace")


async def test_a_query_may_give_an_avatar_id(database):
    """Where the database takes two spellings for one, they are one user."""
    users = users_of(database, "SELECT password, id FROM users WHERE name = ?")
    assert await login(users, "ada", "lovelace") == await login(users, "ADA", "lovelace") == 1815


async def test_an_error_of_the_database_is_no_refusal(database):
    """It is for the log; and so is a query that finds more than one."""
    with pytest.raises(sqlite3.OperationalError):
        await login(users_of(database, "SELECT secret FROM users WHERE name = ?"), "ada", "x")
    with pytest.raises(ValueError, match="two rows for 'ada'"):
        await login(
            users_of(database, "SELECT password FROM users WHERE name <> ?||'x'"), "ada", "x"
        )


async def test_a_new_hash_can_be_stored_in_the_database(database):
    """By a function of the program."""

    def upgrade(username, outdated, stored):
        change = "UPDATE users SET password = ? WHERE name = ? AND password = ?"
        with sqlite3.connect(database) as connection:
            connection.execute(change, (stored, username, outdated))
        connection.close()

    assert await login(users_of(database, upgrade=upgrade), "ada", "lovelace") == "ada"
    connection = sqlite3.connect(database)
    [(stored,)] = connection.execute("SELECT password FROM users WHERE name = 'ada'")
    connection.close()
    assert verifyPassword(stored, "lovelace") == (True, False)


async def test_a_login_can_be_given_up(cheap):
    """While the look-up is under way it is cancelled with it."""
    looking = Deferred()

    class Slow(PasswordChecker):
        def accountOf(self, username):
            return looking

    login = Slow().requestAvatarId(UsernamePassword("ada", "lovelace"))
    login.cancel()
    for each in (login, looking):
        with pytest.raises(asyncio.CancelledError):
            await each
