"""The inside of a measured program. Standard library only: a peer's environment has no portal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable


def serve(operation: Callable[[], object]) -> None:
    """Read how often, do the operation as often, answer with the seconds it took; until standard input ends.

    What the operation prints goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        times = range(int(line))
        begun = time.perf_counter()
        for _ in times:
            operation()
        print(time.perf_counter() - begun, file=answers, flush=True)
