"""Heads rebuilt from events alone, as anybody can who reads the ledger from outside.

Each entry of a head stands in one event, with its number; so the events of a contract give the head
and the count of every agency and pair, or one of them is wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from contracts.codec import DecodedLog
from contracts.codes import ConsentEntry, RecordKind, RecordState
from tests.contracts.contract_harness import Ledger
from tests.contracts.law_harness import HeadModel

Args = Mapping[str, Any]
State = int | Callable[[Args], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Which entries an event tells of."""

    kind: RecordKind
    parties: Mapping[str, str]
    """The argument that names the party, to the one with the entry's number."""
    state: State = RecordState.ACTIVE


_BOTH: Final = {"provider": "provider_sequence", "recipient": "recipient_sequence"}


def _get_state(args: Args) -> int:
    return int(args["state"])


def _get_answer(args: Args) -> int:
    return ConsentEntry.STOPPED - 1 + int(args["outcome"])


EVENTS: Final[Mapping[str, Entries]] = {
    "DatasetStateChanged": Entries(
        kind=RecordKind.DATASET, parties={"owner": "sequence"}, state=_get_state
    ),
    "BasisStateChanged": Entries(
        kind=RecordKind.BASIS, parties={"agency": "sequence"}, state=_get_state
    ),
    "InstrumentStateChanged": Entries(
        kind=RecordKind.INSTRUMENT, parties={"agency": "sequence"}, state=_get_state
    ),
    "Stopped": Entries(kind=RecordKind.STOP, parties={"entered_by": "sequence"}),
    "StopLifted": Entries(
        kind=RecordKind.STOP, parties={"entered_by": "sequence"}, state=RecordState.REVOKED
    ),
    "ConsentGiven": Entries(kind=RecordKind.CONSENT, parties=_BOTH),
    "ConsentWithdrawn": Entries(kind=RecordKind.CONSENT, parties=_BOTH, state=RecordState.REVOKED),
    "WithdrawalAnswered": Entries(kind=RecordKind.CONSENT, parties=_BOTH, state=_get_answer),
    "BoundOnward": Entries(
        kind=RecordKind.CONSENT,
        parties={"recipient": "sequence"},
        state=ConsentEntry.BOUND_ONWARD,
    ),
    "WithdrawalPassedOn": Entries(
        kind=RecordKind.CONSENT, parties={"recipient": "sequence"}, state=RecordState.REVOKED
    ),
    "MandateRecorded": Entries(kind=RecordKind.MANDATE, parties={"agency": "sequence"}),
    "MandateEnded": Entries(
        kind=RecordKind.MANDATE, parties={"agency": "sequence"}, state=RecordState.REVOKED
    ),
    "BoardSucceeded": Entries(kind=RecordKind.SUCCESSION, parties={"agency": "sequence"}),
}
"""Events with a number of their own; those of exchanges carry three, see `_list_exchange`."""
WITHOUT_ENTRY: Final = frozenset({"QuotaMoved", "ReleasesListed", "LeafNamed", "MarkedLate"})


class HeadReplay:
    """The heads of one contract, followed event by event from where they stand."""

    def __init__(self, ledger: Ledger, contract: str, parties: tuple[bytes, ...]) -> None:
        self._model = HeadModel(ledger=ledger, contract=contract)
        self._touched: set[bytes] = set()
        for party in parties:
            self._model.heads[party] = ledger.read(contract, "head", party)
            self._model.counts[party] = ledger.read(contract, "count", party)

    def follow(self, event: DecodedLog) -> None:
        """Chain the entries of an event of the present block."""
        for kind, party, uid, state, number in list_entries(event):
            assert self._model.advance(party, kind, uid, state) == number
            self._touched.add(party)

    def check(self) -> None:
        """Compare all heads that moved since the last time with the contract's."""
        self._model.check([*self._touched])
        self._touched.clear()


def list_entries(event: DecodedLog) -> Iterator[tuple[int, bytes, bytes, int, int]]:
    """Yield kind, party, uid, state and number of each entry that an event tells of."""
    if event.event in WITHOUT_ENTRY:
        return
    if "sequences" in event.args:
        yield from _list_exchange(event)
        return
    entries = EVENTS[event.event]
    state = entries.state(event.args) if callable(entries.state) else entries.state
    for party, number in entries.parties.items():
        yield (
            entries.kind,
            event.args[party],
            event.args["uid"],
            state,
            event.args[number],
        )


def _list_exchange(event: DecodedLog) -> Iterator[tuple[int, bytes, bytes, int, int]]:
    args = event.args
    kind, uid = RecordKind.EXCHANGE, args["uid"]
    if event.event == "PeriodChanged":
        kind = RecordKind.PERIOD
        uid = keccak(uid + args["period"].to_bytes(32, "big"))
    pair = keccak(args["requester"] + args["provider"])
    parties = (args["requester"], args["provider"], pair)
    for party, number in zip(parties, args["sequences"], strict=True):
        yield kind, party, uid, int(args.get("state", 1)), number
