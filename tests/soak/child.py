"""A node process that dies with the soak: `atesta run`, but killed by the kernel with its parent.

Run as `python -m tests.soak.child SETTINGS_FILE PARENT_PID`. Whatever ends the soak, SIGKILL
included, leaves no node behind, not even a stopped one. The kernel watches the thread that made
the child, so a soak starts its nodes from its main thread only.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(settings_file: str, parent: int) -> None:
    _die_with(parent)
    from node.cli.app import run

    run(["run", "--config", settings_file])


def _die_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it ended before the kernel was told
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
