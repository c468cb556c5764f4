"""What people see: transcripts in the docstrings of examples, and terminals to act them out in.

Behind "Run `python …`" in a docstring stand, indented, the lines that are seen then. What a
person types begins with `>`, and a line of three dots is any number of lines.
"""

import ast
import re
import shlex
import socket
import subprocess
import threading
from dataclasses import dataclass

from tests.programs import LIMIT, ROOT


@dataclass(frozen=True)
class Transcript:
    """What a docstring shows: the words behind a program's name, and the lines that follow."""

    arguments: list[str]
    lines: list[str]

    @property
    def typed(self):
        """What a person types, as one text."""
        return "".join(f"{line[2:]}\n" for line in self.lines if line.startswith("> "))

    @property
    def said(self):
        """What the program says, as one text."""
        return "".join(f"{line}\n" for line in self.lines if not line.startswith("> "))

    def fits(self, said):
        """Whether a program that said this did as it is shown."""
        parts = map(re.escape, f"\n{self.said}".split("\n...\n"))
        return re.fullmatch(r"\n(?:.*\n)*".join(parts), f"\n{said}") is not None


def docstring(name):
    """What an example says of itself."""
    return ast.get_docstring(ast.parse((ROOT / f"examples/{name}.py").read_text("utf-8")))


def transcript(name):
    """What an example's docstring shows, once it is run."""
    command, shown = re.search(
        rf"^Run `python examples/{name}\.py(.*?)`(.*)", docstring(name), re.MULTILINE | re.DOTALL
    ).groups()
    return Transcript(shlex.split(command), re.findall(r"^ {4}(.*)$", shown, re.MULTILINE))


def commands(name):
    """What an example's docstring would have a person type to a shell."""
    return re.findall(r"^ {4}\$ ((?:.*\\\n)*.*)", docstring(name), re.MULTILINE)


class Command:
    """A conversation, line by line, with the server that a command leads to."""

    def __init__(self, command, folder=ROOT):
        self.process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=folder, bufsize=0,
        )  # fmt: skip
        self._limit = threading.Timer(LIMIT, self.process.kill)
        self._limit.start()

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    def hear(self):
        return self.process.stdout.readline().decode().rstrip("\r\n")

    def close(self):
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()


class Socket:
    """The same without a program, over a socket of the kind that the command would make."""

    def __init__(self, command):
        kind = socket.SOCK_DGRAM if " -u " in command else socket.SOCK_STREAM
        self.socket = socket.socket(type=kind)
        self.socket.settimeout(LIMIT)
        self.socket.connect(("127.0.0.1", int(command.split()[-1])))
        self.file = self.socket.makefile("rb")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def hear(self):
        return self.file.readline().decode().rstrip("\r\n")

    def close(self):
        self.file.close()
        self.socket.close()


def act(terminal, lines):
    """Type in a terminal what is typed in these lines of a transcript, and see the others."""
    for line in lines:
        if line.startswith("> "):
            terminal.say(line[2:])
        else:
            assert terminal.hear() == line
