"""Trees to ask, in the fewest words: a page that answers with what a function gives."""

from weblayer.web.resource import Resource


class Page(Resource):
    """Answers every method with what *answer* makes of the request."""

    isLeaf = True

    def __init__(self, answer, policy=None):
        self.answer, self.policy = answer, policy

    def render(self, request):
        return self.answer(request)


def tree(**children):
    """A folder of pages, by name."""
    root = Resource()
    for name, child in children.items():
        root.putChild(name, child)
    return root


def raw(*lines, body=b""):
    """A request as bytes, of its request line and fields, with a Host."""
    head = [lines[0], "Host: weblayer.test", *lines[1:], "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def errors_of(caplog):
    """What was logged as an error, messages and tracebacks."""
    return [r for r in caplog.records if r.levelname in ("ERROR", "CRITICAL")]
