"""`weblayer web --workers`: several processes behind one port, killed, reloaded and stopped."""

import http.client
import json
import os
import re
import select
import signal
import socket
import ssl
import threading

import pytest
from click.testing import CliRunner

from tests.certificates import certificates  # noqa: F401  a fixture
from tests.programs import LIMIT, Program, ask
from weblayer.commands.main import main

WORKER = re.compile(r"Worker (\d+) is process (\d+)\.")

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="nothing tells when another's child has ended"
)

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@pytest.fixture
def folder(tmp_path):
    """A folder with a page."""
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "page.html").write_text("<p>Here I am.\n")
    return folder


class Crew(Program):
    """The program with its workers: *port*, and *pids* by the worker's number."""

    def __init__(self, folder, *options, workers=2, place=("--port", 0), **variables):
        super().__init__(
            "-m", "weblayer", "web", "--path", folder, "--workers", workers, *place, *options,
            **variables,
        )  # fmt: skip
        self.pids, self.count = {}, workers

    def __exit__(self, *error):
        super().__exit__(*error)
        # Without their supervisor they end by themselves; where that is broken, not for ever.
        for pid in self.pids.values():
            gone(pid)

    def started(self):
        """Read on until as many workers serve as there should be; gives their numbers."""
        self.pids = {}
        while len(self.pids) < self.count:
            line = self.lines("Worker")[-1]
            if found := WORKER.search(line):
                self.pids[int(found[1])] = int(found[2])
        return self.pids


