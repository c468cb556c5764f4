"""How the cost of a request to weblayer grows with what there is of everything.

    python -m tests.benchmarks.scaling --help
    python -m tests.benchmarks.scaling --only depth,children --json scaling.json

It needs what the benchmark beside it needs (Linux, wrk, the root of the repository), and measures
as that does; see there for what disturbs it. For each series a server is started for each x, and
the rounds are taken in turn. CPU µs/request is the figure to read, and "x first" what it is
multiplied by from the first row on; no cliff is where that stays near 1, or grows as it must.

* *active*: with more connections than answers in a round trip, each turn of the loop has more to
  do, and p99 is how long that many queue for one core. They are all made before it counts, save
  in p99; wrk tells of those whose SYN was lost as of time-outs.
* *idle*: p99 shows what is done for all connections in one go, once a second.
* *headers*: what has to be read grows, and so must the cost.
* *children*, *sessions*, *sqlite*: up to 1,000 from all over are asked for in turn, since one alone
  would stay in the processor's caches.
* *workers*: two cores serve. wrk needs none of them to speak of where a page takes a millisecond,
  and as much as a worker where it takes none.

**To add** a series, write a row in `series.py`, and what it needs in `servers/scaling.py`.
"""
