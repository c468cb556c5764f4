"""How often a client may ask.

Theory. Each client has a bucket of tokens, a request takes one, and they flow back at an even rate.
Of a bucket only the moment is kept at which it will be full again: how far that lies ahead says how
much is missing. So a client is one number, nothing has to be done while it does not ask, and one
whose bucket is full need not be known at all. No fields tell clients what they have left: those of
the draft (RateLimit, RateLimit-Policy) have changed with its versions, and are no standard yet.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from weblayer.web.errors import TooManyRequests
from weblayer.web.networks import neighbourhood
from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.wrapper import Wrapper

__all__ = ["Rate", "RateLimit", "byAddress", "byUser"]

# 1.5 MB of buckets that are not full. Beyond that the client that was let in the longest ago
# is forgotten, and has a full one again: whoever has so many addresses gains little by it.
MAX_CLIENTS = 10_000

# Seconds. A client that comes when it was told to must not be early by what adding rounds off.
_SLACK = 1e-6


def byAddress(request: Request) -> Hashable:
    """Each address is a client; of IPv6 each network of 64 bits, which is one customer's."""
    return neighbourhood(request.getClientAddress())


def byUser(request: Request) -> Hashable:
    """Each user is a client, from wherever; who has not been let in is one by its address."""
    return ("user", request.avatarId) if request.avatarId else byAddress(request)


class Rate:
    """*most* requests in *per* seconds for each client, of which *burst* may come at once.

        api = Rate(600, per=60, burst=50)

    Without *burst*, all of them may. It holds what each client has left, *maxClients* of them at
    most: give one to several wrappers, and what was asked of all of them counts together.
    """

    def __init__(
        self,
        most: float,
        per: float = 60,
        *,
        burst: int | None = None,
        maxClients: int = MAX_CLIENTS,
    ) -> None:
        burst = max(1, int(most)) if burst is None else burst
        for name, value in (("most", most), ("per", per), ("maxClients", maxClients)):
            if not isinstance(value, int | float) or not value > 0:
                raise ValueError(f"{name} must be a number, more than 0, not {value!r}")
        if burst < 1:
            raise ValueError(f"burst must be at least one request, not {burst!r}")
        self._interval = per / most  # seconds in which one token flows back
        self._depth = burst * self._interval
        self._most_clients = maxClients
        # Who was let in last stands last. Not a dict, which seeks its first key from where one was.
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def take(self, client: Hashable, now: float) -> float:
        """Take a token for *client*: 0, or how many seconds until there is one, and none is taken.

        *now* is in seconds of whatever clock, always the same one.
        """
        # Should the clock have gone back, no bucket is more than empty.
        full_at = min(max(self._full_at.get(client, now), now), now + self._depth)
        wait = full_at + self._interval - self._depth - now
        if wait > _SLACK:
            return wait
        self._full_at.pop(client, None)
        self._forget(now)
        self._full_at[client] = full_at + self._interval
        return 0

    def giveBack(self, client: Hashable) -> None:
        """Put back a token that was taken for what should not count: a login that succeeded."""
        full_at = self._full_at.get(client)
        if full_at is not None:
            self._full_at[client] = full_at - self._interval

    def _forget(self, now: float) -> None:
        """Drop two that are full again, so that they get fewer; one that is not if need be."""
        for _ in range(2):
            if not self._full_at or next(iter(self._full_at.values())) > now:
                break
            self._full_at.popitem(last=False)
        if len(self._full_at) >= self._most_clients:
            self._full_at.popitem(last=False)


class RateLimit(Wrapper):
    """Lets a client go on to *resource* as often as *rate* says; else it is answered 429.

        RateLimit(search, Rate(10, per=1))
        guard(RateLimit(api, Rate(1000, per=3600), byUser))

    Retry-After says in how many seconds it may again. *key* gives who is asking, and None for one
    who is not limited: `byAddress`, `byUser` (behind what lets users in), or a function of
    the request. The time is that of the site's clock.
    """

    def __init__(
        self, resource: Child, rate: Rate, key: Callable[[Request], Hashable] = byAddress
    ) -> None:
        super().__init__(resource)
        if not isinstance(rate, Rate):
            raise TypeError(f"rate must be a Rate, as Rate(10, per=1), not {rate!r}")
        self.rate, self.key = rate, key

    def enter(self, request: Request) -> Child:
        """Raises TooManyRequests."""
        client = self.key(request)
        if client is not None:
            wait = self.rate.take(client, request.site.seconds())
            if wait:
                raise TooManyRequests("You ask too often. Try again in a while.", wait)
        return self.resource
