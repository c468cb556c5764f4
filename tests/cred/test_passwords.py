"""Stored passwords: what is made, what of others is read, and what is never believed."""

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.certificates import needs_openssl
from weblayer.cred.error import CredError, LoginBusy, MissingLibrary, UnknownScheme
from weblayer.cred.passwords import Passwords, Verdict, hashPassword, verifyPassword
from weblayer.cred.turns import Turns
from weblayer.loop.testing import failureResultOf, successResultOf

RIGHT, WRONG = Verdict(True, False), Verdict(False, False)
OLD = Verdict(True, True)

# Stored passwords that others have published, each with its password.
PUBLISHED = {
    # RFC 7914, 12: the second vector, written as PHC strings are.
    "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDa"
    "xyevuUqD7m2DYMvfoswGQA": "password",
    # As libxcrypt makes them, the last with other rounds than are usual.
    "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5": "Hello world!",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS"
    "35inz1": "Hello world!",
    "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA": "Hello world!",
    # Apache's documentation of password formats.
    "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/": "myPassword",
    "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=": "myPassword",
}
BCRYPT = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"  # from there, too

passwords = st.text(st.characters(codec=None), min_size=1, max_size=40)


@pytest.mark.parametrize(("stored", "password"), PUBLISHED.items(), ids=range(len(PUBLISHED)))
def test_what_others_have_published_is_read(stored, password):
    """The password is right, and no other is."""
    assert verifyPassword(stored, password).matches
    assert verifyPassword(stored, password.encode()).matches
    assert verifyPassword(stored, password + "!") == verifyPassword(stored, "") == WRONG


def test_bcrypt_is_read_where_its_library_is():
    """It hashes 72 bytes and takes no notice of more; what htpasswd makes is too cheap by now."""
    bcrypt = pytest.importorskip("bcrypt")
    assert verifyPassword(BCRYPT, "myPassword") == OLD
    assert verifyPassword(BCRYPT, "myPasswore") == verifyPassword(BCRYPT, "my\0") == WRONG
    long = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(10)).decode()
    assert verifyPassword(long, "x" * 80) == RIGHT
    assert verifyPassword(long, "x" * 71) == WRONG


def test_bcrypt_is_made_where_its_library_is():
    """By the name that Apache and nginx know, and of no more than it can hash."""
    pytest.importorskip("bcrypt")
    stored = hashPassword("sésame", "bcrypt")
    assert stored.startswith("$2y$12$")
    assert verifyPassword(stored, "sésame") == RIGHT
    with pytest.raises(ValueError, match="72 bytes"):
        hashPassword("é" * 37, "bcrypt")


def test_argon2_is_made_and_read_where_its_library_is():
    """With parameters of ours; those of others may be outdated."""
    pytest.importorskip("argon2")
    stored = hashPassword("sésame", "argon2")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and len(stored) == 97
    assert verifyPassword(stored, "sésame".encode()) == RIGHT
    assert verifyPassword(stored, "sesame") == WRONG
    cheap = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43
    assert verifyPassword(cheap, "sesame") == WRONG


