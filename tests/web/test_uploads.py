"""Uploads: files of a form, their names, and what remains of them, which is nothing."""

import hashlib
import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.bodies import MULTIPART, field, file, form
from tests.web.trees import Page, raw
from weblayer.loop.deferred import Deferred
from weblayer.web.intake import MEMORY
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask
from weblayer.web.upload import FormPart, Upload
from weblayer.wire.formdata import Part

LARGE = Policy(maxBody=64 * MEMORY)


def upload_of(content, before=b"before", after=b"after"):
    """A file in the midst of a body."""
    part = Part(b"f", b"x", None, [], start=len(before))
    return Upload(part, len(content), io.BytesIO(before + content + after))


# Its content

steps = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 40)),
        st.tuples(st.just("seek"), st.integers(0, 60)),
        st.tuples(st.just("readline")),
        st.tuples(st.just("tell")),
    ),
    max_size=10,
)


@given(content=st.binary(max_size=50), acts=steps, on_disk=st.booleans())
def test_an_upload_reads_as_any_file_does(content, acts, on_disk, tmp_path_factory):
    """Whatever is done to its file, it is as if the content were alone in one."""
    path = tmp_path_factory.getbasetemp() / "body"
    path.write_bytes(b"before" + content + b"after")
    with path.open("rb") as disk:
        body = disk if on_disk else io.BytesIO(path.read_bytes())
        ours = Upload(Part(b"f", b"x", None, [], start=6), len(content), body).file
        theirs = io.BytesIO(content)
        for name, *arguments in acts:
            assert getattr(ours, name)(*arguments) == getattr(theirs, name)(*arguments)


def test_an_upload_seeks_from_its_own_beginning_and_end():
    """The body around it is not to be seen, and before the beginning is nowhere."""
    upload = upload_of(b"content").file
    assert (upload.seek(-3, os.SEEK_END), upload.read()) == (4, b"ent")
    assert (upload.seek(20), upload.read()) == (20, b"")
    with pytest.raises(ValueError, match="offset"):
        upload.seek(-8, os.SEEK_END)


@pytest.mark.parametrize("size", [10, 3 * MEMORY])
def test_large_and_small_files_arrive_whole(size):
    """Several in one form, in memory or on disk, read in turns: every byte, and its size."""
    contents = [random.Random(n).randbytes(size) for n in (1, 2)]
    seen = []

    def page(request):
        one, two = request.files["f"]
        digests = hashlib.sha256(), hashlib.sha256()
        while pieces := (one.file.read(1000), two.file.read(1000)):
            for digest, piece in zip(digests, pieces, strict=True):
                digest.update(piece)
            if not any(pieces):
                break
        seen.extend(digest.digest() for digest in digests)
        return [one.size, two.size]

    body = form(*[file("f", f"{n}.bin", content) for n, content in enumerate(contents)])
    answer = ask(Page(page, LARGE), "POST", "/", MULTIPART, body)
    assert answer.text() == f"[{size}, {size}]"
    assert seen == [hashlib.sha256(content).digest() for content in contents]


# Its name


def part_called(filename):
    return FormPart(Part(b"f", filename, None, []))


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("naïve ☃.txt", "naïve ☃.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (".htaccess", "htaccess"),
        (" a.txt. ", "a.txt"),
        ("a\0b\r\n.txt", "a_b__.txt"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("x" * 300 + ".tar", "x" * 251 + ".tar"),
        ("☃" * 100, "☃" * 85),
        ("." + "x" * 300, "x" * 255),
        ("x." + "y" * 254, "x." + "y" * 253),
    ],
)
def test_a_name_fit_for_a_folder(sent, safe):
    """One segment, printable, not hidden, not too long; the name as sent is there beside it."""
    part = part_called(sent.encode())
    assert (part.filename, part.safeName) == (sent, safe)


@given(st.binary(max_size=400))
def test_no_name_leads_out_of_its_folder(sent):
    """Whatever was sent, a file of the safe name is one directly within the folder."""
    name = part_called(sent).safeName
    assert Path("/folder", name).resolve().parent == Path("/folder")
    assert name.isprintable()
    assert 0 < len(name.encode()) <= 255
    assert not name.startswith(".")


