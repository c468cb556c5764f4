"""A real browser, without a window: what the scripts of a page come to."""

import asyncio
import html
import json
import re
import shutil
import tempfile

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

LIMIT = 60  # seconds after which a browser is taken to hang

# What a page shows once its script is done; `done(value)` is for the script to call.
RESULT = re.compile(r"<output>(.*?)</output>", re.DOTALL)
DONE = """
function done(value) {
    const output = document.createElement("output");
    output.textContent = JSON.stringify(value);
    document.body.append(output);
}
"""


async def browse(url, *options):
    """The page at *url* as it has become, and what was complained of on the console."""
    with tempfile.TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--no-proxy-server", "--disable-background-networking",
            f"--user-data-dir={folder}", "--enable-logging=stderr", "--v=0",
            # The scripts' time, which passes at once where nothing is on its way.
            "--virtual-time-budget=20000", *options, "--dump-dom", url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(LIMIT):
                page, log = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    lines = log.decode(errors="replace").splitlines()
    return page.decode(), [line for line in lines if "CONSOLE" in line]


async def outcome(url, *options):
    """What the script of the page at *url* gave to `done`, and the console's complaints."""
    page, complaints = await browse(url, *options)
    found = RESULT.search(page)
    assert found, f"the script has not come to an end: {page} {complaints}"
    return json.loads(html.unescape(found[1])), complaints
