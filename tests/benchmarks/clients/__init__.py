"""What a request costs who asks: weblayer's client and its peers, against one nginx.

    python -m tests.benchmarks.clients --help
    python -m tests.benchmarks.clients --only hello-32 --clients weblayer,bare,aiohttp

Each client is a program, `python -m tests.benchmarks.clients.NAME URL AT_ONCE SIZE SECONDS`, on a
core of its own; nginx has the other. It asks for URL, AT_ONCE at a time on connections that are
kept, and holds every answer against 200 and SIZE; first to warm up and to see how many it can
do, then for about so many SECONDS. What it prints is the CPU time of its own process, user and
system, with all its threads, over the number of requests. Clients take their rounds in turn, and
every figure is the median of them, with the lowest and the highest.

*x bare* divides it by that of the least that a Python client can do: uvloop, httptools, and the
same bytes each time, written as soon as the last answer is whole. What is said in
`tests/benchmarks` of machines, cores and noise holds here too.
"""
