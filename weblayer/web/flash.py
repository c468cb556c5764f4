"""Messages for the next page that a visitor sees: "Saved.", after a form has been sent.

flash(request, "Saved.")                 # in render_POST, which redirects
flashes(request)                         # [Flash("Saved.", "info")], once, in the next page
"""

from typing import NamedTuple

from weblayer.web.request import Request

__all__ = ["Flash", "flash", "flashes"]

_KEY = "_flash"

# More than a person reads; who sends forms and looks at no page must not fill the session.
MOST = 16


class Flash(NamedTuple):
    """One message; *kind* is a word for how it looks."""

    message: str
    kind: str


def flash(request: Request, message: str, kind: str = "info") -> None:
    """Have the next page of this visitor say *message*; of many the last 16."""
    session = request.getSession()
    session[_KEY] = [*session.get(_KEY, ()), [message, kind]][-MOST:]


def flashes(request: Request) -> list[Flash]:
    """The messages that wait for this visitor; they are gone then."""
    return [Flash(*each) for each in request.getSession().pop(_KEY, ())]
