"""Somebody to ask for, and how they say who they are."""

from base64 import b64encode

from tests.web.trees import Page
from weblayer.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.credentials import IUsernamePassword
from weblayer.cred.portal import Portal
from weblayer.web.guard import BasicCredentialFactory, HTTPAuthSessionWrapper
from weblayer.web.resource import IResource


class Home(Page):
    """A page that says whose it is, and what of the path it was asked for."""

    def __init__(self, owner):
        super().__init__(lambda request: {
            "owner": str(owner), "id": str(request.avatarId), "path": request.postpath,
            "body": request.content.read().decode(),
        })  # fmt: skip


class Realm:
    """Gives everybody a page of their own, and keeps who has come and gone."""

    def __init__(self, page=Home, logout=lambda: None):
        self.page, self.logout = page, logout
        self.came, self.left = [], []

    def requestAvatar(self, avatarId, mind, *interfaces):
        assert interfaces == (IResource,)
        self.came.append(avatarId)

        def left():
            self.left.append(avatarId)
            return self.logout()

        return IResource, self.page(avatarId), left


class Says:
    """A checker of passwords that gives, or raises, the same to all."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer):
        self.answer = answer

    def requestAvatarId(self, credentials):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ADA = InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace")


def guarded(*checkers, realm=None, factories=None, **options):
    """A guard, whose checkers know ada unless they are others."""
    portal = Portal(realm or Realm(), checkers or [ADA])
    return HTTPAuthSessionWrapper(portal, factories or [BasicCredentialFactory("home")], **options)


def basic(username, password):
    """The fields of a request that says a name and a password."""
    word = b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def asked_by(conversation):
    """The values of WWW-Authenticate of the last answer, a line each."""
    return conversation.headers.getRawHeaders("www-authenticate", [])
