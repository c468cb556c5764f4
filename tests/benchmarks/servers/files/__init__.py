"""Servers of the files in a folder, over HTTP, or HTTPS where there is a certificate."""

import os

__all__ = ["CERTIFICATE", "FOLDER"]

FOLDER = os.environ.get("BENCHMARK_FILES", "")
CERTIFICATE = os.environ.get("BENCHMARK_CERTIFICATE")  # with its key, in one file
