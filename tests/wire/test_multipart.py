"""Forms with files: RFC 7578, as browsers and programs send them."""

import importlib.util

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.readings import cut
from tests.wire.recordings import RECORDED
from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END
from weblayer.wire.formdata import Part
from weblayer.wire.mediatype import parse_media_type
from weblayer.wire.multipart import MAX_PART_HEAD, MAX_PARTS, MultipartReader, form_boundary

if importlib.util.find_spec("multipart"):
    import multipart

HEAD = b'Content-Disposition: form-data; name="a"'
PART = b"--b\r\n" + HEAD + b"\r\n\r\n"
WHOLE = PART + b"x\r\n--b--\r\n"

# What a body may hold that looks like its end.
contents = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"b", b"\r\n--", b"\r\n-b", b"--b", b"x"])
).map(b"".join)
places = st.lists(st.integers(0, 2000), max_size=8)


def reading_of(pieces, boundary=b"b", most=MAX_PARTS):
    """Pairs of (part, content) of a whole form; the status when it is refused."""
    reader = MultipartReader(boundary, most)
    parts: list[tuple[Part, bytes]] = []
    try:
        for piece in pieces:
            for event in reader.feed(piece):
                if isinstance(event, Part):
                    parts.append((event, b""))
                elif event is not END:
                    parts[-1] = parts[-1][0], parts[-1][1] + event
        reader.finish()
    except BadMessage as error:
        return error.status
    return parts


def contents_of(*pieces):
    found = reading_of(pieces)
    return found if isinstance(found, int) else [content for _, content in found]


def written(parts, boundary=b"b"):
    """*parts*, pairs of (name, content), as a client writes them."""
    return b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, *part)
        for part in parts
    ) + (b"--%b--\r\n" % boundary)


@pytest.mark.parametrize("client", RECORDED)
def test_real_clients_mean_the_same(client):
    """Names, files and contents are what was sent, whichever client wrote them."""
    body = RECORDED[client]
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--")
    parts = reading_of([body], boundary)
    assert parts == reading_of([body[i : i + 1] for i in range(len(body))], boundary)
    assert [(part.name, content) for part, content in parts[:1]] == [(b"plain", b"a b&c")]
    assert parts[1][1] == "grün".encode()
    uploads = {p.filename: content for p, content in parts if p.name == b"up"}
    assert uploads.pop(b"bytes.bin") == b"\0\r\n--\xff"
    assert uploads[b'qu"ote.txt'] == b'content of qu"ote.txt'
    assert len(uploads) == 6
    if "aiohttp" in client:  # it encodes a file's name as no browser does: it comes as sent
        return
    assert parts[1][0].name in ('na"me\\☃'.encode(), b"n")
    assert uploads["naïve ☃.txt".encode()] == "content of naïve ☃.txt".encode()
    assert uploads[b"semi;colon.txt"] == b"content of semi;colon.txt"
    if "escape" not in client:
        assert uploads[b"back\\slash.txt"] == b"content of back\\slash.txt"


@pytest.mark.parametrize("client", RECORDED)
@pytest.mark.parametrize("step", [1, 7, 5000])
def test_the_place_of_a_content_is_known(client, step):
    """Where a part says that its content starts, there it stands, in one piece."""
    body = RECORDED[client]
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--")
    for lead in (b"", b"\r\n"):
        pieces = [(lead + body)[at : at + step] for at in range(0, len(lead + body), step)]
        for part, content in reading_of(pieces, boundary):
            assert (lead + body)[part.start :].startswith(content + b"\r\n--")


def test_a_file_that_was_not_chosen():
    """A browser sends a part with an empty name of a file, and no content."""
    body = RECORDED["Chromium 156"]
    part, content = reading_of([body], body.partition(b"\r\n")[0][2:])[-1]
    assert (part.name, part.filename, content) == (b"none", b"", b"")


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b c", b""]), contents), max_size=4), places)
def test_what_is_written_is_read_however_it_is_cut(parts, where):
    """Any content that does not hold the delimiter comes back, byte for byte."""
    boundary = b"bB"  # which the contents can begin, and not spell
    raw = written(parts, boundary)
    found = reading_of(cut(raw, where), boundary)
    assert [(part.name, content) for part, content in found] == parts


@example(b"\r\n--b--", [1])  # was refused
@given(
    st.lists(
        st.sampled_from(
            [b"--b", b"--b--", b"\r\n", b"\r", b"\n", b"-", HEAD, b"\r\n\r\n", b"x", PART, b": \0"]
        ),
        max_size=12,
    ).map(b"".join),
    places,
)
def test_a_reading_does_not_depend_on_how_bytes_arrive(raw, where):
    """Nor does the verdict: what is refused whole is refused in pieces."""
    assert reading_of(cut(raw, where)) == reading_of([raw])


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: PART + data), places)
def test_no_body_is_too_odd(raw, where):
    """Whatever is sent is a form, or a 400."""
    found = reading_of(cut(raw, where))
    assert found == 400 or isinstance(found, list)


def other_reading(raw):
    """What the library makes of *raw*; None when it refuses."""
    reader, parts = multipart.PushMultipartParser("b"), []
    try:
        for event in (*reader.parse(raw), *reader.parse(b"")):
            if isinstance(event, bytes | bytearray):
                parts[-1] = parts[-1][0], parts[-1][1] + event
            elif event is not None:
                parts.append((event.name.encode(), b""))
    except multipart.MultipartError:
        return None
    return parts


