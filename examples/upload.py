"""Files from a form, of any size: each is read as it comes, and none of them is kept.

Run `python examples/upload.py`, open the address it prints, or send it the largest file you
have with `curl -F file=@FILE`. It tells each file's size, and its SHA-256.
"""

import hashlib
import sys

from weblayer import Policy, Resource, Site, reactor

FORM = """<form method=post enctype=multipart/form-data>
<label>Files: <input name=file type=file multiple></label> <button>Send</button></form>"""


class Uploads(Resource):
    isLeaf = True
    policy = Policy(takesBody="stream", maxBody=100 * 1024**3)

    def render_GET(self, request):
        return FORM

    async def render_POST(self, request):
        request.setHeader("Content-Type", "text/plain")
        lines = []
        async for part in request.parts():
            size, digest = 0, hashlib.sha256()
            async for piece in part:
                size += len(piece)
                digest.update(piece)
            lines.append(f"{digest.hexdigest()}  {part.filename} ({size} bytes)\n")
        return "".join(lines)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(Uploads()), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
