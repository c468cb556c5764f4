"""A paste bin: text goes in, by a form or by curl, and an address that nobody can guess comes out.

Run `python apps/paste`, open the address it prints, or send it a file:

    curl --data-binary @notes.txt http://localhost:8080/
"""

import argparse
import sys
from pathlib import Path

from pastes import Pastes
from tree import MIB, Bin

from weblayer import Site, reactor
from weblayer.loop.error import CannotListenError

FIELDS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix")


def options() -> argparse.Namespace:
    """What the person asked for."""
    parser = argparse.ArgumentParser(prog="paste", description="A paste bin.")
    parser.add_argument("--port", type=int, default=8080, help="8080 unless you say otherwise")
    parser.add_argument("--interface", default="127.0.0.1", help="this machine alone; all: 0.0.0.0")
    parser.add_argument("--folder", type=Path, default="pastes", help="where the pastes are kept")
    parser.add_argument("--most", type=int, default=10_000, help="how many are kept")
    parser.add_argument(
        "--proxy", action="append", default=[], metavar="ADDRESS",
        help="a proxy of yours before this, which sets X-Forwarded-For, -Proto and -Prefix",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Serve until Ctrl-C."""
    asked = options()
    try:
        tree = Bin(Pastes(asked.folder, asked.most), MIB)
        site = Site(tree, trustedProxies=asked.proxy, proxyFields=FIELDS)
        port = reactor.listenTCP(asked.port, site, interface=asked.interface)
    except (CannotListenError, OSError, ValueError) as error:
        sys.exit(f"paste: {error}")
    number = port.getHost().port
    reactor.callWhenRunning(
        print,
        f"Pastes are kept in {asked.folder}/ and served at http://{asked.interface}:{number}/",
    )
    reactor.run()


if __name__ == "__main__":
    main()
