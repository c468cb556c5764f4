"""One case on several servers: start, check, warm up, and take the rounds in turn."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.case import Case
from tests.benchmarks.check import WrongAnswer, check, entered
from tests.benchmarks.load import Load, LoadFailed, drive
from tests.benchmarks.meter import usage
from tests.benchmarks.server import Running, Server, ServerFailed

__all__ = ["Plan", "Sample", "measure"]

WARM_UP = 1  # second: thousands of requests for the slowest, and caches fill in hundreds

FAILURES = (ServerFailed, WrongAnswer, LoadFailed)


@dataclass(frozen=True)
class Plan:
    """How long and where: *seconds* of each round, and the cores of server and load."""

    rounds: int
    seconds: int
    server_core: int
    load_core: int


@dataclass(frozen=True)
class Sample:
    """One server's figures for one case in one round.

    *cpu* is microseconds per request, *p50* and *p99* milliseconds, *resident* megabytes; *wrong*
    counts answers with an unexpected status, *broken* failed connections and time-outs.
    """

    case: str
    server: str
    round: int
    rate: float
    cpu: float
    p50: float
    p99: float
    resident: float
    wrong: int
    broken: int


class Contest:
    """The servers at work on one case; who fails is reported to *say* and leaves."""

    def __init__(self, case: Case, plan: Plan, say: Callable[[str], None]) -> None:
        self.case, self.plan, self.say = case, plan, say
        self.running: list[Running] = []
        self.asked: dict[str, Case] = {}  # by the name of the server: cookies differ
        self.samples: list[Sample] = []
        self.failed: dict[str, Exception] = {}

    def enter(self, server: Server, stack: ExitStack) -> None:
        """Start a server, and let it in when its answer is right."""
        try:
            running = stack.enter_context(Running(server, self.plan.server_core, self.case.kind))
            asked = self.asked[server.name] = entered(server.expected(self.case), running.port)
            check(asked, running.port)
            self._drive(running, WARM_UP)
            self.running.append(running)
        except FAILURES as error:
            self._fail(server, error)

    def take_round(self, number: int) -> None:
        """Measure each server once; another one begins each round, so that none is favoured."""
        shift = number % max(1, len(self.running))
        for running in self.running[shift:] + self.running[:shift]:
            try:
                self.samples.append(self._sample(running, number))
            except FAILURES as error:
                self._fail(running.server, error)
                self.running.remove(running)

    def _sample(self, running: Running, number: int) -> Sample:
        before = usage(running.session).cpu
        load = self._drive(running, self.plan.seconds)
        after = usage(running.session)
        expects_refusal = self.asked[running.server.name].status >= 400
        return Sample(
            case=self.case.name,
            server=running.server.name,
            round=number,
            rate=load.requests / load.seconds,
            cpu=(after.cpu - before) / load.requests * 1e6,
            p50=load.p50,
            p99=load.p99,
            resident=after.resident / 1e6,
            wrong=load.requests - load.refused if expects_refusal else load.refused,
            broken=load.broken,
        )

    def _drive(self, running: Running, seconds: int) -> Load:
        case = self.asked[running.server.name]
        load = drive(case, running.port, max(seconds, case.least), self.plan.load_core)
        running.ensure_alive()
        return load

    def _fail(self, server: Server, error: Exception) -> None:
        self.failed[server.name] = error
        self.say(f"{self.case.name}: {server.name} is left out. {error}")


def measure(
    case: Case, servers: Iterable[Server], plan: Plan, say: Callable[[str], None]
) -> tuple[list[Sample], dict[str, Exception]]:
    """Measure *servers* on *case*: the samples, and by name what made servers fail."""
    contest = Contest(case, plan, say)
    with ExitStack() as stack:
        say(f"{case.name}: {case.title}: starting")
        for server in servers:
            if server.can(case):
                contest.enter(server, stack)
        for number in range(plan.rounds if contest.running else 0):
            contest.take_round(number)
            say(f"{case.name}: round {number + 1} of {plan.rounds}: {_figures(contest, number)}")
    return contest.samples, contest.failed


def _figures(contest: Contest, number: int) -> str:
    """What a round gave, for who watches."""
    taken = [sample for sample in contest.samples if sample.round == number]
    return ", ".join(f"{s.server} {s.cpu:.1f}" for s in taken)
