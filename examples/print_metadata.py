"""HEAD: what a server tells of a page without sending it, here without a loop to await it in.

Run `python examples/print_metadata.py http://localhost:8000/` while examples/hello.py serves there:
    GET it, and there will be 12 bytes of text/html; charset=utf-8.
"""

import sys

from weblayer import sync

headers = sync.head(sys.argv[1]).raiseForStatus().headers
print(
    "GET it, and there will be",
    f"{headers.getHeader('content-length')} bytes of {headers.getHeader('content-type')}.",
)
