"""Visitors who come back: a browser's cookies between conversations with one site."""

from tests.web.trees import Page
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.site import Site
from weblayer.web.testing import Conversation


class Far(MemorySessions):
    """One that answers later."""

    isRemote = True

    async def find(self, cookie):
        return super().find(cookie)

    async def save(self, change):
        super().save(change)

    async def remove(self, uid):
        super().remove(uid)


class Visitor:
    """Asks a site again and again, with the cookies that it was told to keep."""

    def __init__(self, site, *, secure=False):
        self.site, self.cookies, self.secure = site, {}, secure

    def ask(self, target="/", method="GET", headers=None, body=b""):
        """The conversation of one request."""
        fields = dict(headers or {})
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if self.secure:
            fields["X-Forwarded-Proto"] = "https"
        conversation = Conversation(self.site)
        conversation.ask(method, target, fields, body)
        self.heed(conversation)
        return conversation

    def text(self, target="/", **options):
        """What a page says."""
        return self.ask(target, **options).text()

    def heed(self, conversation):
        """Keep the cookies of an answer."""
        for line in conversation.headers.getRawHeaders("set-cookie", []):
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def visit(answer, store, **options):
    """A visitor of a site with one page, which answers what *answer* makes of the session."""

    def render(request):
        return answer(request.getSession())

    return Visitor(Site(Page(render), sessions=store), **options)


def pages(**answers):
    """A page that answers by the first segment of its path, with what is made of the request."""
    return Page(lambda request: answers[request.postpath[0]](request))


def cookies_of(conversation):
    """The Set-Cookie lines of an answer."""
    return conversation.headers.getRawHeaders("set-cookie", [])
