"""A chain of callbacks: what one gives the next takes, and an error skips to who can mend it.

Run `python examples/headlines.py`. All papers are asked at once, and answer late or never:
    Times: “Tortoise Beats Hare”
    Herald: “No News Is Good News”
    Gazette: (no result within 0.5 seconds)
    Bugle: (there is no such paper)
"""

import sys

from weblayer import deferLater, fail, gatherResults
from weblayer.loop.task import react

NEWS = {
    "Times": (0.3, "tortoise beats hare"),
    "Herald": (0.1, "no news is good news"),
    "Gazette": (3600, "ink runs out"),
}


def ask(reactor, paper):
    if paper not in NEWS:
        return fail(LookupError("there is no such paper"))
    seconds, text = NEWS[paper]
    return deferLater(reactor, seconds, lambda: text).addTimeout(0.5, reactor)


def headline(reactor, paper):
    asked = ask(reactor, paper).addCallback(str.title).addCallback("“{}”".format)
    asked.addErrback(lambda failure: f"({failure.getErrorMessage()})")
    return asked.addCallback(lambda text: f"{paper}: {text}")


def main(reactor, *papers):
    asked = gatherResults([headline(reactor, paper) for paper in papers])
    return asked.addCallback(lambda lines: print(*lines, sep="\n"))


react(main, sys.argv[1:] or [*NEWS, "Bugle"])