@pytest.mark.parametrize(
    ("library", "stored"),
    [("bcrypt", BCRYPT), ("argon2", f"$argon2id$v=19$m=8,t=1,p=1${'A' * 11}${'A' * 43}")],
)
def test_a_library_that_is_missing_is_named(monkeypatch, library, stored):
    """With what to install; it is no matter of the password."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary, match=rf"pip install weblayer\[{library}\]"):
        verifyPassword(stored, "secret")
    with pytest.raises(MissingLibrary, match=library):
        hashPassword("secret", library)
    with pytest.raises(MissingLibrary, match=library):
        Passwords(library)


def test_a_password_is_stored_salted_and_matches_itself():
    """In a form that says how it was made; never twice the same."""
    stored = hashPassword("sésame")
    assert stored.startswith("$scrypt$ln=14,r=8,p=5$") and len(stored) == 88
    assert hashPassword("sésame") != stored
    assert verifyPassword(stored, "sésame") == RIGHT
    assert verifyPassword(stored, "sésamE") == WRONG


@pytest.mark.parametrize("scheme", ["argon2", "bcrypt"])
async def test_a_chosen_scheme_is_used(scheme):
    """For new hashes, and for who is not there."""
    pytest.importorskip(scheme)
    passwords = Passwords(scheme, turns=(turns := Counted()))
    assert await passwords.verify(await passwords.hash("secret"), "secret") == RIGHT
    assert await Passwords(scheme, turns).verify(None, "secret") == WRONG
    assert turns.count == 3


@pytest.mark.parametrize("password", ["", "x" * 4097, "é" * 2049])
def test_no_password_is_empty_or_endless(cheap, password):
    """Such is not stored, and what is stored matches none."""
    with pytest.raises(ValueError, match="password must have"):
        hashPassword(password)
    assert verifyPassword(cheap(password), password) == WRONG


def test_the_way_to_store_must_be_known():
    """A ValueError that names the parameter, and those there are."""
    with pytest.raises(ValueError, match="scheme must be one of scrypt, argon2, bcrypt"):
        hashPassword("secret", "md5")
    with pytest.raises(ValueError, match="scheme"):
        Passwords("md5")


def test_what_was_made_with_less_is_outdated(cheap):
    """It should be replaced, when the password is right."""
    assert verifyPassword(cheap("secret"), "secret") == OLD
    assert verifyPassword(cheap("secret"), "Secret") == WRONG
    assert verifyPassword("{PLAIN}a:b", "a:b") == OLD
    assert verifyPassword("{PLAIN}a:b", "a") == WRONG


@given(password=passwords, other=passwords)
@example("\ud800", "?")
def test_only_the_password_itself_matches(password, other):
    """Whatever its characters: also those that are none."""
    plain = "{PLAIN}secret"
    assert not verifyPassword(plain, password).matches or password == "secret"
    assume(all(not 0xD800 <= ord(c) < 0xE000 for c in password))
    assert verifyPassword("{PLAIN}" + password, password).matches
    assert verifyPassword("{PLAIN}" + password, other).matches == (password == other)


salts = st.text("./0123456789abcXYZ", min_size=1, max_size=8)
typed = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=70)


@needs_openssl
@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(["1", "apr1", "5", "6"]), salt=salts, password=typed)
def test_crypt_is_as_openssl_makes_it(kind, salt, password):
    """MD5's, Apache's and SHA-2's, for passwords of any length."""
    assume(password)
    command = ["openssl", "passwd", f"-{kind}", "-salt", salt, "-stdin"]
    made = subprocess.run(command, input=password.encode(), capture_output=True, check=True)
    stored = made.stdout.decode().strip()
    assert verifyPassword(stored, password) == OLD
    assert verifyPassword(stored, password + "!") == WRONG


NOT_KNOWN = [
    "", "secret", "tSG4E75f8bKt2", "$y$j9T$salt$hash", "$2x$05$" + "." * 53, "{MD5}abc", "{PLAIN}",
    "$scrypt$ln=14,r=8,p=5$c2FsdA$", "$scrypt$ln=14,r=8,p=5$c2FsdA$" + "A" * 21,
    "$scrypt$ln=30,r=8,p=1$c2FsdA$" + "A" * 43, "$scrypt$ln=4,r=0,p=1$c2FsdA$" + "A" * 43,
    "$scrypt$ln=0,r=1,p=1$c2FsdA$" + "A" * 43, "$scrypt$ln=4,r=1,p=1$c2FsdA$" + "A" * 41,
    "$apr1$salt$", "{SHA}" + "A" * 26 + "==", "{SSHA}" + "A" * 29,
]  # fmt: skip


@pytest.mark.parametrize("stored", NOT_KNOWN, ids=range(len(NOT_KNOWN)))
def test_what_cannot_be_read_matches_nothing(stored):
    """Not even itself. The error does not show it: it may be a password in plain text."""
    with pytest.raises(UnknownScheme) as told:
        verifyPassword(stored, stored or "x")
    assert len(stored) < 5 or stored not in str(told.value)


@given(
    stored=st.from_regex(
        r"(\$scrypt\$ln=\d,r=\d,p=\d\$|\$[56]\$|\$apr1\$|\{S?SHA\}|\$)[A-Za-z0-9+/.$=]{0,90}",
        fullmatch=True,
    ),
    password=passwords,
)
@settings(deadline=None)
def test_nothing_stored_is_a_surprise(stored, password):
    """It is read, or it is told of; a password of nobody is never right."""
    with suppress(CredError):
        assert verifyPassword(stored, password) == WRONG


