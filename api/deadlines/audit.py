"""A due time then and now: what was fixed, what binds, and what would be reckoned today.

When a request is recorded its due time is fixed on the ledger, and the contract keeps it. Later the
calendar may change and the offices may have to close. The rule:

- a new version of the calendar or of the profile never moves a due time that was fixed;
- a closure moves it, also one entered later, if the profile lets closures extend;
- so do a pause and an extension, which are happenings of the case itself.

An audit shows all three, so that nobody has to take the difference on trust.
"""

from dataclasses import dataclass

from api.deadlines.due import Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One case as an auditor sees it."""

    fixed: Due
    """With what was known when it was fixed: versions, closures and happenings."""
    binding: Due
    """With the versions of then, and all closures and happenings."""
    today: Due
    """With the newest versions, and all closures and happenings."""
    recorded_s: int | None
    """The due time on the ledger, in seconds, if the caller gave it."""

    @property
    def is_recorded_right(self) -> bool | None:
        """Whether the ledger has the due time that followed then; None if it was not given."""
        return None if self.recorded_s is None else self.recorded_s == self.fixed.due_s

    @property
    def is_moved_by_case(self) -> bool:
        """Whether a closure, a pause or an extension moved what was fixed."""
        return self.binding.due_s != self.fixed.due_s

    @property
    def is_moved_by_data(self) -> bool:
        """Whether a newer calendar or profile would give another due time."""
        return self.today.due_s != self.binding.due_s
