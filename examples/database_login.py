"""Users in a database: any with a DB-API module, asked in a thread. An old hash is made anew.

Run `python examples/database_login.py`, with a port behind it if you like, and open the address it
prints as ada (lovelace): her hash was SHA-1, and is scrypt from then on.
"""

import sqlite3
import sys

import weblayer
from weblayer import reactor

QUERY = "SELECT password, id FROM users WHERE name = ?"
UPDATE = "UPDATE users SET password = ? WHERE name = ? AND password = ?"
ADA = "INSERT INTO users VALUES (7, 'ada', '{SHA}MJgvYgf2tRctgBqviyzN0HpBdyY=')"


def connect():
    return sqlite3.connect("file:users?mode=memory&cache=shared", uri=True, isolation_level=None)


def upgrade(name, outdated, stored):
    kept.execute(UPDATE, [stored, name, outdated])  # a moment's work; else in a thread


class Hello(weblayer.Resource):
    def render_GET(self, request):
        return f"Number {request.avatarId}, {kept.execute(QUERY, ['ada']).fetchone()[0][:8]}\n"


kept = connect()  # which is there as long as somebody has it open
kept.executescript(f"CREATE TABLE users (id INTEGER PRIMARY KEY, name, password); {ADA};")
checker = weblayer.DatabaseChecker(connect, QUERY, upgrade)
portal = weblayer.Portal(weblayer.CommonRealm(Hello()), [checker])
guard = weblayer.HTTPAuthSessionWrapper(portal, [weblayer.BasicCredentialFactory("users")])
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, weblayer.Site(guard), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
