"""A counterpart that speaks clamd's INSTREAM over a real socket, as the manual describes it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# The test file of the anti-virus industry, taken apart so that no scanner minds this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass
class Clamd:
    """What the counterpart was sent, and how it behaves: ``mood`` is honest, mute, garbled or small."""

    address: str
    mood: str = "honest"
    streams: list[bytes] = field(default_factory=list)
    limit: int = 25_000_000

    def serve(self, peer: socket.socket) -> None:
        with peer:
            peer.settimeout(5)
            if self._exactly(peer, 10) != b"zINSTREAM\0":
                peer.sendall(b"UNKNOWN COMMAND\0")
                return
            if self.mood == "mute":
                self._drain(peer)
                return
            body = b""
            while length := struct.unpack("!I", self._exactly(peer, 4))[0]:
                body += self._exactly(peer, length)
                if len(body) > self.limit:
                    peer.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.streams.append(body)
            if self.mood == "garbled":
                peer.sendall(b"stream: hmm\0")
            elif EICAR in body:
                # The answer may come in pieces.
                peer.sendall(b"stream: Win.Test.EICAR")
                peer.sendall(b"_HDB-1 FOUND\0")
            else:
                peer.sendall(b"stream: OK\0")

    @staticmethod
    def _exactly(peer: socket.socket, count: int) -> bytes:
        got = b""
        while len(got) < count:
            part = peer.recv(count - len(got))
            if not part:
                raise ConnectionError("the client left")
            got += part
        return got

    @staticmethod
    def _drain(peer: socket.socket) -> None:
        try:
            while peer.recv(65536):
                pass
        except OSError:
            return


@contextmanager
def running_clamd(path: Path | None = None) -> Iterator[Clamd]:
    """Listen on a Unix socket at ``path``, or on a free TCP port of this machine."""
    family = socket.AF_UNIX if path else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(str(path) if path else ("127.0.0.1", 0))
        listener.listen()
        address = (
            f"clamav+unix://{path}" if path else f"clamav://127.0.0.1:{listener.getsockname()[1]}"
        )
        clamd = Clamd(address)
        stopping = threading.Event()

        def accept() -> None:
            while not stopping.is_set():
                peer, _ = listener.accept()
                if stopping.is_set():
                    peer.close()
                    return
                try:
                    clamd.serve(peer)
                except ConnectionError:
                    continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield clamd
        finally:
            stopping.set()
            with socket.socket(family, socket.SOCK_STREAM) as waker:
                waker.connect(listener.getsockname())
            thread.join(10)
