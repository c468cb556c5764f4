"""Sessions in Redis, or what speaks as it does: shared by machines. Needs `weblayer[redis]`.

A page waits for its session, `session = await request.getSession()`, and the others do not: one
round trip before it renders, and another behind its answer where something has changed. To have it
kept before the answer goes out, `await session.save()`.
"""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import Redis

from weblayer.web.store import Change, Record, SessionStore, dump, keyOf

__all__ = ["RedisSessions"]

# Seconds. It is the next machine: who waits longer has lost it.
TIMEOUT = 5.0

# One hash for a session: `d:` and a key for each value, and the record's numbers. So Redis itself
# lays what two requests have changed over each other, and what has ended stays ended.
_SAVE = """
if ARGV[1] == '' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if KEYS[2] then redis.call('DEL', KEYS[2]) end
local changed, removed = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
if #changed > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
if #removed > 0 then redis.call('HDEL', KEYS[1], unpack(removed)) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""


class RedisSessions(SessionStore):
    """Sessions at *url*, as "redis://host:6379/0", under keys that begin with *prefix*.

    What is kept there ends by itself. One connection carries all, so that what one request has
    changed is there for the next that this process is asked. The *options* are those of
    SessionStore. Every method may raise redis.RedisError.
    """

    isRemote = True

    def __init__(self, url: str, *, prefix: str = "weblayer:session:", **options: Any) -> None:
        super().__init__(**options)
        self.url, self.prefix = url, prefix
        self._client: tuple[asyncio.AbstractEventLoop, Redis] | None = None
        self._closing: asyncio.Task[None] | None = None  # the loop itself holds it weakly

    async def find(self, cookie: str) -> Record | None:
        """What is kept of a session."""
        found = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._key(cookie)))
        if not found:
            return None
        fields = {name.decode(): value.decode() for name, value in found.items()}
        touched, timeout = float(fields.pop("touched")), float(fields.pop("timeout"))
        isPersistent = fields.pop("persistent") == "1"
        if self.isOver(touched, timeout):
            return None
        data = {name[2:]: json.loads(value) for name, value in fields.items()}
        return Record(cookie, dump(data), touched, timeout, isPersistent)

    async def save(self, change: Change) -> None:
        """Keep it."""
        record, replaces = change.record, change.replaces
        data = change.changed if replaces is None else json.loads(record.text)
        kept = [part for key, value in data.items() for part in (f"d:{key}", dump(value))]
        kept += ["touched", repr(record.touched), "timeout", repr(record.sessionTimeout)]
        kept += ["persistent", str(int(record.isPersistent))]
        keys = [self._key(uid) for uid in (record.uid, replaces) if uid]
        said = ["" if replaces is None else "whole", str(int(record.sessionTimeout * 1000))]
        said += [dump(kept), dump([f"d:{key}" for key in change.removed])]
        await cast("Awaitable[int]", self._redis.eval(_SAVE, len(keys), *keys, *said))

    async def remove(self, uid: str) -> None:
        """End it."""
        await self._redis.delete(self._key(uid))

    def close(self) -> None:
        """Close the connection in a turn of its loop."""
        if self._client is not None and self._client[0].is_running():
            self._closing = self._client[0].create_task(self.aclose())

    async def aclose(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        if self._client is not None:
            client, self._client = self._client[1], None
            await client.aclose()

    @property
    def _redis(self) -> Redis:
        """The connection of this loop: another process, or another loop, has its own."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            client = Redis.from_url(
                self.url, single_connection_client=True, socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
            )  # fmt: skip
            self._client = loop, client
        return self._client[1]

    def _key(self, uid: str) -> str:
        return self.prefix + keyOf(uid)
