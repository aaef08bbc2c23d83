"""Letting a validator sign again that no longer knows what it signed.

The danger is a place that was signed before and is signed again otherwise. Such a place can only be
near the chain's tip: to sign at height h a validator must have had block h - 1, which a quorum had
sealed, and whoever seals a block has the block before it. So the validator first follows the chain,
verifying every block, until a quorum of the other validators have announced heads that are no
higher than its own. At least one honest sealer of the last block that it can have had is among
them; hence that block is at most one above its head now, and the highest height that it can have
signed is two above. It signs only above that. A head that somebody merely claims does not count,
or one liar could silence the validator for ever.

Where the others cannot go on without it (one or two validators) waiting for higher blocks would
never end. There the procedure relies on the operator's word that no other node runs with the key,
and signs above its head once all others have announced theirs. If a copy of its sign state can
still be read, it goes on from there (`DurableSignState.reset`), since a floor would forbid the very
height that nobody else can make. A validator that is alone has nobody who would contradict it, so
it is the most dangerous: with an empty disk it would begin the ledger anew. It waits for its own
blocks, which only an observer can still have, and until no peer announces a later one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from consensus.quorum import compute_quorum
from consensus.types import Address, Height

REQUEST_NAME = "resume.requested"
"""File in the sign-state folder that asks the next start of the node to resume."""

_HEIGHTS_AHEAD = 2


def request_resume(folder: Path) -> Path:
    """Ask the node that uses this sign-state folder to resume when it starts; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REQUEST_NAME
    path.write_text("The operator asked to resume signing.\n", encoding="utf-8")
    return path


def is_resume_requested(folder: Path) -> bool:
    """Whether `request_resume` was called and no resume has been completed since."""
    return (folder / REQUEST_NAME).exists()


def finish_resume(folder: Path) -> None:
    """Withdraw the request, once the new sign state is durable."""
    (folder / REQUEST_NAME).unlink(missing_ok=True)


def compute_resume_floor(
    *,
    own: Address,
    own_head: Height,
    highest_known: Height | None,
    validators: Sequence[Address],
    reports: Mapping[Address, Height],
) -> Height | None:
    """Return the height up to which nothing may be signed; None while it is too early to say.

    `own_head` is the height of our chain, every block of it verified. `reports` are the heads that
    connected peers announce, by the key that signed their handshake; only validators count, but
    for a validator that is alone, everybody.
    `highest_known` is the highest height in any readable copy of the old sign state, None if no
    copy can be read. A readable copy at height 0 tells that this disk was not emptied: the first
    record of all tore, and nothing was sent.
    """
    others = [address for address in validators if address != own]
    if not others:
        is_own_disk = own_head > 0 or highest_known is not None
        is_whole = is_own_disk and all(height <= own_head for height in reports.values())
        return _go_on_from(own_head, highest_known) if is_whole else None
    reached = sum(address in reports and reports[address] <= own_head for address in others)
    quorum = compute_quorum(len(validators))
    known = Height(0) if highest_known is None else highest_known
    if len(others) >= quorum:  # the others can go on without it
        return max(Height(own_head + _HEIGHTS_AHEAD), known) if reached >= quorum else None
    return _go_on_from(own_head, highest_known) if reached == len(others) else None


def _go_on_from(own_head: Height, highest_known: Height | None) -> Height | None:
    """Return the head; None if something was signed so high that blocks below it are missing."""
    is_whole = highest_known is None or highest_known <= own_head + 1
    return own_head if is_whole else None
