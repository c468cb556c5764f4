"""A server of the standard library's that tells in JSON what it was asked."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class Echo(BaseHTTPRequestHandler):
    """`/redirect?x` leads to x (302, or 307), `/cookie` sets one, `/status/N` answers N.

    All else is an echo.
    """

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(),
            "peer": self.client_address[1],
        }
        place, _, query = self.path.partition("?")
        self.send_response(
            {"/redirect": 302, "/redirect307": 307, "/status/404": 404, "/status/500": 500}.get(
                place, 200
            )
        )
        if place.startswith("/redirect"):
            self.send_header("Location", query)
        if place == "/cookie":
            self.send_header("Set-Cookie", "crumb=1")
        said = json.dumps(asked).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def handle(self):
        with suppress(ConnectionError):  # who has seen enough is not to be heard of
            super().handle()

    def log_message(self, *_):
        pass
