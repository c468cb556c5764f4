"""Forms with files: what is written is what another reader reads."""

import email
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.test_uploads import Consumer, steps
from tests.client.world import World
from weblayer.client.multipart import FilePart, MultiPartProducer

names = st.text("abc ü;=\\'", min_size=1, max_size=8).map(str.strip).filter(bool)
contents = st.binary(max_size=50) | st.just(b"a" * 100_000)
files = st.builds(FilePart, names, contents | contents.map(io.BytesIO), st.just("text/plain"))


def written(fields):
    """What a producer writes, and how it was announced."""
    world, consumer = World(), Consumer()
    producer = MultiPartProducer(fields, steps(world.reactor))
    producer.startProducing(consumer)
    world.advance(20)
    return b"".join(consumer.pieces), producer


@given(st.lists(st.tuples(names, contents | files), max_size=4))
def test_what_is_written_is_what_is_read(fields):
    """The standard library's reader of mail finds the same parts, and the length was true."""
    raw, producer = written(fields)
    assert producer.length == len(raw)
    head = f"Content-Type: {producer.contentType}\r\n\r\n".encode()
    boundary = b"--" + producer.contentType.partition("=")[2].encode()
    parts = [one[2:-2] for one in raw.split(boundary)[1:-1]]
    assert email.message_from_bytes(head + raw).get_content_type() == "multipart/form-data"
    assert len(parts) == len(fields)
    for part, (name, value) in zip(parts, fields, strict=True):
        lines, _, content = part.partition(b"\r\n\r\n")
        assert f'name="{name}"'.encode() in lines
        if isinstance(value, FilePart):
            assert f'filename="{value.filename}"'.encode() in lines
            value = value.content if isinstance(value.content, bytes) else value.content.getvalue()
        assert content == value


def test_names_cannot_leave_their_quotes():
    """Quotes and line ends are written as browsers do."""
    raw, _ = written([('a"\r\nX: b', FilePart('c"\n', b"d"))])
    assert b'name="a%22%0D%0AX: b"; filename="c%22%0A"\r\n' in raw


def test_what_is_no_field_is_refused():
    """With an error that names it."""
    with pytest.raises(TypeError, match="'a'"):
        MultiPartProducer([("a", 1)])
    with pytest.raises(TypeError, match="name"):
        MultiPartProducer([(b"a", "b")])
    with pytest.raises(ValueError, match="contentType"):
        MultiPartProducer([("a", FilePart("b", b"", "text/plain\r\nX: a"))])
