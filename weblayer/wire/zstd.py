"""Where the blocks of zstd end. Source: RFC 8878, 3.1.

A decompressor that is given many bytes gives all that they say, and four bytes may say 128 KiB.
Who decodes what a stranger sent feeds it one block at a time.
"""

__all__ = ["Blocks"]

# What the next bytes are: the number and kind of a frame, a head's first byte, the rest of it, the
# head of a block, its content, a checksum, or a frame to be skipped and its length.
MAGIC, DESCRIPTOR, HEAD, BLOCK, CONTENT, CHECKSUM, SKIP_LENGTH, SKIP = range(8)

SKIPPABLE = 0x184D2A5  # and four bits more (3.1.2)

# Bytes of the two fields by the two bits that tell of them (3.1.1.1.1).
OF_DICTIONARY = (0, 1, 2, 4)
OF_SIZE = (0, 2, 4, 8)

RLE = 1


class Blocks:
    """Finds the ends of blocks in what is fed, which is in no order but that it was sent in.

    What is no zstd ends nowhere: it is for the decompressor to refuse it.
    """

    def __init__(self) -> None:
        self._part, self._left = MAGIC, 4  # what comes, and how many bytes of it
        self._gathered = b""
        self._has_checksum = self._is_last = False

    @property
    def is_between(self) -> bool:
        """Whether what was fed so far ends where a frame does."""
        return self._part == MAGIC and self._left == 4

    def cut(self, data: bytes) -> int:
        """How many bytes of *data*, one at least, reach to the end of a block or frame, or all."""
        at = 0
        while at < len(data):
            taken = data[at : at + self._left]
            at += len(taken)
            self._left -= len(taken)
            if self._part not in (CONTENT, SKIP):
                self._gathered += taken
            if self._left:
                break
            ended, gathered, self._gathered = self._part, self._gathered, b""
            self._next(ended, gathered)
            if ended == CONTENT or self.is_between:
                break
        return at

    def _next(self, ended: int, gathered: bytes) -> None:
        """What comes after a part of these bytes; never one of no length."""
        number = int.from_bytes(gathered, "little")
        if ended == MAGIC:
            skips = number >> 4 == SKIPPABLE
            self._expect(SKIP_LENGTH, 4) if skips else self._expect(DESCRIPTOR, 1)
        elif ended == DESCRIPTOR:
            self._describe(number)
        elif ended == HEAD:
            self._expect(BLOCK, 3)
        elif ended == BLOCK:
            self._begin_block(number)
        elif ended == CONTENT:
            self._end_block()
        elif ended == SKIP_LENGTH and number:
            self._expect(SKIP, number)
        else:
            self._expect(MAGIC, 4)

    def _describe(self, flags: int) -> None:
        is_single = flags >> 5 & 1
        self._has_checksum = bool(flags >> 2 & 1)
        # Without a window there is a size, in a byte where its bits say nothing (3.1.1.1.4).
        size = OF_SIZE[flags >> 6] or is_single
        self._expect(HEAD, OF_DICTIONARY[flags & 3] + size + (1 - is_single))

    def _begin_block(self, number: int) -> None:
        self._is_last = bool(number & 1)
        length = 1 if number >> 1 & 3 == RLE else number >> 3
        if length:
            self._expect(CONTENT, length)
        else:
            self._end_block()

    def _end_block(self) -> None:
        if not self._is_last:
            self._expect(BLOCK, 3)
        elif self._has_checksum:
            self._expect(CHECKSUM, 4)
        else:
            self._expect(MAGIC, 4)

    def _expect(self, part: int, length: int) -> None:
        self._part, self._left = part, length
