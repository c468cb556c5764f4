"""Programs in processes of their own: started, asked over a real socket, and stopped."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent

LIMIT = 30  # seconds after which a program is taken to hang, and killed

URL = re.compile(r"http://([\w.]+|\[[\w:]+\]):(\d+)/")


class Program:
    """A Python program of ours that prints its URL once it serves.

    It sees the packages of this checkout, and its warnings are errors.
    """

    def __init__(self, *arguments, **variables):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=variables.pop("cwd", ROOT),
            pass_fds=variables.pop("pass_fds", ()),
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **variables},
        )
        self._limit = threading.Timer(LIMIT, self.process.kill)
        self._limit.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()

    def lines(self, until):
        """What it prints, up to the line in which *until* is found."""
        found = []
        for line in self.process.stdout:
            found.append(line)
            if until in line:
                return found
        raise AssertionError(f"it never said {until!r}: {found} {self.process.stderr.read()}")

    def port(self):
        """The port in the first URL it prints."""
        return int(URL.search(self.lines("http://")[-1])[2])

    def stop(self, number=signal.SIGTERM):
        """Send it a signal; its exit code, and what it had yet to say on either channel."""
        self.process.send_signal(number)
        return self.end()

    def end(self):
        """Wait for it to end; as `stop`."""
        said, complained = self.process.communicate()
        return self.process.returncode, said, complained


def ask(port, path, method="GET", body=None, headers=None, host="127.0.0.1"):
    """The response to one request, and its body."""
    connection = http.client.HTTPConnection(host, port, timeout=LIMIT)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()
