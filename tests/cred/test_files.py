"""Files of passwords: those that Apache's programs make, and those of a program's own."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weblayer.cred.checkers import FilePasswordDB, HtdigestFile, HtpasswdFile
from weblayer.cred.credentials import DigestedCredentials, UsernamePassword
from weblayer.cred.digest import calcHA1, calcHA2, calcResponse, hashUsername
from weblayer.cred.error import BadPasswordFile, CredError, MissingLibrary, UnauthorizedLogin
from weblayer.cred.htpasswd import setHtpasswd
from weblayer.cred.passwords import verifyPassword

needs_htpasswd = pytest.mark.skipif(not shutil.which("htpasswd"), reason="needs apache2-utils")

SHA = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="  # of myPassword
BCRYPT = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"  # the same


def run(*command, typed=b""):
    subprocess.run(command, input=typed, check=True, capture_output=True)


async def login(checker, username, password):
    return await checker.requestAvatarId(UsernamePassword(username, password))


async def is_refused(checker, credentials):
    with pytest.raises(UnauthorizedLogin):
        await checker.requestAvatarId(credentials)
    return True


@pytest.fixture
def file(tmp_path):
    """A function that writes lines into a file, always the same one."""

    def write(*lines):
        path = tmp_path / "users"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


@needs_htpasswd
@pytest.mark.parametrize("option", ["-m", "-s", "-2", "-5", "-B"])
async def test_files_of_htpasswd_are_read(tmp_path, option):
    """In each way that it hashes and that is worth it."""
    if option == "-B":
        pytest.importorskip("bcrypt")
    path = tmp_path / "users"
    for create, name, password in [("-c", "ada", "sésame ouvre-toi"), ("", "bob", "x" * 60)]:
        run("htpasswd", f"-b{create[1:]}", option, path, name, password)
    users = HtpasswdFile(path)
    assert await login(users, "ada", "sésame ouvre-toi") == "ada"
    assert await login(users, "bob", "x" * 60) == "bob"
    for name, password in [("ada", "sesame"), ("bob", "x" * 59), ("eve", "sésame ouvre-toi")]:
        assert await is_refused(users, UsernamePassword(name, password))


@needs_htpasswd
@pytest.mark.parametrize("option", ["-d", "-p"])
def test_what_is_not_safe_is_refused_at_start(tmp_path, option):
    """DES and plain text: with file, line and user, and what to do, and without the password."""
    path = tmp_path / "users"
    run("htpasswd", "-bc", option, path, "ada", "lovelace")
    with pytest.raises(BadPasswordFile, match=r"users, line 1: 'ada': .*htpasswd -B") as told:
        HtpasswdFile(path)
    assert "lovelace" not in str(told.value)
    assert (told.value.path, told.value.line) == (str(path), 1)


def test_a_library_that_is_missing_is_named_at_start(file, monkeypatch):
    """With the line that needs it."""
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(MissingLibrary, match=r"line 2: .*pip install weblayer\[bcrypt\]"):
        HtpasswdFile(file(f"ada:{SHA}", f"bob:{BCRYPT}"))


async def test_what_is_no_account_is_left_out(file):
    """Comments, empty lines, remarks, a Windows editor's marks; the first of two counts."""
    users = HtpasswdFile(
        file("\ufeff# a comment", "", "  ", f"ada:{SHA}:a remark\r", "ada:{PLAIN}other",
             "bob:{PLAIN}a:b")
    )  # fmt: skip
    assert await login(users, "ada", "myPassword") == "ada"
    assert await login(users, "bob", "a:b") == "bob"
    assert await is_refused(users, UsernamePassword("bob", "a"))
    assert await is_refused(users, UsernamePassword("# a comment", ""))


@pytest.mark.parametrize("line", ["ada", ":x", "ada:", "ada:secret", "ada:!" + SHA])
def test_a_line_that_says_nothing_is_told_of(file, line):
    """At start, with its number."""
    with pytest.raises(BadPasswordFile, match="line 2"):
        HtpasswdFile(file(f"bob:{SHA}", line))


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    """At start."""
    for kind in (HtpasswdFile, HtdigestFile, FilePasswordDB):
        with pytest.raises(FileNotFoundError):
            kind(tmp_path / "users")


