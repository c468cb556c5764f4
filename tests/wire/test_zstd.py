"""Blocks of zstd: found as the package that wrote them means them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.zstd import Blocks

zstandard = pytest.importorskip("zstandard")

# What a decompressor may give for one block (RFC 8878, 3.1.1.2.4).
LONGEST = 128 * 1024

SKIPPED = b"\x53\x2a\x4d\x18\x03\x00\x00\x00abc"
EMPTY_SKIPPED = b"\x50\x2a\x4d\x18\x00\x00\x00\x00"


def frame(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def pieces(raw, size):
    """*raw* as it comes in packets of *size* bytes, each cut where Blocks say."""
    blocks, found = Blocks(), []
    for start in range(0, len(raw), size):
        packet = raw[start : start + size]
        while packet:
            at = blocks.cut(packet)
            found.append((packet[:at], blocks.is_between))
            packet = packet[at:]
    return found, blocks


@given(
    data=st.binary(max_size=300) | st.builds(bytes, st.integers(0, 600_000)),
    size=st.integers(1, 40) | st.just(10**6),
    checksum=st.booleans(),
    sized=st.booleans(),
)
def test_a_piece_says_no_more_than_a_block(data, size, checksum, sized):
    """However the network cuts it: nothing is lost, and no piece blows up."""
    raw = frame(data, write_checksum=checksum, write_content_size=sized)
    found, blocks = pieces(raw, size)
    inner = zstandard.ZstdDecompressor().decompressobj()
    said = [inner.decompress(piece) for piece, _ in found]
    assert b"".join(said) == data
    assert max(map(len, said)) <= LONGEST
    assert blocks.is_between
    assert [is_end for _, is_end in found].count(True) == 1


@given(size=st.integers(1, 40))
def test_frames_follow_each_other(size):
    """Those to be skipped, too; each ends by itself."""
    raw = frame(b"a" * 99) + SKIPPED + EMPTY_SKIPPED + frame(b"")
    found, blocks = pieces(raw, size)
    assert b"".join(piece for piece, _ in found) == raw
    assert [is_end for _, is_end in found].count(True) == 4
    assert blocks.is_between


@given(raw=st.binary(min_size=1), size=st.integers(1, 40))
def test_anything_is_cut_in_pieces(raw, size):
    """Each of a byte at least, and nothing is lost."""
    found, _ = pieces(raw, size)
    assert all(piece for piece, _ in found)
    assert b"".join(piece for piece, _ in found) == raw
