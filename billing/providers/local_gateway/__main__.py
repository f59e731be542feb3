"""``python -m billing.providers.local_gateway``: PAYGATE_PORT, HOST and DATA_DIR say where."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from billing.providers.local_gateway.server import make_server


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    server, notifier = make_server(
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PAYGATE_PORT") or 8001),
        directory=Path(os.environ.get("DATA_DIR") or ".local").expanduser().resolve() / "paygate",
    )

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    notifier.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        notifier.stop()
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
