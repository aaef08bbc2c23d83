"""A validator that breaks the rules, in the one way that `ATESTA_TEST_MISCHIEF` names.

    strangers   (the default) it admits everybody and puts them into its blocks
    contradict  it sends a second prepare message, for another block, after each of its own

Run as `python byzantine_node.py --config FILE` in place of `atesta run`; consensus, execution and
all else are the node's own.
"""

import os
import sys

from eth_typing import Address

from node.chain import registry


def allow(_self: registry.RegistryView, _sender: Address, **_at: object) -> bool:
    """Ask nobody."""
    return True


def let_strangers_in() -> None:
    registry.RegistryView.may_send = allow  # type: ignore[method-assign,assignment]
    registry.RegistryView.may_deploy = allow  # type: ignore[method-assign,assignment]


def contradict_itself() -> None:
    from consensus.messages import Prepare, decode_message, encode_message
    from consensus.payloads import MessageCode, PreparePayload, sign_payload
    from consensus.signatures import ValidatorKey
    from consensus.types import Hash32
    from node.daemon.daemon import Daemon

    tell_truth = Daemon.broadcast

    def broadcast(self: Daemon, code: MessageCode, payload: bytes) -> None:
        tell_truth(self, code, payload)
        message = decode_message(code, payload)
        validator = self._identity.validator
        if isinstance(message, Prepare) and validator is not None:
            said = message.signed.payload
            lie = PreparePayload(
                height=said.height, round=said.round, digest=Hash32(said.digest[::-1])
            )
            key = ValidatorKey(validator.reveal_secret())
            tell_truth(self, code, encode_message(Prepare(signed=sign_payload(lie, key))))

    Daemon.broadcast = broadcast  # type: ignore[method-assign]


def main() -> None:
    if os.environ.get("ATESTA_TEST_MISCHIEF") == "contradict":
        contradict_itself()
    else:
        let_strangers_in()
    from node.cli.app import run

    run(["run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
