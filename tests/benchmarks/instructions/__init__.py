"""What a request costs in machine instructions: the same figure each time, on any busy machine.

    python -m tests.benchmarks.instructions                     # beside those stored with us
    python -m tests.benchmarks.instructions --only form,session
    python -m tests.benchmarks.instructions --profile form      # which functions cost

CPU time tells how fast weblayer is, and no change below some per cent; instructions tell of each
change what it cost, and are no time: a look-up that misses the cache counts as one that does not.

**How they are counted.** `valgrind --tool=callgrind` runs one program, which is forked twice for
each scenario: one child asks FEW times and the other MANY, and what the second has cost more is
divided by how often it has asked more. So what it takes to start falls out. Hashes are seeded with
0, garbage is collected once and at the end, time stands still (a Clock), and nothing comes from
the environment: two runs of a commit give the same figures, to a few instructions. In another
folder, or where something else was changed, memory lies elsewhere, which makes up to 0.7 %.

**What is counted.** A scenario asks the real channel, or the real Agent, over the memory
transport, on the loop that weblayer would choose. That transport is of Python and costs
more than a socket's, so `memory` counts it alone: constant bytes for the same request. The kernel's
share is never counted.

**What comes of it.** A table of what is stored and what is now. The exit status is 1 where
anything costs more than 2 % more, and 125 where nothing could be counted, so that this finds the
commit that made something dear:

    python -m tests.benchmarks.instructions --stored /tmp/counts.json --save    # at a good one
    git bisect run python -m tests.benchmarks.instructions --stored /tmp/counts.json

Counts are of one Python and one build of the libraries, which are stored with them; where they are
others now the comparison says so. `--save` again there, before changing anything. `perf stat`
counts other instructions than valgrind's processor has, and most virtual machines have no counters
for it, so it is not used.
"""
