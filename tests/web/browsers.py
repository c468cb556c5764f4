"""A real browser, without a window: what the scripts of a page come to."""

import asyncio
import shutil
import tempfile

import pytest

from weblayer.web.resource import Resource

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

LIMIT = 60  # seconds after which a browser is taken to hang

# For a page of the site that has a `Done` at /done: what its script has come to.
DONE = """
function done(value) { fetch("/done", {method: "POST", body: JSON.stringify(value)}); }
"""


class Done(Resource):
    """Is told what the script of a page has come to."""

    isLeaf = True

    def __init__(self):
        self.told = asyncio.get_running_loop().create_future()

    def render_POST(self, request):
        self.told.set_result(request.json())
        return b""


async def outcome(url, done, *options):
    """What the script of the page at *url* tells *done*."""
    with tempfile.TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--no-proxy-server", "--disable-background-networking",
            f"--user-data-dir={folder}", *options, url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(LIMIT):
                return await done.told
        finally:
            process.terminate()
            await process.wait()
