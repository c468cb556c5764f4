"""Wrappers: what is decided on the head, before a part of the tree; and what dresses answers."""

import json

import pytest

from tests.web.trees import Page, errors_of, raw, tree
from weblayer.loop.deferred import Deferred, succeed
from weblayer.web.errors import Forbidden
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation, ask
from weblayer.web.wrapper import Wrapper


class Gate(Wrapper):
    """Gives what *choose* makes of the request."""

    def __init__(self, choose):
        self.choose = choose

    def enter(self, request):
        return self.choose(request)


def places(request):
    return {"pre": request.prepath, "post": request.postpath}


def closed(request):
    raise Forbidden("closed today")


UPLOAD = raw("POST /in HTTP/1.1", "Content-Length: 5", "Expect: 100-continue")


@pytest.mark.parametrize("path", ["/in", "/in/", "/in/a", "/in/a/b"])
@pytest.mark.parametrize("many", [1, 3])
def test_a_wrapper_is_met_once_on_the_way_to_what_it_stands_before(path, many):
    """Whether the path ends there or goes on, and whether another wrapper stands before it."""
    met = []
    node = tree(a=tree(b=Page(places)))
    node.getChild = lambda name, request: Page(places)
    for number in range(many):
        node = Gate(lambda request, number=number, inner=node: met.append(number) or inner)
    ask(tree(**{"in": node}), "GET", path)
    assert met == list(range(many))[::-1]


def test_a_wrapper_takes_no_segment_of_the_path():
    """What stands behind it is asked for the same as without it."""
    leaf = Page(places)
    for node in (leaf, Wrapper(leaf), Wrapper(Wrapper(leaf))):
        answer = ask(tree(**{"in": node}), "GET", "/in/x/y")
        assert json.loads(answer.text()) == {"pre": ["in"], "post": ["x", "y"]}


def test_a_wrapper_may_stand_at_the_root():
    """A whole site can be wrapped."""
    assert ask(Wrapper(Page(places)), "GET", "/a").text() == '{"pre": [], "post": ["a"]}'


@pytest.mark.parametrize("later", [succeed, None])
def test_what_a_wrapper_gives_may_come_later(later):
    """A Deferred or a coroutine of a node does as well."""

    async def given(node):
        return node

    assert ask(Gate(lambda request: (later or given)(Page(places))), "GET", "/").code == 200


def test_a_wrapper_that_is_awaited_may_give_another():
    """A node that comes later may be a wrapper."""
    inner = Wrapper(Page(places))
    assert ask(Gate(lambda request: succeed(inner)), "GET", "/").code == 200


def test_who_is_not_let_in_uploads_nothing():
    """The refusal goes out in place of 100 Continue."""
    conversation = Conversation(tree(**{"in": Gate(closed)}))
    conversation.send(UPLOAD)
    assert conversation.received.startswith(b"HTTP/1.1 403 ")


def test_a_wrapper_is_asked_before_the_body_is():
    """While it makes up its mind the client waits for its 100 Continue."""
    mind = Deferred()
    conversation = Conversation(tree(**{"in": Gate(lambda request: mind)}))
    conversation.send(UPLOAD)
    assert conversation.received == b""
    mind.callback(Page(lambda request: request.content.read()))
    assert conversation.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    conversation.send(b"hello")
    assert conversation.received.endswith(b"hello")


def test_the_policy_of_a_wrapper_holds_behind_it():
    """It is laid over what stands above it, and under what stands behind it."""
    gate = Wrapper(Page(lambda request: str(request.policy.maxBody)))
    gate.policy = Policy(maxBody=7)
    assert ask(gate, "GET", "/").text() == "7"
    gate.resource.policy = Policy(maxBody=8)
    assert ask(gate, "GET", "/").text() == "8"


@pytest.mark.parametrize("node", [None, Resource, "text"])
def test_what_is_no_node_has_no_wrapper(node):
    """A TypeError where it is made, and no 500 for each request."""
    with pytest.raises(TypeError, match="resource must be a resource"):
        Wrapper(node)


@pytest.mark.parametrize("node", [Wrapper, object(), "wrapper"])
def test_what_is_no_node_has_no_place_in_the_tree(node):
    """A class, and anything that cannot be walked, is a TypeError where it is put."""
    with pytest.raises(TypeError, match="instance"):
        Resource().putChild("a", node)


# What dresses an answer


def dressed(answer, *calls, **options):
    """Ask a page for which *calls* were made to be called before its answer."""

    def render(request):
        for call in calls:
            request.beforeAnswer(call)
        return answer(request)

    return ask(Page(render), "GET", "/", **options)


def mark(request):
    request.setHeader("X-Mark", str(request.code))


def later(request):
    request.write(b"a")
    request.finish()
    return NOT_DONE_YET


def fails(request):
    raise ValueError("a fault")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda request: b"a", 200),
        (lambda request: iter([b"a", b"b"]), 200),
        (later, 200),
        (closed, 403),
        (fails, 500),
    ],
)
def test_every_answer_is_dressed(answer, code):
    """At once, piece by piece, by hand or an error's page: with its code known."""
    response = dressed(answer, mark)
    assert (response.code, response.getHeader("x-mark")) == (code, str(code))


def test_who_asked_first_dresses_first():
    """So that what was asked nearer to the page has the last word."""
    calls = [lambda request, n=n: request.setHeader("X-Mark", str(n)) for n in range(3)]
    assert dressed(lambda request: b"", *calls).getHeader("x-mark") == "2"


def test_a_dressing_that_fails_is_an_error_of_the_pages(caplog):
    """The others dress the error's page; the one that failed is not called again."""
    called = []

    def failing(request):
        called.append(request.code)
        raise ValueError("a fault")

    response = dressed(lambda request: b"a", failing, mark)
    assert (response.code, response.getHeader("x-mark"), called) == (500, "500", [200])
    assert len(errors_of(caplog)) == 1


@pytest.mark.parametrize("began", [False, True])
def test_what_was_to_be_kept_is_kept_though_the_client_left(began):
    """A change that runs to its end dresses an answer that nobody reads, once."""
    result, called = Deferred(), []

    def render(request):
        request.beforeAnswer(lambda request: called.append(request.lost))
        if began:
            request.write(b"a")
        return result

    conversation = Conversation(Page(render))
    conversation.send(raw("POST / HTTP/1.1"))
    conversation.reset()
    assert called == [False] * began
    result.callback(b"done")
    assert called == [not began]
