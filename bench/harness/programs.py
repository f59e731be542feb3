"""Subjects and peers in processes of their own: programs that repeat an operation, servers, a peer's environment."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.local import BASE_DIR

LOCKS = BASE_DIR / "bench" / "peers"
ANSWERS_WITHIN_SECONDS = 60
STOPS_WITHIN_SECONDS = 20


@contextmanager
def program(
    command: Sequence[str], operations: int, **environment: str
) -> Iterator[Callable[[], float]]:
    """Run a program that calls ``bench.harness.loop.serve``; yield a function that measures one round of it.

    A round is ``operations`` operations; the function returns operations per second. It raises RuntimeError when the
    program has ended.
    """
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(BASE_DIR), **environment},
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asked, answers = process.stdin, process.stdout
    assert asked is not None
    assert answers is not None

    def per_second() -> float:
        asked.write(f"{operations}\n")
        asked.flush()
        if not (answer := answers.readline()):
            raise RuntimeError(f"{command} ended, see above")
        return operations / float(answer)

    try:
        yield per_second
    finally:
        with process:
            process.terminate()


@contextmanager
def server(command: Sequence[str], address: str, **environment: str) -> Iterator[str]:
    """Run a server until the block ends; yield ``address`` once it answers there. RuntimeError when it does not."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=BASE_DIR)
    try:
        _wait_for(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(STOPS_WITHIN_SECONDS)


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=3).close()
        except urllib.error.HTTPError:
            return  # it answers, if only to refuse
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{process.args} does not answer at {address}, see above")


def peer_python(name: str, *, locks: Path = LOCKS) -> str:
    """Return the Python of a peer's own virtual environment, made from ``<name>.txt`` of ``locks`` and kept.

    The file locks packages with hashes as requirements/ does; another content makes another environment.
    """
    lock = locks / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    home = Path(os.environ["DATA_DIR"]) / "peers" / f"{name}-{digest}"
    python, stamp = home / "bin" / "python", home / ".installed"
    if not stamp.exists():
        # Debian's Python has no pip to put into an environment; ours installs from outside.
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(home))
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
        _run(*pip, "--quiet", "--no-input", "--require-hashes", "-r", str(lock))
        stamp.touch()
    return str(python)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
