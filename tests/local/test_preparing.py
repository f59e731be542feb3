"""Files are made once for portals that share them, also when several start at once."""

from __future__ import annotations

import os
import subprocess
import sys

from config.local import BASE_DIR


def test_two_portals_that_start_at_once_prepare_their_files_once(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "STATIC_ROOT": str(tmp_path / "staticfiles"),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "config.prepare", "files"]
    starts = [
        subprocess.Popen(command, env=environment, cwd=BASE_DIR, stderr=subprocess.PIPE)
        for _ in range(2)
    ]

    problems = [start.communicate(timeout=120)[1].decode() for start in starts]

    assert [start.returncode for start in starts] == [0, 0], problems
    assert (tmp_path / "staticfiles" / ".collected").exists()
