"""Several ledgers: which of them a record belongs on, and where to ask about a credential.

A ledger is one chain with members of one or several jurisdictions. A record whose parties all
belong to one jurisdiction lives on that jurisdiction's own ledger; what crosses a border lives on
the ledger that the jurisdictions share. Each node serves one ledger, so an agency that is on
several has a client for each, and an object of this module keeps them together::

    ledgers = Ledgers([
        Ledger(name="macao", jurisdictions=("MO",), client=own, reference=...),
        Ledger(name="shared", jurisdictions=("MO", "CN-GD"), client=shared, reference=...),
    ])
    ledgers.choose({"consumer": "MO", "provider": "MO"}).name         # "macao"
    ledgers.choose({"consumer": "CN-GD", "provider": "MO"}).name      # "shared"
    ledgers.find(credential.record.ledger).client                     # of the credential's ledger

Nothing is sent here and no ledger is guessed: where none fits, :class:`LedgerRefused` names the
field and the next step. A record is never moved to the shared ledger for want of the own one,
because the other side's nodes would hold it for good.

The jurisdictions are texts that are compared as they stand: the same ones as in the settings of the
caller, such as ISO 3166 codes, or the ids that ``get_agency`` answers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from atesta_client.credentials import LedgerReference
from atesta_client.errors import LedgerRefused

C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Generic[C]):
    """One ledger as an agency sees it."""

    name: str
    """What the agency calls it, such as ``macao`` or ``shared``."""
    jurisdictions: tuple[str, ...]
    """The jurisdictions of its members; with one only, it is that jurisdiction's own ledger."""
    client: C
    """The client of the agency's node on it."""
    reference: LedgerReference | None = None
    """Chain id and genesis hash, by which credentials name it; ``None`` to find none there."""


class Ledgers(Generic[C]):
    """The ledgers on which an agency has a node, by name."""

    def __init__(self, ledgers: Iterable[Ledger[C]]) -> None:
        """Take the ledgers; raise ``ValueError`` where a choice between two would be arbitrary."""
        self._ledgers: dict[str, Ledger[C]] = {}
        seen: dict[object, str] = {}
        for ledger in ledgers:
            if ledger.name in self._ledgers:
                raise ValueError(f"two ledgers are called {ledger.name}")
            members = frozenset(ledger.jurisdictions)
            if not members:
                raise ValueError(f"{ledger.name} has no jurisdiction")
            for key in (members, ledger.reference):
                if key is not None and key in seen:
                    raise ValueError(f"{ledger.name} and {seen[key]} cannot be told apart")
                seen[key] = ledger.name
            self._ledgers[ledger.name] = ledger

    def __getitem__(self, name: str) -> Ledger[C]:
        return self._ledgers[name]

    def __iter__(self) -> Iterator[Ledger[C]]:
        return iter(self._ledgers.values())

    def __len__(self) -> int:
        return len(self._ledgers)

    def choose(self, parties: Mapping[str, str]) -> Ledger[C]:
        """Return the ledger for a record of these parties: field of the act to jurisdiction.

        Raises :class:`LedgerRefused` with the code ``parties_missing``, ``jurisdiction_unknown``,
        ``own_ledger_missing`` or ``shared_ledger_missing``.
        """
        if not parties:
            raise LedgerRefused(
                "parties_missing",
                "a record without parties belongs on no ledger",
                field="parties",
                next_step="Name every party with its jurisdiction.",
            )
        known = {place for ledger in self for place in ledger.jurisdictions}
        for field, place in parties.items():
            if place not in known:
                raise LedgerRefused(
                    "jurisdiction_unknown",
                    f"no ledger here has members of {place}",
                    field=field,
                    next_step="Correct the jurisdiction, or run a node on a ledger that has it.",
                )
        involved = frozenset(parties.values())
        if len(involved) == 1:
            return self._choose_own(next(iter(parties)), involved)
        return self._choose_shared(parties, involved)

    def require(self, name: str, parties: Mapping[str, str]) -> Ledger[C]:
        """Return the ledger of this name if the record belongs on it.

        Raises :class:`LedgerRefused` as :meth:`choose` does, and with the code ``ledger_wrong``.
        """
        chosen = self.choose(parties)
        if chosen.name != name:
            raise LedgerRefused(
                "ledger_wrong",
                f"a record of {', '.join(sorted(set(parties.values())))} belongs on {chosen.name}",
                field="ledger",
                next_step=f"Send it to {chosen.name}.",
            )
        return chosen

    def find(self, reference: LedgerReference) -> Ledger[C]:
        """Return the ledger that a credential names, by chain id and genesis hash.

        Raises :class:`LedgerRefused` with the code ``ledger_not_held``: whether such a credential
        is valid cannot be said here.
        """
        for ledger in self:
            if ledger.reference == reference:
                return ledger
        raise LedgerRefused(
            "ledger_not_held",
            f"cannot say: no node here holds the ledger with chain id {reference.chain_id} and "
            f"genesis 0x{reference.genesis_hash.hex()}",
            field="ledger",
            next_step="Ask the holder to have it published on a ledger that both sides hold.",
        )

    def _choose_own(self, field: str, involved: frozenset[str]) -> Ledger[C]:
        for ledger in self:
            if frozenset(ledger.jurisdictions) == involved:
                return ledger
        (place,) = involved
        raise LedgerRefused(
            "own_ledger_missing",
            f"all parties are of {place}, and no node here is on its own ledger",
            field=field,
            next_step=f"Send it through a node on the ledger of {place}; a shared ledger would "
            "show it to others.",
        )

    def _choose_shared(self, parties: Mapping[str, str], involved: frozenset[str]) -> Ledger[C]:
        """Choose the ledger with the fewest jurisdictions besides: who need not hold it, do not."""
        fitting = [ledger for ledger in self if involved <= frozenset(ledger.jurisdictions)]
        if fitting:
            return min(fitting, key=lambda ledger: (len(set(ledger.jurisdictions)), ledger.name))
        first = next(iter(parties.values()))
        field = next(name for name, place in parties.items() if place != first)
        raise LedgerRefused(
            "shared_ledger_missing",
            f"no ledger here is shared by {', '.join(sorted(involved))}",
            field=field,
            next_step="Run a node on a ledger that all of them are members of.",
        )
