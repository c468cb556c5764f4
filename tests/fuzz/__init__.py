"""Bytes that nobody would send, until something breaks: a fuzzer for what strangers reach.

    python -m tests.fuzz --help
    python -m tests.fuzz --seconds 60             a quarter of it for each target
    python -m tests.fuzz site --seconds 3600

With atheris (`pip install atheris`) the search is led by coverage: what reaches a new branch is
kept and changed further. Without it, or with `--plain`, the same samples are changed at random,
and `--seed` says which random. A failure is printed as bytes to be pasted into `FOUND` in
tests/fuzz/test_fuzz.py, which runs a short piece of all this with every test run.
"""
