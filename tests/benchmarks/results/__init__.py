"""All that is measured, by one command, and the pages that show it.

    python -m tests.benchmarks.results --help
    python -m tests.benchmarks.results --quick --to /tmp/try
    python -m tests.benchmarks.results --from tests/benchmarks/results.json

It runs the other commands of `tests/benchmarks` one after the other, so that none disturbs
another, and needs what they need; a part that fails is left out with a line that says so. Then it
writes

* `tests/benchmarks/results.json`, every sample, to four digits, and what it was taken on;
* `tests/benchmarks/RESULTS.md`, the budgets with their verdicts, and every table;
* `static/performance.html` and the pictures `static/performance-*.svg`, for who visits.

With `--from` the pages are made again of samples that are there, and `--only` then measures some
parts anew. What a page says of the figures is computed from the samples, what is unfavourable too.
"""