def gone(pid):
    """Wait for a process that is not our child to end."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], LIMIT)[0], f"process {pid} goes on"
    finally:
        os.close(fd)


class Client(threading.Thread):
    """Asks until it is told to stop, over connections that are kept or not; counts what it got.

    A connection that was kept may close as it is asked again; then it asks once more on another, as
    every client does (RFC 9112, 9.3.1): a server waits for what may be under way, and not for ever.
    """

    def __init__(self, port, keeps):
        super().__init__()
        self.port, self.keeps, self.enough = port, keeps, threading.Event()
        self.answers, self.errors = 0, []
        self.some = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        while not self.enough.is_set():
            try:
                try:
                    self.ask(connection)
                except (http.client.RemoteDisconnected, ConnectionError):
                    if not self.keeps:
                        raise
                    connection.close()
                    self.ask(connection)
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(error)
                connection.close()
            self.some.set()
        connection.close()

    def ask(self, connection):
        fields = {} if self.keeps else {"Connection": "close"}
        connection.request("GET", "/page.html", headers=fields)
        response = connection.getresponse()
        assert response.read() == b"<p>Here I am.\n"
        self.answers += 1

    def __enter__(self):
        self.start()
        assert self.some.wait(LIMIT)
        return self

    def __exit__(self, *error):
        self.enough.set()
        self.join()


@LOOPS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workers_serve_until_a_signal(folder, loop, number):
    """One address, a line for each worker; all of them end, and the exit code is 0."""
    with Crew(folder, WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        pids = crew.started()
        assert ask(port, "/page.html")[1] == b"<p>Here I am.\n"
        code, said, complained = crew.stop(number)
        assert (code, complained) == (0, "")
        assert said.endswith("Goodbye!\n")
        assert sorted(pids) == [1, 2]
        for pid in pids.values():
            gone(pid)
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/page.html")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="nothing tells what is open")
@LOOPS
def test_connections_are_spread(folder, loop):
    """Each worker is asked: none takes nearly all that wait, as from one socket for both."""
    with Crew(folder, "--quiet", WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        pids = crew.started()
        before = [sockets(pid) for pid in pids.values()]
        clients = [connected(port) for _ in range(100)]
        taken = [sockets(pid) - count for pid, count in zip(pids.values(), before, strict=True)]
        for client in clients:
            client.close()
    assert sum(taken) == 100
    # Each connection is as a coin's throw: fewer than 20 come once in a thousand million times.
    assert min(taken) >= 20


def connected(port):
    """A connection that has been answered on, and is kept."""
    client = socket.create_connection(("127.0.0.1", port), LIMIT)
    assert answers(client)
    return client


def answers(client):
    """Whether there is an answer on a connection."""
    try:
        client.sendall(b"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.recv(4096).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def sockets(pid):
    """How many sockets a process has open."""
    names = [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.readlink(name).startswith("socket:") for name in names)


@LOOPS
def test_a_worker_that_is_killed_is_followed(folder, loop):
    """Its connections are lost, those of the others are not, and another takes its place."""
    with Crew(folder, "--quiet", WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        pids = dict(crew.started())
        clients = [connected(port) for _ in range(40)]
        with Client(port, keeps=False) as new:
            os.kill(pids[1], signal.SIGKILL)
            assert "Worker 1 was ended by SIGKILL; another follows." in crew.lines("SIGKILL")[-1]
            found = WORKER.search(crew.lines("is process")[-1])
        assert found[1] == "1"
        assert int(found[2]) != pids[1]
        kept = sum(map(answers, clients))
        for client in clients:
            client.close()
        assert 0 < kept < 40
        # Of one that asked all the while at most the request that was being answered.
        assert len(new.errors) <= 1
        assert new.answers
        assert crew.stop()[0] == 0


@LOOPS
@pytest.mark.parametrize("keeps", [True, False], ids=["kept connections", "one for each"])
def test_a_reload_drops_no_request(folder, loop, keeps):
    """A client that asks all the while is answered each time, by old workers and by new ones."""
    with Crew(folder, "--quiet", WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        old = dict(crew.started())
        with Client(port, keeps) as one, Client(port, keeps) as other:
            for _ in range(2):
                crew.process.send_signal(signal.SIGHUP)
                new = crew.started()
                assert not {*old.values()} & {*new.values()}
                for pid in old.values():
                    gone(pid)
                old = dict(new)
            for client in (one, other):
                client.some.clear()
                assert client.some.wait(LIMIT)
        assert (one.errors, other.errors) == ([], [])
        assert crew.stop()[0] == 0


def test_a_reload_that_fails_leaves_the_old_ones(tmp_path, folder):
    """What is wrong is told by the new ones; nothing has changed for who asks."""
    with Crew(folder) as crew:
        port = crew.port()
        crew.started()
        folder.rename(tmp_path / "elsewhere")
        crew.process.send_signal(signal.SIGHUP)
        crew.lines("the old ones go on")
        (tmp_path / "elsewhere").rename(folder)
        assert ask(port, "/page.html")[0].status == 200
        code, _, complained = crew.stop()
        assert code == 0
        assert "Give --path a folder that exists." in complained


def test_a_reload_opens_the_log_anew(tmp_path, folder):
    """As logrotate needs it: what is asked afterwards stands in the new file."""
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with Crew(folder, "--log", log, "--log-format", "{uri}") as crew:
        port = crew.port()
        old = dict(crew.started())
        ask(port, "/before")
        log.rename(moved)
        crew.process.send_signal(signal.SIGHUP)
        crew.started()
        for pid in old.values():
            gone(pid)
        ask(port, "/behind")
        assert crew.stop()[0] == 0
    assert (moved.read_text(), log.read_text()) == ("/before\n", "/behind\n")


@LOOPS
def test_the_lines_of_all_workers_stay_whole(tmp_path, folder, loop):
    """One file, several writers, more lines than any of them keeps: none is cut or lost."""
    log = tmp_path / "access.log"
    with Crew(folder, "--log", log, "--log-format", "json", WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        crew.started()
        askers = [threading.Thread(target=pipeline, args=(port, place)) for place in range(6)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert crew.stop()[0] == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(line["uri"] for line in lines) == sorted(
        f"/page.html?{place}-{count}" for place in range(6) for count in range(500)
    )


def pipeline(port, place):
    """Ask 500 times on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    for count in range(500):
        connection.request("GET", f"/page.html?{place}-{count}")
        connection.getresponse().read()
    connection.close()


