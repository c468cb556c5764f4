"""nginx in front of us: what it forwards as one request is read as one, whatever a client sends.

Two readings of one stream are request smuggling. Here the two readers are a real proxy and a real
site, over sockets: each request that nginx makes carries a name of its own, and no other request
may reach the site.
"""

import asyncio
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.samples import TOKENS
from tests.test_security import ONE_READING, TWO_READINGS
from tests.web.trees import Page
from tests.wire.rules import REFUSED, TAKEN, head
from weblayer.web.policy import Policy
from weblayer.web.site import Site

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.weblayer(loop="uvloop"),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

# One connection to the site at a time, kept alive and used by all: what one client leaves behind in
# it would be read as the next one's. A body is passed on as it comes, in chunks if it came so.
CONFIG = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log /dev/null crit;
events {{ worker_connections 200; }}
http {{
    log_format asked "$request_id $upstream_status";
    access_log {folder}/asked asked;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    client_header_timeout 1; client_body_timeout 1; keepalive_timeout 1;
    lingering_timeout 1; lingering_time 1;
    upstream site {{ server unix:{folder}/site; keepalive 1; }}
    server {{
        listen unix:{folder}/front;
        ignore_invalid_headers off;
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_next_upstream off;
            proxy_read_timeout 3;
            proxy_set_header Connection "";
            proxy_set_header X-Named $request_id;
        }}
    }}
}}
"""

STREAMS = [
    *(row[0] for row in (*TAKEN.values(), *REFUSED.values())),
    *(row[0] for row in (*TWO_READINGS.values(), *ONE_READING.values())),
]
LAST = head(b"Connection: close", line=b"GET /last HTTP/1.1")
AT_ONCE = 40


class Pair:
    """nginx and the site behind it, and what each has heard."""

    def __init__(self, folder, takes):
        self.folder, self.heard = folder, []
        self.site = Site(Page(self._page, Policy(takesBody=takes)))

    def _page(self, request):
        self.heard.append(request.getHeader("x-named"))
        return b"ok"

    async def __aenter__(self):
        listening = asyncio.get_running_loop().create_future()
        where = f"unix:{self.folder}/site"
        self._task = asyncio.create_task(self.site.serve(where, whenListening=listening.set_result))
        await listening
        config = Path(self.folder) / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder))
        self._nginx = await asyncio.create_subprocess_exec(
            NGINX, "-p", self.folder, "-c", str(config), stderr=subprocess.DEVNULL
        )
        return self

    async def __aexit__(self, *error):
        self._nginx.send_signal(signal.SIGQUIT)  # what is in work is logged before it ends
        await self._nginx.wait()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def ask(self, data):
        """All that nginx answers to a client."""
        reader, writer = await self._opened()
        writer.write(data)
        try:
            async with asyncio.timeout(20):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def _opened(self):
        async with asyncio.timeout(20):
            while True:  # until it listens
                try:
                    return await asyncio.open_unix_connection(f"{self.folder}/front")
                except OSError:
                    await asyncio.sleep(0.01)

    def forwarded(self):
        """The names of the requests that nginx has read, each with the status it was told by us."""
        lines = (Path(self.folder) / "asked").read_text().splitlines()
        return dict(line.split() for line in lines)


async def sent(streams, takes):
    """What the site heard, and what nginx had sent on, after all *streams*."""
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
        async with Pair(folder, takes) as pair:
            room = asyncio.Semaphore(AT_ONCE)

            async def one(data):
                async with room:
                    return await pair.ask(data)

            answers = await asyncio.gather(*(one(data) for data in streams))
        return pair.heard, pair.forwarded(), answers


def check(heard, forwarded):
    """Nobody but nginx has asked, and nothing twice; and each whom we answered had asked once."""
    assert None not in heard
    assert not [name for name, count in Counter(heard).items() if count > 1]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in heard)
    assert set(heard) <= forwarded.keys()
    answered = {name for name, status in forwarded.items() if status == "200"}
    assert answered <= set(heard)


@pytest.mark.parametrize("takes", ["spool", "ignore"])
async def test_nginx_and_we_read_the_same_requests(takes):
    """All rows of the rules, and each way to smuggle: as many requests as nginx has made."""
    heard, forwarded, answers = await sent([stream + LAST for stream in STREAMS], takes)
    check(heard, forwarded)
    assert len(heard) > len(TAKEN)
    assert sum(answer.count(b"HTTP/1.1 200") for answer in answers) > len(TAKEN)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nginx_and_we_read_the_same_of_what_is_tampered_with(seed):
    """The same streams, changed at random."""
    chance = Random(seed)
    streams = [mutated(chance, STREAMS, TOKENS) + LAST for _ in range(1000)]
    heard, forwarded, _ = await sent(streams, "ignore")
    check(heard, forwarded)
    assert len(heard) > 300
