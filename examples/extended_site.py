"""A site of many parts: a folder with an index of another name, pages in Perl, CGI programs, a
second folder, and a program that is no CGI.

Run `python examples/extended_site.py`, and open the address it prints; `/greet?name=you` needs
Perl, and `printf 'b\\na\\n' | curl --data-binary @- ADDRESS/sort` gives the lines in order.
"""

import sys
from pathlib import Path

from weblayer import CGIDirectory, File, FilteredScript, Process, Site, reactor

HERE = Path(__file__).parent


class Perl(FilteredScript):
    filter = "perl"


root = File(HERE / "site", ignoredExts=[".html", ".pl"])
root.indexNames = ["home.html"]
root.processors[".pl"] = Perl
root.putChild("cgi-bin", CGIDirectory(HERE / "site/cgi-bin"))
root.putChild("static", File(HERE.parent / "static"))
root.putChild("sort", Process(["sort"]))

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