class Counted(Turns):
    """Counts the calls that were worth a thread."""

    count = 0

    def call(self, work):
        self.count += 1
        return super().call(work)


async def test_checking_is_done_in_a_thread(cheap):
    """The loop is not held up, and hears of the result."""
    passwords = Passwords(turns=(turns := Counted()))
    assert await passwords.verify(cheap("secret"), "secret") == OLD
    assert await passwords.verify(cheap("secret"), "guess") == WRONG
    assert turns.count == 2


async def test_what_has_matched_is_remembered(cheap):
    """So that a request with a password costs no hash each; what has not is never."""
    passwords = Passwords(turns=(turns := Counted()))
    ada, bob = cheap("secret"), cheap("other")
    for stored, password, verdict, count in [
        (ada, "secret", OLD, 1),
        (ada, "secret", RIGHT, 1),
        (ada, "other", WRONG, 2),
        (ada, "other", WRONG, 3),
        (bob, "secret", WRONG, 4),
        (ada, "secret", RIGHT, 4),
    ]:
        assert await passwords.verify(stored, password) == verdict
        assert turns.count == count


async def test_only_so_many_are_remembered(cheap):
    """Those that were used last."""
    passwords = Passwords(turns=(turns := Counted()))
    stored = [cheap(str(i)) for i in range(1025)]
    for i in [*range(1024), 0, 1024]:
        await passwords.verify(stored[i], str(i))
    count = turns.count
    assert await passwords.verify(stored[0], "0") == RIGHT
    assert turns.count == count
    assert await passwords.verify(stored[1], "1") == OLD


async def test_a_user_who_is_not_there_costs_as_much(cheap):
    """A hash is made for each, and of the kind of those who are; it is never remembered."""
    passwords = Passwords(turns=(turns := Counted()))
    assert await passwords.verify(None, "secret") == WRONG
    assert turns.count == 1
    await passwords.verify(cheap("secret"), "secret")
    for count in (3, 4):
        assert await passwords.verify(None, "secret") == WRONG
        assert turns.count == count


def test_what_is_quick_needs_no_thread_and_no_loop():
    """As in a test, or where an old file has SHA-1."""
    passwords = Passwords()
    stored = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="
    assert successResultOf(passwords.verify(stored, "myPassword")) == OLD
    assert successResultOf(passwords.verify(stored, "guess")) == WRONG
    assert successResultOf(passwords.verify(None, "myPassword")) == WRONG
    failureResultOf(passwords.verify("secret", "secret"), UnknownScheme)


async def test_hashing_is_done_in_a_thread():
    """With what was chosen for new ones."""
    passwords = Passwords(turns=(turns := Counted()))
    assert verifyPassword(await passwords.hash("secret"), "secret") == RIGHT
    assert turns.count == 1


class Held:
    """Work that says when it has begun, and ends when it is let go."""

    def __init__(self):
        self.begun, self.go_on, self.count = threading.Semaphore(0), threading.Event(), 0

    def __call__(self):
        self.count += 1
        self.begun.release()
        assert self.go_on.wait(20)
        return self.count

    async def wait(self):
        assert await asyncio.to_thread(self.begun.acquire, timeout=20)


async def test_so_many_at_once_and_so_many_that_wait():
    """The rest is told to come later, and may."""
    held, turns = Held(), Turns(atOnce=2, maxWaiting=1)
    working = [turns.call(held) for _ in range(3)]
    await held.wait()
    await held.wait()
    failureResultOf(turns.call(held), LoginBusy)
    assert held.count == 2
    held.go_on.set()
    for each in working:
        await each
    assert await turns.call(held) == 4


async def test_who_leaves_makes_no_room_for_one_more():
    """Work that has begun keeps its turn to its end; what has not is never begun."""
    held, turns, later = Held(), Turns(atOnce=1), []
    first, second = turns.call(held), turns.call(lambda: later.append("second"))
    await held.wait()
    first.cancel()
    third = turns.call(lambda: later.append("third"))
    second.cancel()
    for each in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await each
    assert later == []
    held.go_on.set()
    await third
    assert later == ["third"]


async def test_a_turn_comes_back_from_an_error():
    """Who waits is told of it, and the next has its turn."""
    turns = Turns(atOnce=1)
    with pytest.raises(ZeroDivisionError):
        await turns.call(lambda: 1 / 0)
    assert await turns.call(lambda: "next") == "next"
