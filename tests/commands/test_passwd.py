"""`weblayer passwd`: a file of users, which our own checkers and other servers read."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.web.logins import basic
from weblayer.commands.main import main
from weblayer.cred.checkers import HtpasswdFile
from weblayer.cred.passwords import verifyPassword

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
LIMIT = 10  # seconds after which nginx is taken to hang

# A socket in a folder: there is no port to be found free.
CONFIG = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log /dev/null crit;
events {{ worker_connections 100; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen unix:{folder}/front;
        root {folder}; auth_basic home; auth_basic_user_file {folder}/users;
    }}
}}
"""


def run(*arguments, typed=""):
    return CliRunner().invoke(main, ["passwd", *map(str, arguments)], input=typed)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "users"


def stored(file, user):
    """What the file has for *user*."""
    account = HtpasswdFile(file).accountOf(user)
    return account and account.stored


def test_a_password_is_asked_for_twice_and_stored_hashed(file):
    """In a file for its owner alone, and it is shown nowhere."""
    result = run(file, "ada", typed="lovelace\nlovelace\n")
    assert (result.exit_code, result.stdout) == (0, f"ada is in {file} now.\n")
    assert "lovelace" not in result.output + file.read_text()
    assert verifyPassword(stored(file, "ada"), "lovelace").matches
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_password_is_changed_and_others_stay(file):
    """The file keeps its mode, its remarks and its order."""
    file.write_text("# ours\nbob:{PLAIN}x\nada:{PLAIN}old\neve:{PLAIN}y\n")
    file.chmod(0o640)
    result = run(file, "ada", "--stdin", typed="new\r\n")
    assert result.output == f"ada has a new password in {file}.\n"
    assert verifyPassword(stored(file, "ada"), "new").matches
    lines = file.read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["# ours", "bob", "ada", "eve"]
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_is_typed_differently_is_asked_for_again(file):
    """Twice the same is what counts."""
    result = run(file, "ada", typed="a\nb\nc\nc\n")
    assert result.exit_code == 0
    assert verifyPassword(stored(file, "ada"), "c").matches


def test_a_user_is_taken_out(file):
    """One who is not there is told."""
    file.write_text("adam:{PLAIN}x\nada:{PLAIN}y\n")
    assert run("-D", file, "ada").output == f"ada is not in {file} any more.\n"
    assert file.read_text() == "adam:{PLAIN}x\n"
    result = run(file, "ada", "--delete")
    assert (result.exit_code, result.stderr) == (1, f"Error: ada is not in {file}.\n")
    assert run(file, "adam", "-D").exit_code == 0
    assert file.read_text() == ""


@pytest.mark.parametrize("scheme", ["argon2", "bcrypt"])
def test_a_scheme_may_be_chosen(file, scheme):
    """Where its library is installed."""
    pytest.importorskip(scheme)
    assert run(file, "ada", "--stdin", "--scheme", scheme, typed="x\n").exit_code == 0
    assert verifyPassword(stored(file, "ada"), "x").matches


@pytest.mark.parametrize("user", ["a:b", "#a", "", "a\nb"])
@pytest.mark.parametrize("options", [["--stdin"], ["-D"]])
def test_a_name_that_the_file_cannot_hold_is_told(file, user, options):
    """It would be another line, or another name."""
    result = run(file, user, *options, typed="x\n")
    assert result.exit_code == 1
    assert "username" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize("typed", ["", "\n"])
def test_no_password_is_none(file, typed):
    """Anybody would have it."""
    result = run(file, "ada", "--stdin", typed=typed)
    assert result.exit_code == 1
    assert "1 to 4096 bytes" in result.stderr
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_told(tmp_path, unprivileged):
    """In one line, with its name."""
    away = tmp_path / "not" / "here"
    assert f"cannot write '{away}': No such file" in run(away, "a", "--stdin", typed="x\n").stderr
    tmp_path.chmod(0o555)
    with unprivileged:
        result = run(tmp_path / "users", "ada", "--stdin", typed="x\n")
    tmp_path.chmod(0o755)
    assert (result.exit_code, "Permission denied" in result.stderr) == (1, True)


def test_a_server_that_runs_sees_the_change(file):
    """It reads the file again."""
    run(file, "bob", "--stdin", typed="builder\n")
    users = HtpasswdFile(file)
    run(file, "ada", "--stdin", typed="lovelace\n")
    assert verifyPassword(users.accountOf("ada").stored, "lovelace").matches


@pytest.fixture
def folder():
    """One that nginx may write into, with a name short enough for a socket."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_reads_the_file(folder):
    """In the scheme that it knows."""
    pytest.importorskip("bcrypt")
    users = folder / "users"
    run(users, "ada", "--stdin", "--scheme", "bcrypt", typed="lovelace\n")
    users.chmod(0o644)
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder))
    command = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", "/dev/null"]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL) as nginx:
        try:
            assert code_from_nginx(folder, basic("ada", "lovelace")) == 200
            assert code_from_nginx(folder, basic("ada", "x")) == 401
        finally:
            nginx.terminate()


def code_from_nginx(folder, fields):
    """What it tells who asks for the file of users itself, once it listens."""
    said = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with socket.socket(socket.AF_UNIX) as client:
        for _ in range(LIMIT * 100):
            try:
                client.connect(f"{folder}/front")
                break
            except OSError:
                time.sleep(0.01)
        client.sendall(f"GET /users HTTP/1.0\r\nHost: a\r\n{said}\r\n".encode())
        return int(client.recv(100).split()[1])