@pytest.mark.skipif(not importlib.util.find_spec("multipart"), reason="needs multipart")
@given(
    st.lists(
        st.sampled_from(
            [b"--b", b"\r\n--b", b"--", b"\r\n", b"\n", HEAD, b"x", PART, b"\r\n--b--"]
        ),
        max_size=10,
    ).map(lambda parts: PART + b"".join(parts))
    | contents.map(lambda content: PART + content + b"\r\n--b--\r\n")
)
def test_another_reader_reads_the_same(raw):
    """What we take, the library multipart takes too, with the same names and contents."""
    found = reading_of([raw])
    if found != 400:
        assert [(part.name, content) for part, content in found] == other_reading(raw)


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"--b--", []),
        (b"--b--\r\n", []),
        (WHOLE, [b"x"]),
        (WHOLE[:-2], [b"x"]),
        (b"\r\n" + WHOLE, [b"x"]),
        (WHOLE + b"epilogue \r\n" + WHOLE, [b"x"]),
        (PART + b"\r\n--b--", [b""]),
        (PART + b"\r\n\r\n--b--", [b"\r\n"]),
        (PART + b"\r\n" + PART + b"y\r\n--b--", [b"", b"y"]),
        (PART + b"\n--b--\n\r\n--b--", [b"\n--b--\n"]),
        (PART + b"\r\n--B\r\n\r\n--b--", [b"\r\n--B\r\n"]),
        (PART + b"\r\r\n--b--", [b"\r"]),
    ],
)
def test_what_is_a_form(raw, parts):
    """A CRLF before each boundary belongs to it, other line ends to the content."""
    assert contents_of(raw) == parts


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--b",
        b"--b\r\n",
        PART,
        PART + b"x\r\n--b",
        PART + b"x\r\n--b-",
        PART + b"x\r\n--b\r\n",
        WHOLE[:-1],  # a CR alone
        b"preamble\r\n" + WHOLE,
        b"\r\n\r\n" + WHOLE,
        b"\n" + WHOLE,
        b"--c" + WHOLE,
        PART.replace(b"--b", b"--b ") + b"x\r\n--b--",
        PART + b"x\r\n--bc",
        PART + b"x\r\n--b--c",
        PART + b"x\r\n--b-\r\n",
        WHOLE.replace(b"\r\n", b"\n"),
        b"--b\r\n\r\nx\r\n--b--",
        b"--b\r\nX: y\r\n\r\nx\r\n--b--",
        b"--b\r\nX: y\nZ: w\r\n" + WHOLE[5:],
        b"--b\r\n\n" + WHOLE[5:],
        b"--b\r\nX: \0\r\n" + WHOLE[5:],
        b"--b\r\nX : y\r\n" + WHOLE[5:],
        b"--b\r\nX: y\r\n z\r\n" + WHOLE[5:],
        b"--b\r\nX\r\n" + WHOLE[5:],
        b"--b\r\n: y\r\n" + WHOLE[5:],
        b"--b\r\n" + HEAD + b"\r\n" + WHOLE[5:],
        b"--b\r\nContent-Type: a/b\r\nContent-type: a/c\r\n" + WHOLE[5:],
    ],
)
def test_what_is_no_form(raw):
    """Cut short, or what two readers could take for two things: 400."""
    assert contents_of(raw) == 400


def test_the_number_of_parts_is_limited():
    """As many as asked pass, one more does not."""
    assert len(reading_of([written([(b"a", b"")] * 3)], most=3)) == 3
    assert reading_of([written([(b"a", b"")] * 4)], most=3) == 400


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_the_head_of_a_part_is_limited(step):
    """To the byte, however it arrives; and one without an end is refused on the way."""
    longest = HEAD + b"\r\nX: " + b"y" * (MAX_PART_HEAD - len(HEAD) - 5 - 2)
    for extra, taken in ((b"", True), (b"y", False)):
        raw = b"--b\r\n" + longest + extra + b"\r\n\r\nx\r\n--b--"
        found = contents_of(*(raw[i : i + step] for i in range(0, len(raw), step)))
        assert found == ([b"x"] if taken else 400)
    with pytest.raises(BadMessage):
        MultipartReader(b"b").feed(b"--b\r\nX: " + b"y" * (MAX_PART_HEAD + 10))


def test_content_is_handed_on_as_it_comes():
    """Nothing is held back but what may be the beginning of a boundary."""
    reader = MultipartReader(b"b")
    assert len(reader.feed(PART + b"abc")) == 2
    assert reader.feed(b"def") == [b"def"]
    assert reader.feed(b"g\r") == [b"g"]
    assert reader.feed(b"\n--") == []
    assert reader.feed(b"c") == [b"\r\n--c"]
    assert reader.feed(b"\r\n--b--") == [END]
    reader.finish()


@pytest.mark.parametrize(
    ("field", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'multipart/form-data; charset=utf-8; boundary="a b:c"', b"a b:c"),
        (b"multipart/form-data; BOUNDARY=" + b"x" * 70, b"x" * 70),
    ],
)
def test_the_boundary(field, boundary):
    """It is a parameter of the type, in quotes where it must be."""
    assert form_boundary(parse_media_type(field)) == boundary


@pytest.mark.parametrize(
    "field",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=a; boundary=b",
        b'multipart/form-data; boundary=""',
        b'multipart/form-data; boundary="a "',
        b'multipart/form-data; boundary="a\\"b"',
        b"multipart/form-data; boundary=" + b"x" * 71,
        b'multipart/form-data; boundary="\xff"',
    ],
)
def test_a_boundary_that_is_none(field):
    """Missing, doubled, or not of its characters: 400."""
    with pytest.raises(BadMessage) as caught:
        form_boundary(parse_media_type(field))
    assert caught.value.status == 400
