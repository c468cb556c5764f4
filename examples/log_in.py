"""Logging in as a browser does, by a form and cookies; a file keeps those for the next time.

Run `python examples/log_in.py http://localhost:8080/ ada lovelace` while examples/login_form.py
serves there; the second time, nobody is asked for a password:
    Logged in at http://localhost:8080/login
    <a href="logout">Log out, ada</a>
"""

import re
import sys
from contextlib import suppress
from http.cookiejar import MozillaCookieJar

from weblayer import react
from weblayer.client import Session

HIDDEN = re.compile('<input type="hidden" name="(.+?)" value="(.+?)">')


async def main(reactor, uri, name, password):
    jar = MozillaCookieJar("cookies.txt")
    with suppress(FileNotFoundError):
        jar.load(ignore_discard=True)
    async with Session(cookies=jar, headers={"Accept": "text/html"}) as session:
        page = await session.get(uri)
        if page.previousResponse:  # it has led us to the form
            form = dict(HIDDEN.findall(await page.text()))
            place = page.request.absoluteURI
            form |= {"username": name, "password": password}
            page = (await session.post(place, data=form)).raiseForStatus()
            print("Logged in at", place.partition("?")[0])
        print(re.search("<a href.*?</a>", await page.text())[0])
    jar.save(ignore_discard=True)


react(main, sys.argv[1:])
