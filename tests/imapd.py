"""A counterpart that speaks as much IMAP (RFC 9051) over a real socket as a mailbox that is polled needs."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """The mails of the one folder, and how the server behaves."""

    address: str = ""
    password: str = "secret"
    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    breaks_at: str = ""

    def add(self, raw: bytes) -> int:
        uid = len(self.mails) + 1
        self.mails[uid] = raw
        return uid


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, rest = line.partition(" ")
            command = rest.upper()
            if box.breaks_at and command.startswith(box.breaks_at):
                return  # the connection is gone in the middle of the command
            if command.startswith("CAPABILITY"):
                self.say("* CAPABILITY IMAP4rev1")
            elif command.startswith("LOGIN"):
                if box.password not in rest:
                    self.say(f"{tag} NO LOGIN failed")
                    continue
            elif command.startswith("SELECT"):
                self.say(f"* {len(box.mails)} EXISTS")
            elif command.startswith("UID SEARCH UNSEEN"):
                unseen = " ".join(str(uid) for uid in box.mails if uid not in box.seen)
                self.say(f"* SEARCH {unseen}".rstrip())
            elif found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", command):
                self.fetch(box, int(found[1]))
            elif found := re.match(r"UID STORE (\d+) \+FLAGS \(\\SEEN\)", command):
                box.seen.add(int(found[1]))
            elif command.startswith("LOGOUT"):
                self.say("* BYE")
                self.say(f"{tag} OK LOGOUT done")
                return
            else:
                self.say(f"{tag} BAD unknown command")
                continue
            self.say(f"{tag} OK done")

    def fetch(self, box: Mailbox, uid: int) -> None:
        raw = box.mails[uid]
        self.wfile.write(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode())
        self.wfile.write(raw + b")\r\n")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running_imap() -> Iterator[Mailbox]:
    """Serve one mailbox on a free port of this machine."""
    mailbox = Mailbox()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        server.mailbox = mailbox  # type: ignore[attr-defined]
        mailbox.address = f"imap://127.0.0.1:{server.server_address[1]}/INBOX"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join(10)
