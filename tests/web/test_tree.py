"""The tree: how a path finds its resource, and what a resource answers to each method."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from weblayer.loop.deferred import Deferred, succeed
from weblayer.web.afterbody import AfterBody
from weblayer.web.errors import NotFound
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation, ask
from weblayer.wire.percent import percent_encode


class Places(Page):
    """Tells where the walk has come to."""

    def __init__(self):
        super().__init__(lambda request: {"pre": request.prepath, "post": request.postpath})


class Echo(Resource):
    """A leaf that takes a body."""

    isLeaf = True

    def render_POST(self, request):
        return request.content.read()


class Finds(Resource):
    """A node whose children are what a function gives."""

    def __init__(self, find):
        self.find = find

    def getChild(self, name, request):
        return self.find(name)


# Finding


def test_a_child_that_was_put_is_found():
    """putChild makes a resource the answer for one segment, in text or in bytes."""
    root = Resource()
    root.putChild("a", Page(lambda request: b"text"))
    root.putChild(b"b", Page(lambda request: b"bytes"))
    assert ask(root, "GET", "/a").body == b"text"
    assert ask(root, "GET", "/b").body == b"bytes"


def test_a_leaf_is_given_the_rest_of_the_path():
    """isLeaf ends the walk: what was passed is in prepath, what remains in postpath."""
    answer = ask(tree(a=tree(b=Places())), "GET", "/a/b/c/d")
    assert answer.text() == '{"pre": ["a", "b"], "post": ["c", "d"]}'


def test_the_walk_ends_where_the_path_does():
    """A node that is no leaf is rendered when nothing of the path is left."""
    node = Places()
    node.isLeaf = False
    assert ask(tree(a=node), "GET", "/a").text() == '{"pre": ["a"], "post": []}'


def test_get_child_makes_the_children_that_were_not_put():
    """getChild is asked for what was not put, and only for that."""
    root = Finds(lambda name: Page(lambda request: f"made {name}"))
    root.putChild("fixed", Page(lambda request: b"put"))
    assert ask(root, "GET", "/fixed").body == b"put"
    assert ask(root, "GET", "/other").text() == "made other"


def test_every_look_up_passes_get_child_with_default():
    """getChildWithDefault wraps every look-up, of children that were put too."""

    class Guarded(Resource):
        def getChildWithDefault(self, name, request):
            if name == "secret":
                raise NotFound
            return super().getChildWithDefault(name, request)

    root = Guarded()
    root.putChild("secret", Places())
    root.putChild("open", Places())
    assert ask(root, "GET", "/secret").code == 404
    assert ask(root, "GET", "/open").code == 200


def test_a_node_needs_no_base_class():
    """Anything with isLeaf, getChildWithDefault and render is a node, a policy it may lack."""

    class Own:
        isLeaf = False

        def getChildWithDefault(self, name, request):
            return self

        def render(self, request):
            return b"own"

    assert ask(Own(), "GET", "/deep/down").body == b"own"


def test_what_is_not_there_is_404():
    """A tree without the child answers 404, as does a path that goes on below a page."""
    assert ask(tree(a=tree()), "GET", "/b").code == 404
    assert ask(tree(a=tree()), "GET", "/a/b").code == 404


def test_a_folder_that_renders_nothing_is_404():
    """A resource that only holds children is not itself an answer, whatever the method."""
    assert [ask(tree(), method, "/").code for method in ("GET", "PUT", "OPTIONS")] == [404] * 3


class Half(Resource):
    """Renders by its methods."""

    def render_GET(self, request):
        return b"it"


class Whole(Resource):
    """Renders whatever comes."""

    def render(self, request):
        return b"it"


@pytest.mark.parametrize("kind", [Half, Whole])
def test_a_trailing_slash_finds_the_resource_itself(kind):
    """Where nothing was put as "", a resource that renders answers for its slash, and no more."""
    root = kind()
    root.putChild("a", kind())
    assert [ask(root, "GET", target).code for target in ("/", "/a", "/a/", "/a//")] == [
        200, 200, 200, 404,
    ]  # fmt: skip


def test_the_empty_name_can_be_put():
    """putChild("") is what a trailing slash finds."""
    root = tree()
    root.putChild("", Page(lambda request: b"index"))
    assert ask(root, "GET", "/").body == b"index"


# Segments


@pytest.mark.parametrize(
    ("target", "segments"),
    [
        ("/a%20b/c", ["a b", "c"]),
        ("/%C3%A9/%E2%82%AC", ["é", "€"]),
        ("/%ff", ["\udcff"]),
        ("/a%2Fb", ["a/b"]),
        ("/%2e%2e/x", ["..", "x"]),
        ("/%2525", ["%25"]),
        ("/%zz/%", ["%zz", "%"]),
        ("/a+b", ["a+b"]),
        ("//a/", ["", "a", ""]),
        ("/a;b=c?d=/e", ["a;b=c"]),
    ],
)
def test_segments_are_decoded_once(target, segments):
    """Each segment is percent-decoded once as UTF-8, other bytes survive, %2F parts nothing."""
    seen = []
    ask(Page(lambda request: seen.extend(request.postpath) or b""), "GET", target)
    assert seen == segments


@given(st.lists(st.binary(min_size=1)))
def test_every_name_can_be_asked_for(names):
    """Whatever bytes a name holds, its percent-encoded form finds it."""
    seen = []
    page = Page(lambda request: seen.extend(request.postpath) or b"")
    ask(page, "GET", "/" + "/".join(percent_encode(name).decode() for name in names))
    assert [part.encode("utf-8", "surrogateescape") for part in seen] == (names or [b""])


# Children that come later


async def at_once(child):
    return child


@pytest.mark.parametrize("wrap", [at_once, succeed])
def test_a_child_may_come_later(wrap):
    """getChild may be async or give a Deferred; the walk goes on from what it becomes."""
    root = Finds(lambda name: wrap(tree(b=Places())))
    assert ask(root, "GET", "/a/b/c").text() == '{"pre": ["a", "b"], "post": ["c"]}'


def test_an_awaited_child_may_be_awaited_again():
    """What getChild promises may be another promise."""
    root = Finds(lambda name: at_once(succeed(Places())))
    assert ask(root, "GET", "/a").code == 200


def test_the_body_waits_for_the_child():
    """While the child is looked for the body is held back, and then delivered whole."""
    coming = Deferred()
    conversation = ask(Finds(lambda name: coming), "POST", "/a", body=b"x" * 300_000)
    assert not conversation.answers
    conversation.do(coming.callback, Echo())
    assert conversation.body == b"x" * 300_000


def test_the_body_that_comes_while_the_child_is_looked_for_waits_too():
    """A body in many packets is held back in the connection, not in our memory."""
    coming = Deferred()
    conversation = Conversation(Finds(lambda name: coming))
    conversation.send(raw("POST /a HTTP/1.1", "Content-Length: 6"), "POST")
    conversation.send(b"abc")
    conversation.send(b"def")
    conversation.do(coming.callback, Echo())
    assert conversation.body == b"abcdef"


def test_the_body_waits_for_the_last_child():
    """Where one child after the other comes later, the body is held back until all are there."""
    first, second = Deferred(), Deferred()
    conversation = ask(Finds(lambda name: first), "POST", "/a/b", body=b"abc")
    conversation.do(first.callback, Finds(lambda name: second))
    assert not conversation.answers
    conversation.do(second.callback, Echo())
    assert conversation.body == b"abc"


def test_the_body_of_the_next_request_waits_for_its_own_child():
    """The child of the request before, whose answer passes the turn on, does not let it go."""
    coming = [Deferred(), Deferred()]
    later = iter(coming)
    conversation = ask(Finds(lambda name: next(later)), "POST", "/a")
    conversation.ask("POST", "/b", body=b"abc")
    for child in coming:
        conversation.do(child.callback, Echo())
    assert [answer.body for answer in conversation.answers] == [b"", b"abc"]


def test_a_body_that_breaks_while_the_child_is_looked_for_is_400():
    """What is wrong with it is told in its turn, when the child is there."""
    coming = Deferred()
    conversation = Conversation(Finds(lambda name: coming))
    conversation.send(raw("POST /a HTTP/1.1", "Transfer-Encoding: chunked") + b"wrong\r\n", "POST")
    assert not conversation.answers
    conversation.do(coming.callback, Echo())
    assert (conversation.code, conversation.isClosed) == (400, True)


def test_a_child_that_fails_to_come_is_its_error():
    """NotFound from an awaited getChild is 404, and the connection goes on."""

    async def nothing(name):
        raise NotFound

    conversation = ask(Finds(nothing), "GET", "/a")
    conversation.ask("GET", "/b")
    assert [answer.code for answer in conversation.answers] == [404, 404]


def test_a_client_that_leaves_cancels_the_search_for_the_child():
    """Whatever the method: as long as nothing is found nothing has begun."""
    cancelled, rendered = [], []
    page = Page(lambda request: rendered.append(request) or b"")
    for method in ("GET", "POST"):
        coming = Deferred(cancelled.append)
        conversation = ask(Finds(lambda name, coming=coming: coming), method, "/a")
        conversation.reset()
        assert len(cancelled) == (1 if method == "GET" else 2)
        coming.callback(page)
    assert not rendered


@pytest.mark.parametrize("child", [None, b"bytes", "text", Resource, 7, succeed(None)])
def test_a_wrong_child_is_500_and_the_log_tells_why(child, caplog):
    """What is no resource is an error of the program, which the log names."""
    page = ask(Finds(lambda name: child), "GET", "/a")
    assert page.code == 500
    assert "GET /a failed" in caplog.text


def test_a_wrong_child_behind_a_body_is_told_alike(caplog):
    """What is decided when the body has come goes on as the walk would have."""

    async def decide(request):
        return Finds(lambda name: None)

    root = Finds(lambda name: AfterBody(decide))
    assert ask(root, "POST", "/a/b", body=b"abc").code == 500
    assert "getChild gave None for /a/b; give a resource" in caplog.text


def test_the_log_tells_what_get_child_gave(caplog):
    """The error says what came, for which path, and what to give."""
    ask(Finds(lambda name: None), "GET", "/a")
    assert "getChild gave None for /a; give a resource" in caplog.text


@pytest.mark.parametrize(
    ("path", "child", "error"),
    [
        (7, Resource(), TypeError),
        ("a/b", Resource(), ValueError),
        ("a", b"bytes", TypeError),
        ("a", Resource, TypeError),
        ("a", None, TypeError),
    ],
)
def test_put_child_refuses_what_would_never_answer(path, child, error):
    """The mistake is told where it is made, with the parameter's name."""
    with pytest.raises(error, match=r"path|child"):
        Resource().putChild(path, child)


