"""What a set of validators can survive, said plainly.

Two things can go wrong with a validator. It can be away: then blocks still become final as long as
a quorum is left. Or it can break the rules, on purpose or because somebody has its key: then two
quorums must still share one that keeps them. With n validators and a quorum of q, n - q may be
away; two quorums share 2q - n, so as many rule breakers could together seal two different blocks of
one height. Small sets gain little: two validators survive no absence, and three survive one but no
lie. Only from four on does a set survive one validator, whatever it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consensus.quorum import compute_faulty, compute_quorum

CLAUSES: Final[Mapping[str, str]] = {
    "one": "1 validator, a quorum is 1.",
    "quorum": "{validators} validators, a quorum is {quorum}.",
    "none_away": "None may be away, or no block becomes final.",
    "away": "Up to {absent} may be away; while more are, no block becomes final.",
    "none_faulty_stop": "None may break the rules: one alone could stop the ledger.",
    "none_faulty_fork": "None may break the rules: one alone could make two different blocks "
    "final.",
    "faulty": "Up to {faulty} may break the rules without harm; {fork} together could make two "
    "different blocks final.",
}
"""The sentences in English, with places for the numbers of `Resilience`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """What a set of validators survives, in numbers."""

    validators: int
    quorum: int
    """Seals that make a block final."""
    absent: int
    """How many may be away while blocks still become final."""
    faulty: int
    """f: how many may do whatever they like without stopping or forking the ledger."""
    fork: int
    """The least number of rule breakers who together could seal two blocks of one height."""

    @property
    def clauses(self) -> tuple[str, ...]:
        """Return the keys of the clauses that hold for it, in the order of reading."""
        quorum = "one" if self.validators == 1 else "quorum"
        away = "away" if self.absent else "none_away"
        if self.faulty:
            return quorum, away, "faulty"
        return quorum, away, "none_faulty_fork" if self.fork == 1 else "none_faulty_stop"


def compute_resilience(validator_count: int) -> Resilience:
    """Return what `validator_count` validators survive; at least one there must be."""
    quorum = compute_quorum(validator_count)
    return Resilience(
        validators=validator_count,
        quorum=quorum,
        absent=validator_count - quorum,
        faulty=compute_faulty(validator_count),
        fork=2 * quorum - validator_count,
    )


def describe_resilience(validator_count: int) -> str:
    """Return in plain English what `validator_count` validators survive, and what they do not."""
    found = compute_resilience(validator_count)
    numbers = {
        "validators": found.validators,
        "quorum": found.quorum,
        "absent": found.absent,
        "faulty": found.faulty,
        "fork": found.fork,
    }
    return " ".join(CLAUSES[key].format(**numbers) for key in found.clauses)
