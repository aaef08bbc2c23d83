"""A finding in plain words, for whoever has to decide what follows from it."""

from datetime import UTC, datetime

from contracts.labels import decode_label
from node.evidence.document import UNVOTED_CODE
from node.evidence.verifier import NO_AGENCY, Finding

_MESSAGES = {
    "conflicting_proposals": "proposals",
    "conflicting_prepares": "prepare messages",
    "conflicting_commits": "commit messages",
    "conflicting_round_changes": "round changes",
}


def describe_finding(finding: Finding) -> tuple[str, ...]:
    """Return the finding as sentences: who, where, what, and what it rests on."""
    who = f"validator 0x{finding.offender.hex()}"
    if finding.agency != NO_AGENCY:
        who += f" of agency {decode_label(finding.agency) or '0x' + finding.agency.hex()}"
    ledger = f"ledger {finding.chain_id} (genesis 0x{finding.genesis_hash.hex()})"
    who = f"{who[0].upper()}{who[1:]}"
    if finding.transaction is None:
        act = (
            f"{who} contradicted itself at height {finding.height}, round {finding.round}, of "
            f"{ledger}: it signed two different {_MESSAGES[finding.kind]} for that place, which a "
            "validator that follows the protocol never does."
        )
        details = [f"The first {finding.claims[0]}.", f"The second {finding.claims[1]}."]
    else:
        assert finding.block_hash is not None, "an intrusion has its block"
        made = datetime.fromtimestamp(finding.timestamp_s or 0, UTC)
        act = f"{who} made block {finding.height} of {ledger} with a transaction "
        if finding.kind == UNVOTED_CODE:
            act += "that creates or calls code which the agencies had not let in by vote."
            sender = f"Its sender was 0x{finding.transaction.sender.hex()}."
        else:
            act += "from a sender who was not permitted to send."
            sender = (
                f"Its sender, 0x{finding.transaction.sender.hex()}, was no live key of an active "
                "agency by the registry's state before that block."
            )
        details = [
            f"The block is 0x{finding.block_hash.hex()} of {made:%Y-%m-%d %H:%M:%S} UTC.",
            f"The transaction is 0x{finding.transaction.hash.hex()}.",
            sender,
        ]
    count = len(finding.validators)
    rests = (
        f"It was one of the {count} validators of that height, followed from genesis by "
        "headers that quorums sealed."
    )
    return (act, *details, rests)
