"""POST: sending a form, as the page of a browser does; then an answer that is an error.

Run `python examples/post_data.py http://localhost:8000/ Zoë` while examples/form_post.py serves
there:
    <p>Hello, Zoë!</p>
    A longer name: POST http://localhost:8000/ was answered with 413 Content Too Large
"""

import sys

from weblayer import react
from weblayer.client import Session
from weblayer.client.error import BadStatus


async def main(reactor, uri, name):
    async with Session() as session:
        response = await session.post(uri, data={"name": name})
        print(await response.text())
        try:
            (await session.post(uri, data={"name": name * 1000})).raiseForStatus()
        except BadStatus as error:
            print("A longer name:", error)


react(main, sys.argv[1:])
