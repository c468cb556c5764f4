"""Who may see what `weblayer web` serves."""

from collections.abc import Sequence

import click

from weblayer.cred.credentials import IUsernameDigestHash, IUsernamePassword
from weblayer.cred.error import CredError
from weblayer.cred.portal import ICredentialsChecker, Portal
from weblayer.cred.strcred import makeChecker
from weblayer.web.guard import (
    BasicCredentialFactory,
    CommonRealm,
    DigestCredentialFactory,
    HTTPAuthSessionWrapper,
    ICredentialFactory,
)
from weblayer.web.resource import Node

__all__ = ["guarded"]


def guarded(node: Node, descriptions: Sequence[str], realm: str) -> Node:
    """*node* for those whom the checkers of *descriptions* know. Raises BadParameter."""
    checkers = [_checker(description) for description in descriptions]
    portal = Portal(CommonRealm(node), checkers)
    return HTTPAuthSessionWrapper(portal, [_factory(portal, realm)])


def _checker(description: str) -> ICredentialsChecker:
    try:
        return makeChecker(description)
    except OSError as error:
        told = f"{error.filename}: {error.strerror}. Give a file that can be read."
        raise click.BadParameter(told, param_hint="--auth") from error
    except (ValueError, CredError) as error:
        raise click.BadParameter(str(error), param_hint="--auth") from error


def _factory(portal: Portal, realm: str) -> ICredentialFactory:
    """What to ask with: a browser that is offered two schemes takes Digest for everybody."""
    known = portal.listCredentialsInterfaces()
    try:
        if IUsernameDigestHash not in known:
            return BasicCredentialFactory(realm)
        if IUsernamePassword not in known:
            return DigestCredentialFactory("MD5", realm)  # whose hashes htdigest writes
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--realm") from error
    raise click.BadParameter(
        "htdigest can stand beside no users with passwords, who log in by Basic authentication",
        param_hint="--auth",
    )
