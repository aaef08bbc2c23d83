"""Validators by header votes: the tally that blocks carry.

Without a validator contract the validators elect each other. A proposer may put one vote into the
block that it proposes: add this address, or drop it. More than half of the validators must have
voted the same way. Votes live until they pass, until their author changes its mind, or until the
next epoch block, which restates the validators and clears the tally, so that old votes do not lie
in wait. Everything here is a pure function of the headers. Source: Besu's VoteTally.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consensus.extra_data import ExtraData, Vote, VoteType, decode_extra_data
from consensus.header import BlockHeader
from consensus.types import Address, Height

Votes = Mapping[Address, frozenset[Address]]
"""Voters by recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteTally:
    """The validators after a block, and the votes that are still open."""

    validators: tuple[Address, ...]
    """Ascending."""

    add_votes: Votes = field(default_factory=dict)
    """Who voted to add whom."""

    drop_votes: Votes = field(default_factory=dict)
    """Who voted to drop whom."""


def apply_header(tally: VoteTally, header: BlockHeader, epoch_length: int) -> VoteTally:
    """Return the tally after `header`, whose coinbase is the voter; genesis starts a tally."""
    extra_data = decode_extra_data(header.extra_data)
    if header.number % epoch_length == 0:
        return start_tally(extra_data)
    if extra_data.vote is None:
        return tally
    return apply_vote(tally, voter=header.coinbase, vote=extra_data.vote)


def start_tally(extra_data: ExtraData) -> VoteTally:
    """Return the tally after an epoch block: the validators that it states, no votes."""
    return VoteTally(validators=tuple(sorted(extra_data.validators)))


def apply_vote(tally: VoteTally, *, voter: Address, vote: Vote) -> VoteTally:
    """Return the tally after one vote, which may pass at once."""
    adds = _set_vote(tally.add_votes, vote, voter, is_cast=vote.vote_type is VoteType.ADD)
    drops = _set_vote(tally.drop_votes, vote, voter, is_cast=vote.vote_type is VoteType.DROP)
    validators = tally.validators
    recipient = vote.recipient
    limit = len(validators) // 2 + 1
    if len(adds.get(recipient, ())) >= limit and recipient not in validators:
        validators = tuple(sorted((*validators, recipient)))
        adds, drops = _clear_recipient(adds, recipient), _clear_recipient(drops, recipient)
    elif len(drops.get(recipient, ())) >= limit and _is_droppable(recipient, validators):
        validators = tuple(address for address in validators if address != recipient)
        adds = _clear_voter(_clear_recipient(adds, recipient), recipient)
        drops = _clear_voter(_clear_recipient(drops, recipient), recipient)
    return VoteTally(validators=validators, add_votes=adds, drop_votes=drops)


def choose_vote(
    wishes: Mapping[Address, VoteType], validators: Sequence[Address], height: Height
) -> Vote | None:
    """Return the vote that the proposer of `height` puts into its block, or None.

    `wishes` are what its operator asked for. Those that are fulfilled are passed over; of several
    others the height decides, so that each gets its turn. Repeating a vote changes nothing.
    """
    open_wishes = [
        Vote(recipient=recipient, vote_type=vote_type)
        for recipient, vote_type in sorted(wishes.items())
        if (vote_type is VoteType.ADD) != (recipient in validators)
    ]
    return open_wishes[height % len(open_wishes)] if open_wishes else None


def _is_droppable(recipient: Address, validators: tuple[Address, ...]) -> bool:
    # Dropping the only validator would end the chain for ever, so that vote never passes.
    return recipient in validators and len(validators) > 1


def _set_vote(votes: Votes, vote: Vote, voter: Address, *, is_cast: bool) -> Votes:
    voters = votes.get(vote.recipient, frozenset())
    voters = voters | {voter} if is_cast else voters - {voter}
    changed = {**votes, vote.recipient: voters}
    if not voters:
        del changed[vote.recipient]
    return changed


def _clear_recipient(votes: Votes, recipient: Address) -> Votes:
    return {address: voters for address, voters in votes.items() if address != recipient}


def _clear_voter(votes: Votes, voter: Address) -> Votes:
    remaining = {address: voters - {voter} for address, voters in votes.items()}
    return {address: voters for address, voters in remaining.items() if voters}
