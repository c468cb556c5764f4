"""Duck, duck, goose: what blocks goes to threads, and the loop goes on meanwhile.

Run `python examples/geese.py`. The taps are one thread's, in their order; the dots are the loop's,
which is never blocked. In the end the goose's thread has the loop run a line for it, and waits:
    ...duck!
    ..duck!
    ..goose!
    ..The goose runs 2 rounds.
"""

import time

from weblayer import Deferred, deferToThread
from weblayer.loop.task import LoopingCall, react
from weblayer.loop.threads import blockingCallFromThread, callMultipleInThread


def tap(name):
    time.sleep(0.2)  # which blocks, as libraries do
    print(f"{name}!", flush=True)


def run(reactor, goose):
    time.sleep(0.2)
    rounds = blockingCallFromThread(reactor, lambda: 2)  # what only the loop's thread may touch
    return f"The {goose} runs {rounds} rounds."


async def main(reactor):
    dots = LoopingCall(print, end=".", flush=True)
    dots.start(0.1)
    caught = Deferred()
    taps = [(tap, [name], {}) for name in ("duck", "duck", "goose")]
    callMultipleInThread([*taps, (reactor.callFromThread, [caught.callback, "goose"], {})])
    print(await deferToThread(run, reactor, await caught))
    dots.stop()


react(main)
