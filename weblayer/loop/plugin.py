"""The pytest plugin: tests on a real event loop, which fail for what they leave behind.

A test runs inside a private loop when it is `async def`, is an `inlineCallbacks` function, takes
the `reactor` fixture, or is marked `weblayer`; it may return a Deferred or any awaitable. Behind
it, and behind its fixtures, nothing may be left: a task, a timer, a socket, a process, a thread, or
an error that was logged and that nobody looked at. What is left is named with the line that
made it. Every other test, and those marked for another plugin, are left alone.

Settings, in pytest's own file: `weblayer_loop` (uvloop, asyncio, or both: each test on either) and
`weblayer_timeout` (seconds a test may take). For some tests the marker says otherwise:
`@pytest.mark.weblayer(loop="asyncio", timeout=5, mayLeave=["thread"])`.
"""

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from weblayer.loop.leftovers import Leftover, Watch
    from weblayer.loop.reactor import Reactor
    from weblayer.loop.timers import Clock

# Nothing of ours is imported before a test asks for it: the plugin is loaded into every run of
# pytest where weblayer is installed.

__all__ = ["clock", "flushLoggedErrors", "reactor"]

WATCH = "_weblayer_watch"

# Seconds after which a test is taken to hang.
TIMEOUT = 60

KINDS: dict[str, list[str | None]] = {
    "": [None],
    "uvloop": ["uvloop"],
    "asyncio": ["asyncio"],
    "both": ["asyncio", "uvloop"],
}

SETTINGS = {"loop", "timeout", "mayLeave"}

# Where `inlineCallbacks` is from.
INLINE = "weblayer.loop.inline"

# Markers by which other plugins are told that a coroutine is theirs.
OTHERS = {"anyio", "asyncio", "curio", "tornado", "trio", "twisted"}

_watches = pytest.StashKey["Watch"]()
_outcomes = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("weblayer_loop", "event loop of tests: uvloop, asyncio or both", default="")
    parser.addini("weblayer_timeout", "seconds that a test may take", default=str(TIMEOUT))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "weblayer(loop=None, timeout=None, mayLeave=()): run the test inside an event loop of its "
        "own, which is uvloop, asyncio or both, for at most so many seconds; what it may leave "
        "behind is any of task, timer, socket, process, thread, error",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    if (
        isinstance(collector, pytest.Module | pytest.Class)
        and collector.istestfunction(obj, name)
        and _is_ours(collector, obj)
    ):
        pytest.mark.usefixtures(WATCH)(obj)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if WATCH in metafunc.fixturenames:
        word = _setting(metafunc.definition, "loop", metafunc.config.getini("weblayer_loop"))
        if word not in KINDS:
            raise pytest.UsageError(f"weblayer_loop must be uvloop, asyncio or both, not {word!r}")
        if word:
            metafunc.parametrize(WATCH, KINDS[word], indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    watch = pyfuncitem.stash.get(_watches, None)
    if watch is None:
        return (yield)
    # Another plugin, and pytest itself, then sees a plain function.
    test, seconds = pyfuncitem.obj, _seconds(pyfuncitem)
    pyfuncitem.obj = partial(_run, watch, test, seconds)
    try:
        result = yield
        pyfuncitem.stash[_outcomes] = True
        return result
    finally:
        pyfuncitem.obj = test


@pytest.fixture
def _weblayer_watch(request: pytest.FixtureRequest) -> Iterator["Watch"]:
    """An event loop of the test's own, and what becomes of it."""
    from weblayer.loop.leftovers import KINDS as MAY_LEAVE
    from weblayer.loop.leftovers import Watch

    node = request.node
    for mark in node.iter_markers("weblayer"):
        _check("setting", mark.kwargs, SETTINGS)
        _check("mayLeave", mark.kwargs.get("mayLeave", ()), MAY_LEAVE)
    watch = node.stash[_watches] = Watch(getattr(request, "param", None))
    yield watch
    may_leave = _setting(node, "mayLeave", ())
    left = [one for one in watch.end() if one.kind not in may_leave]
    # A test that broke off could not clean up, and has been told of already.
    if left and node.stash.get(_outcomes, False):
        pytest.fail(_complaint(left), pytrace=False)


@pytest.fixture
def reactor(_weblayer_watch: "Watch") -> "Reactor":
    """A reactor on the loop that the test runs in. Nothing may be left open on it."""
    return _weblayer_watch.reactor


@pytest.fixture
def clock() -> "Clock":
    """A clock that stands still until the test advances it."""
    from weblayer.loop.timers import Clock

    return Clock()


@pytest.fixture
def flushLoggedErrors(_weblayer_watch: "Watch") -> Callable[..., list[BaseException]]:
    """Takes the errors that were logged, of the types given if any, so that they do not count."""
    return _weblayer_watch.flushLoggedErrors


def _run(watch: "Watch", test: Callable[..., Any], seconds: float, **given: Any) -> Any:
    from weblayer.loop.leftovers import TookTooLong

    __tracebackhide__ = True
    try:
        return watch.run(partial(test, **given), seconds)
    except TookTooLong as error:
        late = str(error)
    pytest.fail(f"the test has {late}", pytrace=False)


def _complaint(left: "list[Leftover]") -> str:
    # pytest's summary shows the first line alone.
    kinds = ", ".join(dict.fromkeys(one.kind for one in left))
    return "\n".join([f"the test has left behind: {kinds}", *(f"  {one}" for one in left)])


def _check(name: str, words: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a word of the marker that says nothing, and would be taken to say something."""
    if isinstance(words, str) or (unknown := set(words) - set(known)):
        wrong = repr(words) if isinstance(words, str) else ", ".join(sorted(unknown))
        may = ", ".join(sorted(known))
        pytest.fail(f"pytest.mark.weblayer: {name} may be any of {may}, not {wrong}", pytrace=False)


def _is_ours(collector: pytest.Collector, test: Any) -> bool:
    marks = {mark.name for mark in getattr(test, "pytestmark", ())}
    marks |= {mark.name for mark in collector.iter_markers()}
    if "weblayer" in marks:
        return True
    return _waits(test) and not marks & OTHERS and not _is_taken(collector.config)


def _waits(test: Any) -> bool:
    """Whether a test function is a coroutine's, or an `inlineCallbacks` one.

    What another decorator has made of a coroutine function is not: it may run a loop itself.
    """
    if inspect.iscoroutinefunction(test):
        return True
    while test is not None:
        if getattr(test, "__globals__", {}).get("__name__") == INLINE:
            return True
        test = getattr(test, "__wrapped__", None)
    return False


def _is_taken(config: pytest.Config) -> bool:
    """Whether pytest-asyncio or anyio was told to take every coroutine."""
    return any(_ini(config, f"{name}_mode") == "auto" for name in ("anyio", "asyncio"))


def _ini(config: pytest.Config, name: str) -> Any:
    """A setting of another plugin, None without that plugin."""
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return None


def _seconds(item: pytest.Item) -> float:
    return float(_setting(item, "timeout", item.config.getini("weblayer_timeout")))


def _setting(node: pytest.Item, name: str, default: Any) -> Any:
    """What the nearest marker says of *name*."""
    for mark in node.iter_markers("weblayer"):
        if name in mark.kwargs:
            return mark.kwargs[name]
    return default
