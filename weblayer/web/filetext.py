"""What a person reads about a file: its size, its date, its type. Pure, and in English."""

import time
from typing import Final

__all__ = ["formatDate", "formatFileSize", "formatISODate", "formatType"]

# The last second that a year of four digits has; a disk can hold later ones.
_LAST: Final = 253_402_300_799

# Not strftime: its names follow the machine's language, and the page is in English.
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

# Words for a type, else for its first half.
_WORDS: Final = {
    "application/epub+zip": "Book",
    "application/gzip": "Archive",
    "application/json": "JSON",
    "application/octet-stream": "File",
    "application/pdf": "PDF",
    "application/toml": "TOML",
    "application/vnd.rar": "Archive",
    "application/x-7z-compressed": "Archive",
    "application/x-bzip2": "Archive",
    "application/x-tar": "Archive",
    "application/x-xz": "Archive",
    "application/xml": "XML",
    "application/yaml": "YAML",
    "application/zip": "Archive",
    "application/zstd": "Archive",
    "text/css": "Style sheet",
    "text/csv": "Table",
    "text/html": "Web page",
    "text/javascript": "Script",
    "text/markdown": "Markdown",
    "text/x-python": "Python",
    "application": "Document",
    "audio": "Sound",
    "font": "Font",
    "image": "Image",
    "message": "Message",
    "model": "Model",
    "text": "Text",
    "video": "Video",
}


def formatFileSize(size: int) -> str:
    """A number of bytes in words: "512 B", "1.3 kB", "48 MB". A kB is 1,000 bytes."""
    if size < 1000:
        return f"{size} B"
    amount, unit = size / 1000, 0
    while amount >= 999.5:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.{0 if amount >= 9.95 else 1}f} {'kMGTPE'[unit]}B"


def formatDate(seconds: float) -> str:
    """A moment, in seconds since 1970, as in "4 March 2026, 12:30"; the time is UTC."""
    t = _moment(seconds)
    return f"{t.tm_mday} {_MONTHS[t.tm_mon - 1]} {t.tm_year}, {t.tm_hour:02}:{t.tm_min:02}"


def formatISODate(seconds: float) -> str:
    """The same for programs, as in "2026-03-04T12:30:00Z". Source: RFC 3339."""
    t = _moment(seconds)
    date = f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02}"
    return f"{date}T{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}Z"


def formatType(type: str) -> str:  # noqa: A002  # the field's name for it
    """A word for a content type: "Image" for "image/png"."""
    kind = type.partition(";")[0].strip()
    return _WORDS.get(kind) or _WORDS.get(kind.partition("/")[0], "File")


def _moment(seconds: float) -> time.struct_time:
    return time.gmtime(max(0, min(seconds, _LAST)))