@pytest.mark.parametrize("kind", [HtpasswdFile, FilePasswordDB])
async def test_a_file_is_read_again_when_it_has_changed(file, kind):
    """Though it has the size and the time that it had."""
    path = file("ada:{PLAIN}one")
    users = kind(path)
    before = path.stat()
    assert await login(users, "ada", "one") == "ada"
    file("ada:{PLAIN}two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await login(users, "ada", "two") == "ada"
    assert await is_refused(users, UsernamePassword("ada", "one"))


async def test_a_file_that_has_been_spoilt_lets_nobody_in(file):
    """Who was taken out by the same edit must stay out. Mended, it is read again."""
    users = HtpasswdFile(file(f"ada:{SHA}"))
    for spoilt in (lambda: file(f"ada:{SHA}", "spoilt"), lambda: os.unlink(users.path)):
        spoilt()
        for _ in range(2):
            with pytest.raises((BadPasswordFile, FileNotFoundError)):
                await login(users, "ada", "myPassword")
        file(f"ada:{SHA}")
        assert await login(users, "ada", "myPassword") == "ada"


async def test_outdated_hashes_are_written_anew_into_the_file(file):
    """In their place; the rest of the file, and its mode, stay."""
    path = file("# ours", f"ada:{SHA}:first", f"bob:{SHA}")
    path.chmod(0o640)
    users = HtpasswdFile(path)
    users.upgrade = users.replaceStored
    assert await login(users, "ada", "myPassword") == "ada"
    comment, ada, bob = path.read_text().splitlines()
    assert (comment, bob) == ("# ours", f"bob:{SHA}")
    assert verifyPassword(ada.removeprefix("ada:"), "myPassword") == (True, False)
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["users"]
    assert await login(users, "ada", "myPassword") == "ada"


async def test_a_password_that_was_changed_meanwhile_is_not_written_over(file):
    """What a login would write anew is not there any more."""
    path = file(f"ada:{SHA}", "bob:{PLAIN}changed")
    await HtpasswdFile(path).replaceStored("bob", "{PLAIN}before", SHA)
    await HtpasswdFile(path).replaceStored("eve", SHA, SHA)
    assert path.read_text() == f"ada:{SHA}\nbob:{{PLAIN}}changed\n"


def test_a_user_is_written_into_a_file(tmp_path):
    """At its end, or into a new one, which is its owner's alone; a link stays a link."""
    path = tmp_path / "users"
    setHtpasswd(path, "ada", SHA)
    assert path.read_text() == f"ada:{SHA}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(f"adam:{SHA}")
    link = tmp_path / "link"
    link.symlink_to(path)
    setHtpasswd(link, "ada", "{PLAIN}x")
    assert path.read_text() == f"adam:{SHA}\nada:{{PLAIN}}x\n"
    assert link.is_symlink()


@pytest.mark.parametrize("username", ["", "#ada", "ada:b", "ada\nbob", "ada\r"])
def test_a_name_that_a_file_cannot_hold_is_told_of(tmp_path, username):
    """Nothing is written."""
    with pytest.raises(ValueError, match="username"):
        setHtpasswd(tmp_path / "users", username, SHA)
    with pytest.raises(ValueError, match="stored"):
        setHtpasswd(tmp_path / "users", "ada", "secret")
    assert not os.listdir(tmp_path)


names = st.text(st.characters(codec="utf-8", exclude_characters=":\n\r"), min_size=1).filter(
    lambda name: not name.startswith("#")
)


@given(users=st.lists(st.tuples(names, names), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_who_is_written_is_read(tmp_path, users):
    """Any names, in any order, each with what was written last."""
    path = tmp_path / "users"
    path.write_bytes(b"")
    for name, password in users:
        setHtpasswd(path, name, "{PLAIN}" + password)
    read = HtpasswdFile(path)
    for name, password in dict(users).items():
        assert read.accountOf(name) == (name, "{PLAIN}" + password)
    assert read.accountOf("somebody else: no name") is None


@given(data=st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("kind", [HtpasswdFile, HtdigestFile, FilePasswordDB])
def test_no_file_is_a_surprise(tmp_path, kind, data):
    """It is read, or told of with file and line."""
    path = tmp_path / "users"
    path.write_bytes(data)
    try:
        kind(path)
    except CredError as error:
        assert str(path) in str(error)


# Files of htdigest.


def digested(password, username="ada", algorithm="MD5", userhash=False):
    credentials = DigestedCredentials(
        username=username, realm="our site", method="GET", uri="/", nonce="n", response="",
        algorithm=algorithm, qop="auth", cnonce="c", nc="00000001",
    )  # fmt: skip
    ha1 = calcHA1(algorithm, username, "our site", password)
    ha2 = calcHA2(algorithm, "GET", "/", "auth")
    response = calcResponse(algorithm, ha1, ha2, "n", "auth", "00000001", "c")
    if userhash:
        username = hashUsername(algorithm, username, "our site")
    return replace(credentials, response=response, username=username, userhash=userhash)


@pytest.mark.skipif(not shutil.which("htdigest"), reason="needs apache2-utils")
async def test_files_of_htdigest_are_read(tmp_path):
    """Each realm has its own users, and its own secrets."""
    path = tmp_path / "users"
    for create, realm, name in [(["-c"], "our site", "ada"), ([], "another", "bob")]:
        run("htdigest", *create, path, realm, name, typed=b"secret\nsecret\n")
    users = HtdigestFile(path)
    for userhash in (False, True):
        assert await users.requestAvatarId(digested("secret", userhash=userhash)) == "ada"
        assert await is_refused(users, digested("guess", userhash=userhash))
        assert await is_refused(users, digested("secret", "bob", userhash=userhash))
    assert await is_refused(users, digested("secret", algorithm="SHA-256"))


async def test_a_file_may_have_secrets_of_several_algorithms(file):
    """A line for each; Apache's program makes those of MD5."""
    secrets = [calcHA1(each, "ada", "our site", "secret") for each in ("MD5", "SHA-256")]
    users = HtdigestFile(file(*(f"ada:our site:{each}" for each in secrets)))
    for algorithm in ("MD5", "MD5-sess", "SHA-256", "SHA-256-sess"):
        assert await users.requestAvatarId(digested("secret", algorithm=algorithm)) == "ada"
    with pytest.raises(BadPasswordFile, match="line 1"):
        HtdigestFile(file("ada:our site:secret"))


# Files of a program's own.


async def test_fields_are_where_one_says(file):
    """Counted from nought, with any mark between them."""
    path = file("1815;x;lovelace;ada", "# 1906;y;hopper;grace")
    users = FilePasswordDB(path, b";", 3, 2)
    assert await login(users, "ada", "lovelace") == "ada"
    assert await is_refused(users, UsernamePassword("grace", "hopper"))
    with pytest.raises(BadPasswordFile, match="field 4"):
        FilePasswordDB(path, ";", 3, 4)


async def test_names_in_any_case(file):
    """Where that is wished, and the avatar id is as the file has it."""
    path = file("Ada:lovelace")
    assert await is_refused(FilePasswordDB(path), UsernamePassword("ada", "lovelace"))
    assert await login(FilePasswordDB(path, caseSensitive=False), "aDA", "lovelace") == "Ada"


async def test_passwords_may_be_hashed_or_not(file, caplog):
    """Those in plain text are warned of, once; they alone can check a digest."""
    users = FilePasswordDB(file("ada:secret", f"bob:{SHA}"))
    assert await login(users, "ada", "secret") == "ada"
    assert await login(users, "bob", "myPassword") == "bob"
    assert await is_refused(users, UsernamePassword("bob", SHA))
    assert await users.requestAvatarId(digested("secret")) == "ada"
    assert await users.requestAvatarId(digested("secret", userhash=True)) == "ada"
    for credentials in (
        digested("guess"), digested("myPassword", "bob"), digested(SHA, "bob"),
        digested("nobody's", "bob"), digested("nobody's", "eve"),
    ):  # fmt: skip
        assert await is_refused(users, credentials)
    [record] = caplog.records
    assert "1 passwords in plain text" in record.message and "secret" not in record.message
    caplog.clear()
    FilePasswordDB(file(f"bob:{SHA}"))
    assert not caplog.records


def test_a_hash_that_is_not_known_is_not_taken_for_a_password(file):
    """It would be the password then. The user is named."""
    with pytest.raises(BadPasswordFile, match=r"line 1: 'ada'"):
        FilePasswordDB(
            file("ada:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd")
        )


@pytest.mark.parametrize("stored", ["x", "*", "!", "!!", "", f"!{BCRYPT}"])
async def test_accounts_that_are_locked_let_nobody_in(file, stored):
    """As in passwd and shadow files: not by a password that looks the same either."""
    users = FilePasswordDB(file(f"ada:{stored}:0:0", "bob:pass:0:0"))
    assert await is_refused(users, UsernamePassword("ada", stored))
    assert await is_refused(users, digested(stored))
    assert await login(users, "bob", "pass") == "bob"


async def test_a_hash_of_ones_own(file):
    """It is called in a thread, for a stranger too, and digests cannot be checked."""
    told = []

    def shout(username, password, stored):
        told.append((username, password, stored))
        return password.upper().encode()

    users = FilePasswordDB(file("ada:SECRET", "bob:$y$"), hash=shout)
    assert await login(users, "ada", "secret") == "ada"
    assert await is_refused(users, UsernamePassword("ada", "secrets"))
    assert await is_refused(users, UsernamePassword("eve", "secret"))
    assert [username for username, _, _ in told] == ["ada", "ada", "eve"]
    assert told[0][1:] == ("secret", "SECRET")
    assert len(users.credentialInterfaces) == 1
