"""The laws of the house, read from the source with ast: floors, order, doors and names.

The tables below are the drawing. A module that is not in them does not get in.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "weblayer"

# Who may import whom. A room may always import itself, in the order of ORDER.
FLOORS: dict[str, set[str]] = {
    "wire": set(),
    "loop": set(),
    # HTTP's proof of a password (Digest) is arithmetic on bytes, and one copy of it is worth more
    # than the arrow that is spared.
    "cred": {"wire", "loop"},
    "client": {"wire", "loop"},
    "protocols": {"loop"},
    "web": {"wire", "loop", "cred", "client"},
    "commands": {"wire", "loop", "cred", "client", "web"},
}

# Inside a room a module imports only what stands before it in its line.
ORDER: dict[str, list[str]] = {
    "wire": (
        "errors status dates fields percent parameters extvalue mediatype headers weights accept"
        " challenge basic digest coding cookies forms disposition cachecontrol link"
        " forwarded target framing etags freshness ranges selection coders zstd events formdata"
        " multipart head parse encode answer ask caching cgihead hosts origins csp"
    ).split(),
    "loop": (
        "failure loops chain deferred bridge gather inline locks defer error address timers"
        " triggers ssl protocol producers tls transport sendfile connection securing memory ports"
        " eyeballs connectors adopt udp stdio network description serving asking endpoints signals"
        " pipes launch spawn reap process threadpool threads reactor lifeline holding worker"
        " supervisor reconnecting cooperate task utils memoryports memoryudp memoryreactor testing"
        " places leftovers plugin"
    ).split(),
    "cred": (
        "error text digest credentials portal turns crypts schemes passwords checking memory table"
        " htpasswd filedb database unix tokens certificates checkers strcred"
    ).split(),
    "client": (
        "error timeouts uri trust endpoint bodies wrapping journey multipart body response draft"
        " upload exchange connection pool agent environment tunnel proxy redirect cookies decoders"
        " decoding auth retry har record stores diskstore cache asked session verbs getpage"
    ).split(),
    "protocols": (
        "errors receiver lines strings filesender basic wrapping timeouts limits throttle policies"
        " proxyheader haproxy"
    ).split(),
    "web": (
        "gate errors args policy limits watch deadlines answering stream slicing template"
        " pagetext setcookie networks signing proxies located faults upload form parts incoming"
        " embodied headed store session memorysessions sqlitesessions signedsessions redissessions"
        " validated visited request returning errorpage resource wrapper flash pages util walk"
        " afterbody csrf filebody readable settle filetext intake compression exchange reading"
        " channel accesslog challenges basic bearer certificate nonces digest guard access tokens"
        " site server mime paths registry cacherules shelf siblings filehead fileanswer listed"
        " listing static pathpattern redirectsfile headersfile rulesfile navigation staticsite"
        " treeagent assets testing turnstile environ program detour asis twcgi process script vhost"
        " https addresses cors securityheaders rate linkuses signedlinks login loginrequired"
    ).split(),
    "commands": (
        "errors endpoints wanted trace progress download fetching fetch kinds auth folder serve"
        " workers web passwd main"
    ).split(),
}

# What stands on the rooms, as a program does.
PROGRAMS = {"__init__", "__main__", "sync"}

# An outside package has one door: the module (or the room) that may import it.
DOORS: dict[str, str] = {
    "httptools": "weblayer.wire.parse",
    "uvloop": "weblayer.loop.loops",
    "jinja2": "weblayer.web.template",
    "itsdangerous": "weblayer.web.signing",
    "redis": "weblayer.web.redissessions",
    "click": "weblayer.commands",
    "pytest": "weblayer.loop.plugin",
    "argon2": "weblayer.cred.schemes",
    "bcrypt": "weblayer.cred.schemes",
    "pamela": "weblayer.cred.unix",
    "brotli": "weblayer.wire.coders",
    "zstandard": "weblayer.wire.coders",
}

# Modules whose names only we type; every other module is public surface, save that
# wire/ is ours throughout (programs meet its facts through web/ and client/).
INSIDE: dict[str, set[str]] = {
    "wire": set(ORDER["wire"]) - {"headers"},
    "loop": set(
        "loops chain producers tls transport sendfile connection triggers signals pipes"
        " launch spawn reap places lifeline holding worker supervisor".split()
    ),
    "cred": {"text", "crypts", "schemes", "table"},
    "client": set(
        "draft body upload exchange connection wrapping journey tunnel har asked".split()
    ),
    "protocols": {"receiver", "proxyheader"},
    "web": set(
        "stream slicing pagetext setcookie networks proxies faults form errorpage walk"
        " settle afterbody intake compression exchange watch answering reading channel"
        " paths filebody gate environ program detour listed pathpattern redirectsfile"
        " headersfile rulesfile navigation readable nonces cacherules shelf siblings filehead"
        " fileanswer".split()
    ),
    "commands": set(ORDER["commands"]),
}

# Names that others chose: asyncio's callbacks, and pytest's.
FOREIGN = set(
    "connection_made connection_lost data_received eof_received pause_writing resume_writing"
    " set_protocol get_protocol get_extra_info is_closing pause_reading resume_reading is_reading"
    " get_write_buffer_size"
    " pytest_addoption pytest_configure pytest_generate_tests pytest_pycollect_makeitem"
    " pytest_pyfunc_call".split()
)

CAMEL = re.compile(r"^[a-z]+[0-9]*[A-Z]")
SNAKE = re.compile(r"^[a-z0-9]+_[a-z0-9_]+$")

MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[str]:
    """Every module that a file imports, wherever in the file: `from a import b` gives a and a.b."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which floor is meant"
            assert node.module
            found += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def ours(path: Path) -> set[str]:
    """The modules of weblayer that a file imports."""
    known = {name_of(p) for p in MODULES}
    return {name for name in imports_of(path) if name in known}


