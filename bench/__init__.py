"""Benchmarks: every module here is one, with its support in ``bench.harness`` (see README.md)."""
