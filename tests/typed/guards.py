"""Who may come in, with types; see `tree`."""

from typing import Any

from weblayer import (
    CORS,
    SOMEBODY,
    BasicCredentialFactory,
    CGIDirectory,
    Deadlines,
    HTTPAuthSessionWrapper,
    InMemoryPasswords,
    IResource,
    Limits,
    LoginRequired,
    NameVirtualHost,
    Portal,
    Rate,
    RateLimit,
    Request,
    Resource,
    Restricted,
    SecurityHeaders,
    Site,
    SQLiteSessions,
    Templates,
    hashPassword,
)


class Realm:
    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        return IResource, Resource(), lambda: None


portal = Portal(Realm(), [InMemoryPasswords({"a": hashPassword("b")})])
guard = HTTPAuthSessionWrapper(portal, [BasicCredentialFactory("r")])
vhost = NameVirtualHost()
vhost.addHost("example.org", CORS(RateLimit(guard, Rate(2)), ["https://x.example"]))
vhost.addHost("b.example", LoginRequired(portal))
vhost.addHost("c.example", Restricted(CGIDirectory("cgi-bin", timeout=3), {"GET": SOMEBODY}))
pages = Templates("t")


class Page(Resource):
    def render_GET(self, request: Request) -> str:
        session = request.getSession()
        session["n"] = session.get("n", 0) + 1
        return pages.page("x.html", request=request)


site = Site(
    SecurityHeaders(vhost),
    sessions=SQLiteSessions("x.db"),
    limits=Limits(maxHead=9000),
    deadlines=Deadlines(head=3),
    logPath="x.log",
    logFormatter="json",
)
