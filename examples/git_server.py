"""A Git server: whoever reaches it clones, and pushes.

Run `python examples/git_server.py 8080 FOLDER`, where FOLDER has repositories (make one with
`git init --bare FOLDER/mine.git`), then `git clone http://127.0.0.1:8080/mine.git`.
"""

import shutil
import sys
from pathlib import Path

from weblayer import CGIScript, Policy, Site, reactor


class Git(CGIScript):
    policy = Policy(maxBody=1024**3).over(CGIScript.policy)

    def runProcess(self, env, request, qargs=()):
        return super().runProcess(env, request, ["http-backend"])


folder = Path(sys.argv[2] if len(sys.argv) > 2 else ".").absolute()
names = {"GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "anybody"}

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(
    port, Site(Git(shutil.which("git"), env=names)), interface="127.0.0.1"
)
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
