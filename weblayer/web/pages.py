"""Pages for errors, as resources: put them, or give them from `getChild`."""

from weblayer.web.errorpage import answer_error
from weblayer.web.request import Request
from weblayer.web.resource import Child, Resource

__all__ = ["ErrorPage", "errorPage", "forbidden", "notFound"]


class ErrorPage(Resource):
    """Answers every method, and everything below it, with one error."""

    isLeaf = True

    def __init__(self, code: int, brief: str = "", detail: str = "") -> None:
        self.code, self.brief, self.detail = code, brief, detail

    def getChild(self, name: str, request: Request) -> Child:
        """The same error."""
        return self

    def render(self, request: Request) -> bytes:
        """The error, in HTML, JSON or plain text as the client likes best."""
        return answer_error(request, self.code, self.brief, self.detail)


def errorPage(code: int, brief: str = "", detail: str = "") -> ErrorPage:
    """A page for *code*; *brief* is its title, *detail* the sentence below. Both are escaped."""
    return ErrorPage(code, brief, detail)


def notFound(brief: str = "", message: str = "") -> ErrorPage:
    """A page for 404."""
    return ErrorPage(404, brief, message)


def forbidden(brief: str = "", message: str = "") -> ErrorPage:
    """A page for 403."""
    return ErrorPage(403, brief, message)
