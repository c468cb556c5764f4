"""What a request costs: weblayer and its peers, measured side by side on one machine.

    python -m tests.benchmarks --help
    python -m tests.benchmarks --only hello,form --servers weblayer,bare --json out.json

It runs on Linux from the root of the repository, and needs `wrk` (`apt-get install wrk`) for all
but the echo case, which is no HTTP: there a server's reactor is measured, under a load of ours.
The peers come with `pip install -e .[bench]`, and nginx with `apt-get install nginx`; what
is missing is left out with a line that says so.

**What happens.** For each case every server is started afresh in processes of its own,
pinned to one core. Its answer is checked once (status, body, content type, and that the
connection stays open), because a wrong answer is easy to give fast. Then it is warmed up,
and the rounds are taken in turn: round one of every server, round two of every server, so
that a machine that slows down slows all of them. `wrk`, on another core, keeps 64
connections busy. Tables go to standard output, what is happening to standard error.

**What the columns say.**

* *CPU µs/request* is the figure to read: user and system time of all the server's
  processes over the requests that wrk counted. It is steadier than any other.
* *x bare* divides it by that of the bare server (uvloop, httptools and constant bytes: the
  least that a Python server can do) in the same round.
* *requests/s*, *p50 ms* and *p99 ms* belong to the machine as much as to the server. Where
  requests per second times CPU microseconds is well below 1,000,000, wrk was the limit and not
  the server; where it is near, the latencies say mostly how long 64 requests queue for one core.
* *resident MB* adds up the server's processes at the end; pages they share count twice.

Every figure is the median of the rounds, followed by the lowest and the highest. What
disturbs a machine only ever adds CPU time, so on a busy one the lowest is nearest to the truth,
and many short rounds (`--rounds 15 --seconds 1`) say more than a few long ones.

**What to beware of.**

* Work that the kernel does in interrupts, loopback's share included, is charged to whoever
  was running or to nobody, as the kernel was built. It is about the same for every server.
* The bare server answers every GET alike: it makes no JSON, fills in no template, waits for
  nothing, looks for no session, writes no log, and in the 404 case it answers 200. The body of a
  POST is the one thing that it looks at, to send it back.
* A template takes most of what its page costs, and it is jinja2 in every server, though Tornado
  and Twisted have languages of their own. By default jinja2 asks with each page whether the
  template has changed; blacksheep tells it not to.
* Sessions are what each server has of its own: in memory in weblayer and Twisted, and in a signed
  cookie in Starlette and blacksheep.
* Each server writes the log that it is told by a plain "yes": the combined format in nginx,
  weblayer, Twisted and aiohttp, fewer fields in the others.
* Two cores may be two threads of one, so that wrk slows the server down. Compare ratios,
  never figures of different runs, and believe no difference that is smaller than the spread.
* The POST of 1 kB is a form, which Twisted Web parses before it is asked to.
* In the echo case the load is a Python program, and "requests" are messages. Where messages/s
  times CPU microseconds is well below 1,000,000, that program was the limit, and a server that
  waits for its load is woken for fewer messages at a time, which makes each cost more.
* A server with threads of its own, such as granian, has the same single core as the rest.

What a request costs who asks is measured by `python -m tests.benchmarks.clients`, how that of a
server grows by `python -m tests.benchmarks.scaling`, and what a server takes in memory, and to
start, by `python -m tests.benchmarks.footprint`. What a change of ours has cost is told by
`python -m tests.benchmarks.instructions`, to a thousandth: it counts machine instructions.

`python -m tests.benchmarks.results` measures all but the instructions, and writes `RESULTS.md` and
the page of the default site that shows it.

**To add** a case, write a row in `case.py` and teach the servers its path; to add a server,
write a file in `servers/` (one in `servers/echo/` too, if it does more than HTTP) and a row in
`server.py`.
"""