def test_the_head_of_a_part_is_told():
    """Its type as sent, and every field of its own."""
    head = b"content-disposition: form-data; name=f; filename=x\r\nX-Own: 1\r\n\r\n"
    seen = []
    page = Page(lambda request: seen.append(request.files["f"][0]) or b"")
    ask(page, "POST", "/", MULTIPART, form(head))
    assert (seen[0].contentType, seen[0].headers.getHeader("x-own")) == (None, "1")
    assert repr(seen[0]) == "<Upload 'f', filename 'x'>"


# What remains

FILES = Path("/proc/self/fd")

needs_proc = pytest.mark.skipif(not FILES.exists(), reason="this system has no /proc")


def deleted():
    """The open files that have no name: those of tempfile."""
    links = []
    for link in FILES.iterdir():
        try:
            links.append(os.readlink(link))
        except FileNotFoundError:  # the one that lists this folder
            continue
    return [target for target in links if target.endswith("(deleted)")]


BODY = form(field("a", b"1"), file("f", "x", b"x" * 2 * MEMORY), file("g", "y", b"y"))
HEAD = raw(
    "POST / HTTP/1.1", f"Content-Type: {MULTIPART['Content-Type']}", f"Content-Length: {len(BODY)}"
)


def read(request):
    """Read a little of everything, and leave the rest."""
    request.files["f"][0].file.read(100)
    return request.args["a"][0]


def fail(request):
    read(request)
    raise RuntimeError


def left_by_hand(request):
    read(request)
    return NOT_DONE_YET


async def slow(request):
    read(request)
    await Deferred()


@needs_proc
def test_a_form_has_one_file_however_many_it_brings():
    """A thousand uploads take one descriptor, and it is gone with the request."""
    seen = []

    def page(request):
        uploads = request.files["f"]
        seen.append(sum(len(upload.file.read()) for upload in uploads))
        seen.append(len(deleted()) - before)
        return b""

    before = len(deleted())
    ask(Page(page, LARGE), "POST", "/", MULTIPART, form(*[file("f", "x", b"x" * 1000)] * 900))
    assert seen == [900_000, 1]
    assert len(deleted()) == before


@needs_proc
@pytest.mark.parametrize("page", [read, fail, lambda request: b"", slow, left_by_hand])
@pytest.mark.parametrize("cut", [len(BODY), len(BODY) - 100], ids=["whole", "cut"])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("leave", [Conversation.lose, Conversation.reset], ids=["lost", "reset"])
def test_no_temporary_file_is_left(page, cut, method, leave):
    """Answered, failed, half sent or given up: when the request is over its file is closed."""
    before = len(deleted())
    requests = []

    def watched(request):
        requests.append(request)
        return page(request)

    with Conversation(
        Page(watched, Policy(maxBody=4 * MEMORY, cancelWhenLost=True))
    ) as conversation:
        conversation.send(HEAD.replace(b"POST", method.encode()) + BODY[:cut], method)
        leave(conversation)
        conversation.advance(10)  # who ends a side is first taken for one that still listens
        for request in requests:
            if page is left_by_hand:
                request.finish()
        assert len(deleted()) == before


@needs_proc
def test_a_body_that_grew_too_large_leaves_no_file():
    """Refused in the midst, its beginning is thrown away."""
    before = len(deleted())
    conversation = Conversation(Page(read, Policy(maxBody=2 * MEMORY)))
    conversation.send(
        raw("POST / HTTP/1.1", *[f"{k}: {v}" for k, v in MULTIPART.items()],
            "Transfer-Encoding: chunked"), "POST",
    )  # fmt: skip
    conversation.send(b"%x\r\n%b\r\n" % (len(BODY), BODY))
    assert conversation.code == 413
    assert len(deleted()) == before


def test_an_upload_is_not_read_after_its_request():
    """Its file is closed with the body, in memory or not."""
    kept = []
    page = Page(lambda request: kept.append(request.files["f"][0]) or b"", LARGE)
    for size in (10, 2 * MEMORY):
        ask(page, "POST", "/", MULTIPART, form(file("f", "x", b"x" * size)))
        with pytest.raises(ValueError, match="closed"):
            kept.pop().file.read()
