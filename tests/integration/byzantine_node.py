"""A validator that lets everybody in: it admits strangers and puts them into its blocks.

Run as `python byzantine_node.py --config FILE` in place of `atesta run`; consensus, execution and
all else are the node's own.
"""

import sys

from eth_typing import Address

from node.chain import registry


def allow(_self: registry.RegistryView, _sender: Address, **_at: object) -> bool:
    """Ask nobody."""
    return True


def main() -> None:
    registry.RegistryView.may_send = allow  # type: ignore[method-assign,assignment]
    registry.RegistryView.may_deploy = allow  # type: ignore[method-assign,assignment]
    from node.cli.app import run

    run(["run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
