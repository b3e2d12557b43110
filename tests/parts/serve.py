"""
The child process of clickhouse_server.py: load the library and hand it the command line of clickhouse-local.

Why a file of its own: it must import nothing, so that it starts at once and holds no test's state. It dies with the
tests, however they end. Why a terminal: without one clickhouse-local aborts when any client resets its connection, where
a server logs it and goes on (ClickHouse issue 115666, mended in 26.9); `--interactive` is heeded on a terminal alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def serve(library: str, options: list[str]) -> int:
    """Run until killed; the code of the engine otherwise."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _, terminal = os.openpty()
    os.dup2(terminal, 0)
    argv = [b"clickhouse", b"--interactive", *(option.encode() for option in options)]
    cmdline = ctypes.CDLL(library).chdb_query_cmdline
    return int(cmdline(len(argv), (ctypes.c_char_p * (len(argv) + 1))(*argv, None)))


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], sys.argv[2:]))
