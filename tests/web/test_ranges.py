"""Ranges: any part of what is known whole, a file or a page, and never a byte that is not its."""

import tempfile
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.trees import Page
from weblayer.web.filebody import PIECE
from weblayer.web.static import File
from weblayer.web.testing import Conversation, ask

BODY = bytes(range(256)) * 4
LARGE = bytes(n * n % 251 for n in range(5 * PIECE + 17))

numbers = st.integers(0, 1100)
specs = st.one_of(
    numbers.map(lambda first: f"{first}-"),
    numbers.map(lambda count: f"-{count}"),
    st.tuples(numbers, numbers).map(sorted).map(lambda two: "{}-{}".format(*two)),
)


@pytest.fixture(scope="module")
def folder():
    """A small file and one that is sent in pieces."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "small.bin").write_bytes(BODY)
        Path(name, "large.bin").write_bytes(LARGE)
        yield Path(name)


def page(request):
    request.setHeader("Content-Type", "application/octet-stream")
    return BODY


def slice_of(spec):
    """What a range means, by Python's own slices."""
    first, last = spec.split("-")
    if not first:
        return slice(-int(last), None) if int(last) else slice(0)
    return slice(int(first), int(last) + 1 if last else None)


def sliced(body, spec):
    return body[slice_of(spec)]


def parts_of(answer):
    """The parts of a 206 as pairs of (where it starts, bytes), as another reader reads them."""
    kind = answer.getHeader("content-type")
    if not kind.startswith("multipart/byteranges"):
        return [part(answer.getHeader("content-range"), answer.body)]
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + answer.body)
    assert message.is_multipart()
    assert not message.defects
    return [
        part(one["Content-Range"], one.get_payload(decode=True)) for one in message.get_payload()
    ]


def part(told, data):
    unit, _, told = told.partition(" ")
    first, last = told.partition("/")[0].split("-")
    assert (unit, int(last) - int(first) + 1) == ("bytes", len(data))
    return int(first), data


@settings(deadline=None)
@given(spec=specs, is_file=st.booleans())
def test_a_range_is_a_slice(folder, spec, is_file):
    """The bytes that are meant, the length that is sent, and a 416 where there are none."""
    site, target = (File(folder), "/small.bin") if is_file else (Page(page), "/")
    answer = ask(site, "GET", target, {"Range": f"bytes={spec}"})
    if meant := sliced(BODY, spec):
        assert (answer.code, answer.body, answer.isWhole) == (206, meant, True)
        start = range(len(BODY))[slice_of(spec)].start
        assert answer.getHeader("content-length") == str(len(meant))
        told = f"bytes {start}-{start + len(meant) - 1}/{len(BODY)}"
        assert answer.getHeader("content-range") == told
    else:
        assert answer.code == 416
        assert answer.getHeader("content-range") == f"bytes */{len(BODY)}"


@settings(deadline=None)
@given(asked=st.lists(specs, min_size=1, max_size=8), is_file=st.booleans())
def test_several_ranges_come_together_again(folder, asked, is_file):
    """Every byte that was asked for, once, each where its part says it stands."""
    site, target = (File(folder), "/small.bin") if is_file else (Page(page), "/")
    answer = ask(site, "GET", target, {"Range": "bytes=" + ", ".join(asked)})
    wanted = set()
    for spec in asked:
        wanted |= set(range(len(BODY))[slice_of(spec)])
    if not wanted:
        assert answer.code == 416
        return
    found = {}
    for start, data in parts_of(answer):
        assert data == BODY[start : start + len(data)]
        assert found.keys().isdisjoint(range(start, start + len(data)))
        found |= dict.fromkeys(range(start, start + len(data)))
    assert (answer.code, answer.isWhole, found.keys()) == (206, True, wanted)


@pytest.mark.parametrize(
    "ranges",
    [
        f"0-{2 * PIECE}", f"{PIECE + 5}-", f"-{PIECE + 1}",
        f"0-9,{PIECE}-{3 * PIECE},-5", "0-", f"5-{PIECE + 5},{2 * PIECE}-{2 * PIECE}",
    ],
)  # fmt: skip
def test_ranges_of_a_large_file(folder, ranges):
    """Read from where they start, and sent in pieces; in the length that was told."""
    answer = ask(File(folder), "GET", "/large.bin", {"Range": f"bytes={ranges}"})
    answer.waitFor(lambda: answer.isWhole)  # for the disk, should the kernel have forgotten it
    assert (answer.code, answer.isWhole) == (206, True)
    assert [data for _, data in parts_of(answer)] == [
        sliced(LARGE, spec) for spec in ranges.split(",")
    ]


@pytest.mark.parametrize(
    "field",
    [
        "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "items=0-1", "0-1", "bytes=0-1;2-3",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 34, 2)),  # 17 parts
    ],
)  # fmt: skip
def test_what_is_no_range_or_too_many_is_the_whole(field):
    """A range is a wish: what cannot be read, or asks too much, is ignored (RFC 9110, 14.2)."""
    answer = ask(Page(page), "GET", "/", {"Range": field})
    assert (answer.code, answer.body) == (200, BODY)


def test_sixteen_parts_are_not_too_many():
    """The most that are sent."""
    wanted = ",".join(f"{n}-{n}" for n in range(0, 32, 2))
    answer = ask(Page(page), "GET", "/", {"Range": f"bytes={wanted}"})
    assert [start for start, _ in parts_of(answer)] == list(range(0, 32, 2))


