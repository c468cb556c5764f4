"""Users in a database, any that has a DB-API module."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from weblayer.cred.checking import Account, PasswordChecker, Upgrade
from weblayer.cred.passwords import Passwords
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.threads import deferToThread

__all__ = ["DatabaseChecker"]

# Any, in this module: DB-API 2.0 (PEP 249) is words, and no types come with it.


class DatabaseChecker(PasswordChecker):
    """The users that *query* finds; *connect* gives a connection of the DB-API, in a thread.

    *query* has one place for the user name, as the database's module writes it, and gives the
    stored password, and an avatar id behind it if you like: `SELECT password, id FROM users WHERE
    name = ?`. Without one the avatar id is the name as it was typed; where the database does not
    tell `ada` from `Ada`, have it give one. The stored password may be in any way that
    verifyPassword reads; NULL is for a user who has none.
    Each login has a connection of its own, since those of some databases belong to one thread, and
    hashing takes longer. A login fails with the errors of the database, and with ValueError when
    there are two rows.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        query: str,
        upgrade: Upgrade | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(upgrade, passwords)
        self.connect, self.query = connect, query

    def accountOf(self, username: str) -> Deferred[Account | None]:
        """The account that the database has now, looked up in a thread."""
        return deferToThread(self._look_up, username) if _is_a_name(username) else succeed(None)

    def _look_up(self, username: str) -> Account | None:
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(self.query, (username,))
            rows = cursor.fetchmany(2)
        if len(rows) > 1:
            raise ValueError(f"query gave two rows for {username!r}: {self.query!r}")
        if not rows or not rows[0][0]:
            return None
        stored, *ids = rows[0]
        return Account(ids[0] if ids else username, str(stored))


def _is_a_name(username: str) -> bool:
    """Whether a database can be asked for it: they take no NUL, and no half of a character."""
    try:
        return b"\0" not in username.encode()
    except UnicodeEncodeError:
        return False
