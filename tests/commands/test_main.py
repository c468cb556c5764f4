"""The program itself: its help, its version, and how fast they come."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from tests.programs import ROOT
from weblayer import __version__
from weblayer.commands.main import main

COMMANDS = [[], *([name] for name in main.commands)]


def run(*arguments):
    """What `python -m weblayer` does."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(command, option):
    """Each command has a help that says what it does and what it takes."""
    result = CliRunner().invoke(main, [*command, option])
    assert result.exit_code == 0
    assert "Usage: " in result.output
    assert "Options:" in result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_as_a_module(command):
    """`python -m weblayer` is the same program."""
    done = run("-m", "weblayer", *command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: python -m weblayer" in done.stdout


def test_every_option_is_explained():
    """No option of any command stands without a word."""
    for command in main.commands.values():
        assert command.help
        for option in command.params:
            assert option.help, f"{command.name} {option.name}"


def test_the_version_is_told():
    """`weblayer --version` names the program and its version."""
    assert run("-m", "weblayer", "--version").stdout == f"weblayer {__version__}\n"


def test_an_unknown_command_is_told():
    """A command that does not exist is a usage error that names it."""
    result = CliRunner().invoke(main, ["serve-me"])
    assert result.exit_code == 2
    assert "serve-me" in result.output


def test_help_loads_no_server():
    """Help and version come at once: no event loop and no room but this one is loaded."""
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules));"
        " from weblayer.commands.main import main; main(['web', '--help'])"
    )
    loaded = run("-c", code).stdout.splitlines()[-1].split()
    assert "weblayer.commands.web" in loaded
    assert not {"asyncio", "weblayer.loop", "weblayer.web"} & set(loaded)