# Methods


class Shelf(Resource):
    """Takes GET and PUT."""

    isLeaf = True

    def render_GET(self, request):
        return b"shelf"

    def render_PUT(self, request):
        return request.content.read()


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_405_with_allow(method):
    """A known method that the resource does not render is 405, with what it does."""
    answer = ask(Shelf(), method)
    assert (answer.code, answer.getHeader("allow")) == (405, "GET, HEAD, OPTIONS, PUT")


def test_options_tells_the_methods():
    """OPTIONS is answered from the render methods, without a body."""
    answer = ask(Shelf(), "OPTIONS", "/any")
    assert (answer.code, answer.getHeader("allow")) == (204, "GET, HEAD, OPTIONS, PUT")
    assert answer.getHeader("content-type") is None
    assert answer.isWhole


def test_a_resource_may_answer_options_itself():
    """render_OPTIONS replaces the automatic answer."""

    class Own(Shelf):
        def render_OPTIONS(self, request):
            return b"own"

    assert ask(Own(), "OPTIONS").body == b"own"


def test_allowed_methods_is_what_allow_says():
    """A resource may say itself what it allows."""

    class Own(Shelf):
        allowedMethods = ("GET",)

    assert ask(Own(), "POST").getHeader("allow") == "GET"


def test_options_of_the_server_asks_no_resource():
    """`OPTIONS *` asks about the server as a whole."""
    answer = ask(tree(), "OPTIONS", "*")
    assert answer.code == 204
    assert "GET" in answer.getHeader("allow")


def test_an_asterisk_is_no_target_of_other_methods():
    """`GET *` is malformed."""
    assert ask(tree(), "GET", "*").code == 400


def test_no_tunnel_is_promised():
    """CONNECT asks no resource, not even one for every method: a 2xx would begin a tunnel."""

    class Everything(Resource):
        isLeaf = True

        def render(self, request):
            return request.method

    conversation = ask(Everything(), "CONNECT", "far.test:443")
    assert conversation.code == 501
    assert ask(Everything(), "PURGE").text() == "PURGE"


@pytest.mark.parametrize("method", ["FROB", "get"])
def test_a_method_nobody_knows_is_501(method):
    """Methods are case-sensitive, and an unknown one asks no resource."""
    conversation = ask(Shelf(), method)
    assert (conversation.code, conversation.isClosed) == (501, True)


def test_head_is_rendered_by_get():
    """HEAD answers as GET does, without the body; render_HEAD replaces that."""

    class Own(Shelf):
        def render_HEAD(self, request):
            request.setHeader("Content-Length", "1234")
            return b""

    head = ask(Shelf(), "HEAD")
    assert (head.code, head.body, head.getHeader("content-length")) == (200, b"", "5")
    assert ask(Own(), "HEAD").getHeader("content-length") == "1234"
