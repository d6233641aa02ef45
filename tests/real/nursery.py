"""Starts ``holdfast serve`` again and again without loading Python again: children of one warm process.

Each line on standard input names nothing and asks for a new server; its process id is written to standard output.
The child runs the very function behind ``holdfast serve`` and is killed from outside; nothing is shared but code.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from holdfast import wiring
from holdfast.app import commands
from holdfast.cli import keeping
from holdfast.store import migrating
from holdfast.web import app as web_app

WARM = (uvicorn, wiring, migrating, web_app)


def main() -> None:
    """Fork a server for each line read."""
    commands.declare_all()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 0)
            os.dup2(quiet, 1)
            try:
                keeping.serve()
            finally:
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {-os.waitstatus_to_exitcode(status) == signal.SIGKILL}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
