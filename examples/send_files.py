"""Files in a form: sent as they are read, however large they are.

Run `python examples/send_files.py http://localhost:8000/ README.md` while examples/upload.py
serves there; it answers with the name and the sum of each file.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

from weblayer import sync

with ExitStack() as opened:
    files = [opened.enter_context(Path(name).open("rb")) for name in sys.argv[2:]]
    answer = sync.post(sys.argv[1], files=[("file", file) for file in files])
    print(answer.raiseForStatus().text(), end="")
