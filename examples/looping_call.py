"""Again and again: a call on each beat of a clock, and none twice at once.

Run `python examples/looping_call.py`, with the seconds between beats behind it if you like. Each
call takes longer than the one before; when one has missed a beat, the next is told so:
    beat 1
    beat 2
    beat 3
    beat 5, the one before was missed
    beat 7, the one before was missed
    and that is all
"""

import asyncio
import sys

from weblayer.loop.task import LoopingCall, react


async def main(reactor, seconds=1.0):
    seconds, beat, calls = float(seconds), 0, 0

    async def call(beats):
        nonlocal beat, calls
        beat, calls = beat + beats, calls + 1
        print(f"beat {beat}" + (", the one before was missed" if beats > 1 else ""))
        if beat > 5:
            looping.stop()
        await asyncio.sleep((calls - 0.5) * seconds / 2)

    looping = LoopingCall.withCount(call)
    await looping.start(seconds)
    print("and that is all")


react(main, sys.argv[1:])