@LOOPS
def test_who_is_being_answered_is_answered(folder, loop):
    """SIGTERM lets an answer that is under way come to its end, and then all end."""
    size = 20_000_000
    (folder / "large.bin").write_bytes(bytes(size))
    with Crew(folder, WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        crew.started()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", "/large.bin")
        response = connection.getresponse()
        crew.process.send_signal(signal.SIGTERM)
        assert len(response.read()) == size
        connection.close()
        assert crew.end()[0] == 0


@LOOPS
def test_a_second_signal_stops_at_once(folder, loop):
    """Who does not read does not hold it up, and no worker is left behind."""
    (folder / "large.bin").write_bytes(bytes(20_000_000))
    with Crew(folder, WEBLAYER_LOOP=loop) as crew:
        port = crew.port()
        pids = crew.started()
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            assert slow.recv(1)
            crew.process.send_signal(signal.SIGTERM)
            refused(port)
            crew.process.send_signal(signal.SIGTERM)
            assert crew.end()[0] == 0
        for pid in pids.values():
            gone(pid)


def refused(port):
    """Wait until nobody listens there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            return


@LOOPS
def test_workers_end_without_their_supervisor(folder, loop):
    """One that is killed, and can end nothing any more, leaves no orphan."""
    with Crew(folder, WEBLAYER_LOOP=loop) as crew:
        pids = crew.started()
        crew.process.kill()
        for pid in pids.values():
            gone(pid)


def test_it_gives_up_on_workers_that_end_at_once(folder, tmp_path):
    """It says so, and how they ended, and exits with 1."""
    (tmp_path / "wrong.py").write_text(
        "import os\nif 'WEBLAYER_WORKER' in os.environ:\n    os._exit(3)\nPage = print\n"
    )
    with Crew(folder, "--processor", ".x=wrong.Page", cwd=tmp_path) as crew:
        code, said, complained = crew.end()
    assert code == 1
    assert "has exited with 3; another follows in 1 seconds." in said
    assert complained == (
        "Error: The workers end as soon as they start: the last has exited with 3.\n"
    )


def test_a_unix_socket_is_shared(folder, tmp_path):
    """Its file is there as long as they are, reloads included."""
    path = str(tmp_path / "web.sock")
    with Crew(folder, place=("--listen", f"unix:{path}")) as crew:
        crew.started()
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b"GET /page.html HTTP/1.0\r\n\r\n")
                assert client.makefile("rb").read().endswith(b"\r\n\r\n<p>Here I am.\n")
            crew.process.send_signal(signal.SIGHUP)
            crew.started()
        assert crew.stop()[0] == 0
    assert not os.path.lexists(path)


def test_sockets_that_were_given_are_shared(folder):
    """By a number, as from a parent; those of systemd are no different."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd, port = listening.fileno(), listening.getsockname()[1]
        with Crew(folder, place=("--listen", f"fd:{fd}"), pass_fds=[fd]) as crew:
            crew.started()
            assert ask(port, "/page.html")[0].status == 200
            assert crew.stop()[0] == 0


def test_https_by_workers(folder, certificates):  # noqa: F811
    """Each has the certificate."""
    both = certificates.server
    where = f"ssl:0:interface=127.0.0.1:privateKey={both.key}:certKey={both.certificate}"
    with Crew(folder, place=("--listen", where)) as crew:
        port = int(crew.lines("https://")[-1].split(":")[-1].strip("/ \n"))
        crew.started()
        context = ssl.create_default_context(cafile=certificates.trusted)
        for _ in range(4):
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=LIMIT, context=context
            )
            connection.request("GET", "/page.html")
            assert connection.getresponse().read() == b"<p>Here I am.\n"
            connection.close()
        assert crew.stop()[0] == 0


def test_two_programs_do_not_share_a_port(folder):
    """Though the workers of one do: the second is told that it is taken."""
    with Crew(folder) as first:
        port = first.port()
        with Crew(folder, place=("--port", port)) as second:
            code, said, complained = second.end()
        assert (code, said) == (1, "")
        assert "Address already in use" in complained


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_a_wrong_number_of_workers_is_told(workers):
    """Exit code 2, and the option in question."""
    result = CliRunner().invoke(main, ["web", "--workers", workers])
    assert result.exit_code == 2
    assert "--workers" in result.output


def test_a_log_that_cannot_be_written_is_told_once(folder):
    """By the supervisor, before there are workers."""
    with Crew(folder, "--log", "/nowhere/at/all.log") as crew:
        code, said, complained = crew.end()
    assert (code, said) == (1, "")
    assert complained.startswith("Error: cannot write '/nowhere/at/all.log': No such file")
