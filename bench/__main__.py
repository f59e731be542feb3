"""Run benchmarks: ``python -m bench [NAME]``, as script/bench does."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

import django

import bench

MISSED, BROKEN = 1, 2


def names() -> list[str]:
    """Return the names of all benchmarks."""
    found = pkgutil.iter_modules(bench.__path__)
    return sorted(module.name for module in found if not module.ispkg and module.name[0] != "_")


def measure(chosen: Sequence[str], out: TextIO) -> int:
    """Write the figures of the chosen benchmarks as they are found and return the exit code.

    A benchmark that breaks leaves its trace on standard error and does not keep the others from running.
    """
    code = 0
    for name in chosen:
        try:
            for figure in import_module(f"bench.{name}").run():
                print(figure.line(name), file=out, flush=True)
                if figure.met is False:
                    code = max(code, MISSED)
        except Exception:
            traceback.print_exc()
            code = BROKEN
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 1 when a goal is missed, 2 when a benchmark breaks."""
    known = names()
    parser = argparse.ArgumentParser(prog="script/bench", description=bench.__doc__)
    parser.add_argument("name", nargs="?", choices=known, help="one benchmark; all without")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(known))
        return 0
    with _figures_only() as out:
        django.setup()  # a benchmark imports what it likes of the portal
        return measure([options.name] if options.name else known, out)


def _figures_only() -> TextIO:
    """Take standard output for the figures; what programs and libraries print goes to standard error."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    sys.exit(main())
