"""Planted bugs: each is one that somebody once made, or that this design rests on not making.

A mutant replaces a function of the code under test while it is in force. The simulator must then
find a broken property; a mutant that survives shows a blind spot. Every mutant brings the kind of
schedules in which it can be seen, since most bugs hide from most schedules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.simulation.mutant_schedules import (
    final_at_one,
    in_profile,
    six_in_halves,
    traitors,
    two_prepared,
    usurped,
    without_execution,
)
from tests.simulation.planted_bugs import (
    certificate_forgotten,
    certificate_unchecked,
    duplicate_authors,
    execution_unchecked,
    forgotten_sign_state,
    jump_after_one,
    lowest_prepared_wins,
    no_jump,
    old_height_accepted,
    proposes_again_after_restart,
    reproposal_in_wrong_round,
    resumes_too_low,
    seal_over_block_hash,
    seal_unchecked,
    sends_before_it_writes,
    slow_write_unawaited,
    timer_after_import,
    torn_state_replaced,
    two_f_plus_one,
    uncapped_timeout,
)
from tests.simulation.schedule import Schedule

Patches = Callable[[], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted bug."""

    name: str
    story: str
    """What is wrong, in a sentence."""
    patches: Patches
    schedules: Callable[[int], Schedule]
    """By seed."""
    within: int
    """It is found within so many seeds, from 0."""

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Plant the bug for the duration of a with block."""
        started = self.patches()
        for each in started:
            each.start()
        try:
            yield
        finally:
            for each in reversed(started):
                each.stop()


MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant(
            name="quorum-2f+1",
            story="a quorum is 2f + 1, three of six",
            patches=two_f_plus_one,
            schedules=six_in_halves,
            within=5,
        ),
        Mutant(
            name="certificate-unchecked",
            story="the certificate of a proposal is not checked in the first later round",
            patches=certificate_unchecked,
            schedules=usurped,
            within=10,
        ),
        Mutant(
            name="duplicate-authors",
            story="one author counts as often as it is listed in a certificate",
            patches=duplicate_authors,
            schedules=usurped,
            within=10,
        ),
        Mutant(
            name="timer-after-import",
            story="a round timer acts on a height that is final",
            patches=timer_after_import,
            schedules=in_profile("calm"),
            within=5,
        ),
        Mutant(
            name="old-height-accepted",
            story="messages for a final height are still worked on",
            patches=old_height_accepted,
            schedules=in_profile("network"),
            within=200,
        ),
        Mutant(
            name="forgotten-sign-state",
            story="a restarted validator does not know what it signed",
            patches=forgotten_sign_state,
            schedules=in_profile("crashes"),
            within=40,
        ),
        Mutant(
            name="resumes-too-low",
            story="a validator that lost its disk signs again just above its own head",
            patches=resumes_too_low,
            schedules=in_profile("crashes"),
            within=1_000,
        ),
        Mutant(
            name="torn-state-replaced",
            story="a validator whose sign state is damaged begins a new one",
            patches=torn_state_replaced,
            schedules=in_profile("crashes"),
            within=200,
        ),
        Mutant(
            name="slow-write-unawaited",
            story="a message leaves while its record is still being written",
            patches=slow_write_unawaited,
            schedules=in_profile("timing"),
            within=40,
        ),
        Mutant(
            name="proposes-again",
            story="a restarted proposer makes another proposal for the same place",
            patches=proposes_again_after_restart,
            schedules=in_profile("crashes"),
            within=40,
        ),
        Mutant(
            name="wrong-round-digest",
            story="a block proposed again is compared in the round it is in now",
            patches=reproposal_in_wrong_round,
            schedules=in_profile("network"),
            within=200,
        ),
        Mutant(
            name="seal-over-block-hash",
            story="a commit seal signs the name of the block instead of its commit hash",
            patches=seal_over_block_hash,
            schedules=in_profile("network"),
            within=60,
        ),
        Mutant(
            name="no-jump",
            story="nobody follows f + 1 validators that are in a later round",
            patches=no_jump,
            schedules=in_profile("network"),
            within=60,
        ),
        Mutant(
            name="jump-after-one",
            story="one validator alone pulls the others through the rounds",
            patches=jump_after_one,
            schedules=traitors("wander"),
            within=40,
        ),
        Mutant(
            name="uncapped-timeout",
            story="timeouts double for ever",
            patches=uncapped_timeout,
            schedules=without_execution,
            within=3,
        ),
        Mutant(
            name="certificate-forgotten",
            story="a round change does not carry the prepared block",
            patches=certificate_forgotten,
            schedules=final_at_one,
            within=10,
        ),
        Mutant(
            name="sends-before-it-writes",
            story="a message leaves before its record is on disk",
            patches=sends_before_it_writes,
            schedules=in_profile("calm"),
            within=2,
        ),
        Mutant(
            name="lowest-prepared-wins",
            story="of several prepared blocks the oldest is proposed again",
            patches=lowest_prepared_wins,
            schedules=two_prepared,
            within=10,
        ),
        Mutant(
            name="seal-unchecked",
            story="a commit counts although its seal is by somebody else",
            patches=seal_unchecked,
            schedules=traitors("equivocate"),
            within=40,
        ),
        Mutant(
            name="execution-unchecked",
            story="a block is prepared without being executed",
            patches=execution_unchecked,
            schedules=traitors("spoil"),
            within=40,
        ),
    )
}
