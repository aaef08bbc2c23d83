"""A node on a machine whose clock is wrong by as many seconds as `ATESTA_TEST_CLOCK_S` says.

Run as `python skewed_node.py --config FILE` in place of `atesta run`. Every module of the node
reads the wall clock through `time.time` or `time.time_ns`, so both are moved before any of them is
imported; nothing in the node knows of it. The monotonic clock is not touched.
"""

import os
import sys
import time


def move_clock(offset_s: int) -> None:
    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + offset_s
    time.time_ns = lambda: true_time_ns() + offset_s * 1_000_000_000


def main() -> None:
    move_clock(int(os.environ["ATESTA_TEST_CLOCK_S"]))
    from node.cli.app import run

    run(["run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
