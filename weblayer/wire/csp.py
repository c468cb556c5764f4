"""Content-Security-Policy: what a browser may load and run for a page. Source: CSP Level 3, 2.2."""

import re
from collections.abc import Mapping

__all__ = ["NONCE", "SecurityPolicy"]

# Stands in a policy for the nonce of the page. It is no source expression itself.
NONCE = b"'nonce'"

_NAME = re.compile(rb"[A-Za-z0-9-]+")

# What ends a directive, or the field, would begin another.
_VALUE = re.compile(rb"[\t !-+\--:<-~]*")


class SecurityPolicy:
    """Directives by name, such as {b"script-src": b"'self' 'nonce'"}, as the field's value.

    Raises ValueError for what is no directive.
    """

    __slots__ = ("_parts", "plain")

    def __init__(self, directives: Mapping[bytes, bytes]) -> None:
        for name, value in directives.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"a directive is a name and sources in ASCII: {name!r}: {value!r}")
        with_nonce = b"; ".join(b" ".join([n, *v.split()]) for n, v in directives.items())
        self._parts = with_nonce.split(NONCE)
        # For a page that has asked for no nonce, which lets nothing in by it.
        self.plain = b"; ".join(_without_nonce(n, v) for n, v in directives.items())

    @property
    def takes_nonce(self) -> bool:
        """Whether it differs from page to page."""
        return len(self._parts) > 1

    def with_nonce(self, nonce: bytes) -> bytes:
        """For a page with this nonce."""
        return (b"'nonce-%b'" % nonce).join(self._parts)


def _without_nonce(name: bytes, value: bytes) -> bytes:
    sources = [source for source in value.split() if source != NONCE]
    if NONCE in value.split() and not sources:
        sources = [b"'none'"]  # said, since nothing at all is for some directives everything
    return b" ".join([name, *sources])
