"""What serves the tree, under one roof, by the name that the field's programs import it from."""

from weblayer.web.request import NOT_DONE_YET, Request
from weblayer.web.session import Session
from weblayer.web.site import Site

__all__ = ["NOT_DONE_YET", "Request", "Session", "Site"]