@pytest.mark.parametrize(
    ("if_range", "code"),
    [('"v1"', 206), ('W/"v1"', 200), ('"v0"', 200), ("*", 200), ("", 200)],
)
def test_parts_of_another_body_are_not_mixed_with_ours(if_range, code):
    """If-Range takes the strong tag of what is here now, and nothing else."""

    def tagged(request):
        request.setETag("v1")
        return b"page"

    answer = ask(Page(tagged), "GET", "/", {"Range": "bytes=1-2", "If-Range": if_range})
    assert (answer.code, answer.body) == (code, b"ag" if code == 206 else b"page")


def test_a_weak_tag_serves_no_range_that_depends_on_it():
    """Its bytes may be others."""

    def tagged(request):
        request.setETag('W/"v1"')
        return b"page"

    asked = {"Range": "bytes=1-2", "If-Range": 'W/"v1"'}
    assert ask(Page(tagged), "GET", "/", asked).code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_only_get_has_ranges(method):
    """To any other method the field means nothing (RFC 9110, 14.2)."""
    answer = ask(Page(page), method, "/", {"Range": "bytes=0-0"})
    assert answer.code == 200
    assert answer.getHeader("content-length") == str(len(BODY))


@pytest.mark.parametrize("body", [b"page", "page", {"a": 1}])
def test_the_parts_have_the_type_of_the_whole(body):
    """Whatever the outcome was, and one part of it has that type itself."""
    whole = ask(Page(lambda request: body)).getHeader("content-type")
    one = ask(Page(lambda request: body), "GET", "/", {"Range": "bytes=0-0"})
    two = ask(Page(lambda request: body), "GET", "/", {"Range": "bytes=0-0,2-2"})
    assert one.getHeader("content-type") == whole
    assert f"Content-Type: {whole}".encode() in two.body


def test_a_declared_length_is_that_of_the_whole():
    """A part has its own."""

    def declared(request):
        request.setHeader("Content-Length", str(len(BODY)))
        return BODY

    answer = ask(Page(declared), "GET", "/", {"Range": "bytes=0-9"})
    assert (answer.code, answer.body, answer.isWhole) == (206, BODY[:10], True)


def test_what_has_no_bytes_has_no_parts():
    """An empty page is sent whole, which is nothing."""
    assert ask(Page(lambda request: b""), "GET", "/", {"Range": "bytes=0-"}).code == 200


def test_what_streams_is_sent_whole():
    """Nobody knows its length."""
    answer = ask(Page(lambda request: iter([b"pa", b"ge"])), "GET", "/", {"Range": "bytes=0-0"})
    assert (answer.code, answer.body) == (200, b"page")


def test_files_say_that_they_have_ranges(folder):
    """A download that breaks off can be taken up again."""
    answer = ask(File(folder), "HEAD", "/small.bin")
    assert answer.getHeader("accept-ranges") == "bytes"


def test_a_file_that_shrinks_is_never_taken_for_whole(folder, tmp_path, caplog):
    """A range of what is gone breaks off."""
    path = tmp_path / "shrinking.bin"
    path.write_bytes(LARGE)
    conversation = Conversation(File(tmp_path))
    conversation.stopReading()
    conversation.ask("GET", "/shrinking.bin", {"Range": f"bytes=10-{3 * PIECE}"})
    path.write_bytes(b"")
    conversation.startReading()
    conversation.waitFor(lambda: conversation.isClosed)
    assert not conversation.isWhole
    assert "shorter" in caplog.text


# What is written piece by piece, with a length that was told


def streaming(cuts, length=None, tag=None):
    """A page of BODY, cut at *cuts*."""

    def pour(request):
        request.setHeader("Content-Length", str(length or len(BODY)))
        if tag:
            request.responseHeaders.setHeader("ETag", tag)
        edges = [0, *sorted(cuts), len(BODY)]
        return (BODY[start:stop] for start, stop in pairwise(edges))

    return Page(pour)


cuts_of_body = st.lists(st.integers(0, len(BODY)), max_size=6)


@settings(deadline=None)
@given(asked=st.lists(specs, min_size=1, max_size=4), cuts=cuts_of_body)
def test_parts_are_cut_out_of_what_comes_in_pieces(asked, cuts):
    """Each byte that was asked for, however it is written; or the whole."""
    answer = ask(streaming(cuts), "GET", "/", {"Range": "bytes=" + ",".join(asked)})
    assert answer.isWhole
    if answer.code == 200:
        assert answer.body == BODY
        return
    wanted = set()
    for spec in asked:
        wanted |= set(range(len(BODY))[slice_of(spec)])
    found = set()
    for start, data in parts_of(answer):
        assert data == BODY[start : start + len(data)]
        found |= set(range(start, start + len(data)))
    assert found == wanted


@given(spec=specs, cuts=cuts_of_body)
def test_one_part_of_what_comes_in_pieces(spec, cuts):
    """A single range that can be had is had; another is passed over."""
    meant = sliced(BODY, spec)
    answer = ask(streaming(cuts), "GET", "/", {"Range": f"bytes={spec}"})
    assert (answer.code, answer.body) == ((206, meant) if meant else (200, BODY))


@pytest.mark.parametrize("length", [len(BODY) - 1, len(BODY) + 1])
def test_a_length_that_is_not_kept_breaks_a_part_off(length, caplog):
    """The whole is counted, though a part is sent."""
    answer = ask(streaming([500], length), "GET", "/", {"Range": "bytes=0-9"})
    assert answer.isClosed
    assert "Content-Length says" in caplog.text


def test_what_comes_in_pieces_is_not_sent_to_who_has_it():
    """Its tag is held against the client's, though the program never looked."""
    answer = ask(streaming([500], tag='"a"'), "GET", "/", {"If-None-Match": '"a"'})
    assert (answer.code, answer.body, answer.isWhole) == (304, b"", True)
