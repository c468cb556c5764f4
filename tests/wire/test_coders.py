"""What is coded once and sent often: as small as it becomes, and the same when it is undone."""

import gzip
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.coders import pack, squeeze

UNDO = {
    b"br": brotli.decompress,
    b"gzip": gzip.decompress,
    b"zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.mark.parametrize("coding", UNDO)
@given(body=st.binary())
def test_what_is_squeezed_comes_back(coding, body):
    """Whatever it is, by another reader than ours."""
    assert UNDO[coding](squeeze(coding, body)) == body


@pytest.mark.parametrize("coding", UNDO)
def test_what_is_squeezed_is_smaller_than_what_is_packed_in_passing(coding):
    """It has more time."""
    text = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    assert len(squeeze(coding, text)) < len(pack(coding, text))


def test_a_coding_that_we_do_not_have_is_none():
    """As for pack."""
    with pytest.raises(KeyError):
        squeeze(b"compress", b"")