def public_functions(path: Path) -> list[str]:
    """Names of functions and methods that others may type: nothing in them starts with `_`."""
    found, waiting = [], [ast.parse(path.read_text())]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.startswith("_"):
                    continue
                if isinstance(node, ast.ClassDef):
                    waiting.append(node)
                else:
                    found.append(node.name)
    return found


def is_inside(path: Path) -> bool:
    """Whether only we type the names of this module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return len(parts) == 2 and parts[1] in INSIDE.get(parts[0], set())


def each_module(**kinds: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", MODULES, ids=[name_of(p) for p in MODULES])


@each_module()
def test_every_module_has_a_place_in_the_drawing(path):
    """A module lives in a room, and the room's line names it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if len(parts) == 1:
        assert parts[0] in PROGRAMS
    else:
        assert len(parts) == 2, "rooms have no rooms"
        assert parts[1] == "__init__" or parts[1] in ORDER[parts[0]]


@each_module()
def test_nothing_imports_upward(path):
    """A module imports only the floors below it, and what stands before it in its own room."""
    room, module = ([*path.relative_to(ROOT).with_suffix("").parts, ""])[:2]
    if room in PROGRAMS:
        return
    for name in ours(path):
        assert name != "weblayer", f"{path} imports the front door"
        other, _, there = name.removeprefix("weblayer.").partition(".")
        if other != room:
            assert other in FLOORS[room], f"{room} may not import {other} ({name})"
        elif there and module != "__init__":  # a room's own door, which is lazy
            line = ORDER[room]
            assert line.index(there) < line.index(module), f"{module} imports {there}, a later one"


def test_the_front_door_imports_nothing_at_once():
    """`import weblayer` loads no room: every name behind the door is lazy."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    top = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert {a.name for n in top for a in n.names} <= {"import_module", "TYPE_CHECKING", "Any"}


@each_module()
def test_an_outside_package_has_one_door(path):
    """Only its door imports an outside package, and what has no door is not imported."""
    import sys

    for name in imports_of(path):
        top = name.partition(".")[0]
        if top == "weblayer" or top in sys.stdlib_module_names:
            continue
        assert top in DOORS, f"{top} has no door"
        assert (name_of(path) + ".").startswith(DOORS[top] + "."), f"{top} has another door"


@each_module()
def test_the_case_marks_the_border(path):
    """A name a user types is camelCase; a name only we type is snake_case."""
    names = set(public_functions(path)) - FOREIGN
    if is_inside(path):
        surface = {n for p in MODULES if not is_inside(p) for n in public_functions(p)}
        wrong = {n for n in names if CAMEL.match(n)} - surface
        assert not wrong, f"camelCase inside, and no public name: {sorted(wrong)}"
    else:
        wrong = {n for n in names if SNAKE.match(n)}
        assert not wrong, f"snake_case on the public surface: {sorted(wrong)}"


def test_sizes():
    """Sizes are reported (`pytest -rP`), not limited: growth is a question for the reader."""
    lines = sorted(len(p.read_text().splitlines()) for p in MODULES)
    print(f"modules: {len(lines)}, median {lines[len(lines) // 2]} lines, largest {lines[-1]}")
    for path in MODULES:
        if (count := len(path.read_text().splitlines())) > 450:
            print(f"over 450 lines: {name_of(path)} ({count})")
        for node in ast.walk(ast.parse(path.read_text())):
            length = getattr(node, "end_lineno", 0) - getattr(node, "lineno", 0)
            if isinstance(node, ast.ClassDef) and length > 300:
                print(f"over 300 lines: {name_of(path)}.{node.name} ({length})")
    assert lines
