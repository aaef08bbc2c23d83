"""Who takes part, as the agency registry says at one final block.

The registry is a contract; the node asks it by the same calls that anybody can make, at its own
head, and never keeps a list of its own. Two kinds of questions are asked:

* Of single accounts, for every transaction and every block: may it send, may it deploy? These
  depend on the time of the block (a key's validity ends) and are asked once per account and head.
  Who was never entered as a key may nothing: that is known from the tables, so that a flood of
  strangers costs no call of the contract.
* Of whole tables, to connect to other nodes and to name them: agencies, validators, TLS pins.
  These change rarely and are read again only when the registry's storage has changed.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_typing import Address, Hash32

from consensus.header import BlockHeader
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import decode_output, encode_call
from contracts.codes import AgencyStatus, Role
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.errors import ChainBug
from node.chain.results import CallRequest

_CALL_GAS = 10_000_000
"""Bounds a question: thousands of times what the dearest one needs."""
_MAX_REMEMBERED = 10_000
_OF_ACCOUNTS = frozenset({"may_send", "may_deploy"})
_MAX_MOMENTS = 2  # the head, and its parent while a block is imported

_Moment = tuple[Hash32, int]
"""State root and time of a block: all that an answer depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency of the registry."""

    agency_id: bytes
    """32 bytes; readable text padded with zeros where the founders chose so."""
    jurisdiction: bytes
    """32 bytes, likewise."""
    is_active: bool
    """False while it is suspended."""
    roles: Role
    """What its keys may be given."""

    @property
    def label(self) -> str:
        """Return a short name for logs: the id's text where it is one, else its hex."""
        text = self.agency_id.rstrip(b"\x00")
        if text and all(0x20 < byte < 0x7F for byte in text):
            return text.decode("ascii")
        return self.agency_id.hex()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A TLS key that may be used by a node of an agency."""

    fingerprint: Hash32
    """SHA-256 of the key's SubjectPublicKeyInfo."""
    agency_id: bytes
    valid_from: int
    """Seconds since 1970; the first moment at which it counts."""
    valid_until: int
    """Seconds since 1970; the first moment at which it does not; 0 for no end."""

    def is_valid_at(self, timestamp_s: int) -> bool:
        """Tell whether the pin counts at a moment."""
        return self.valid_from <= timestamp_s and (
            self.valid_until == 0 or timestamp_s < self.valid_until
        )

    def has_ended_at(self, timestamp_s: int) -> bool:
        """Tell whether the pin counted once and, at a moment, does not any more."""
        return self.valid_until != 0 and self.valid_until <= timestamp_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryTables:
    """The registry's tables at one storage root."""

    agencies: Mapping[bytes, Agency] = field(default_factory=dict)
    """By agency id, in the order of admission."""
    validators: Mapping[Address, bytes] = field(default_factory=dict)
    """Each present validator's agency id."""
    keys: Mapping[bytes, frozenset[Address]] = field(default_factory=dict)
    """Every account that is or was an agency's key."""
    pins: tuple[Pin, ...] = ()
    """All pins ever entered; valid, to come, or ended by time or withdrawal."""

    @property
    def jurisdictions(self) -> frozenset[bytes]:
        """Return the jurisdictions of all agencies."""
        return frozenset(agency.jurisdiction for agency in self.agencies.values())

    def get_validators_of(self, agency_id: bytes) -> frozenset[Address]:
        """Return the present validators of an agency."""
        return frozenset(
            validator for validator, owner in self.validators.items() if owner == agency_id
        )


@dataclass(slots=True, kw_only=True)
class _Answers:
    registry_root: Hash32
    given: dict[tuple[str, bytes], bool] = field(default_factory=dict)


class RegistryView:
    """The registry at the head. Safe to ask from any thread."""

    def __init__(self, chain: Blockchain) -> None:
        self._chain = chain
        self._lock = threading.Lock()
        self._answers: OrderedDict[_Moment, _Answers] = OrderedDict()
        self._tables_root: Hash32 | None = None
        self._tables = RegistryTables()
        self._accounts: frozenset[Address] = frozenset()

    def may_send(self, sender: Address, *, at: BlockHeader | None = None) -> bool:
        """Tell whether an account is a live key of an active agency, at the head or `at`."""
        return self._ask("may_send", sender, at)

    def may_deploy(self, sender: Address, *, at: BlockHeader | None = None) -> bool:
        """Tell whether an account may create contracts, at the head or `at`."""
        return self._ask("may_deploy", sender, at)

    def is_resolved(self, subject: Hash32, *, at: BlockHeader | None = None) -> bool:
        """Tell whether the agencies have resolved on a subject, at the head or `at`."""
        return self._ask("resolved_at", subject, at)

    def is_agency(self, name: bytes) -> bool:
        """Tell whether an agency was ever admitted under this identifier."""
        return self._has_name(name, "agencies")

    def is_jurisdiction(self, name: bytes) -> bool:
        """Tell whether an agency was ever admitted from this jurisdiction."""
        return self._has_name(name, "jurisdictions")

    def get_tables(self) -> RegistryTables:
        """Return the tables at the head; reads them, for some tens of milliseconds, if changed."""
        header = self._chain.head
        root = self._get_root(header)
        with self._lock:
            if root == self._tables_root:
                return self._tables
        tables = self._read_tables(header) if root else RegistryTables()
        accounts = frozenset[Address]().union(*tables.keys.values())
        with self._lock:
            self._tables, self._tables_root, self._accounts = tables, root, accounts
        return tables

    def _has_name(self, name: bytes, table: str) -> bool:
        # The tables of a moment ago do: nobody is ever struck off. Only for an unknown name is it
        # worth reading them anew, and that does nothing unless the registry has changed.
        with self._lock:
            known = name in getattr(self._tables, table)
        return known or name in getattr(self.get_tables(), table)

    def _ask(self, function: str, about: bytes, at: BlockHeader | None) -> bool:
        header = at or self._chain.head
        answers = self._find_answers(header)
        with self._lock:
            answer = answers.given.get((function, about))
            is_known = answers.registry_root == self._tables_root
            if answer is None and is_known and function in _OF_ACCOUNTS:
                answer = None if about in self._accounts else False
        if answer is None:
            answer = bool(self._call(header, function, (about,)))
            with self._lock:
                if len(answers.given) < _MAX_REMEMBERED:
                    answers.given[function, about] = answer
        return answer

    def _find_answers(self, header: BlockHeader) -> _Answers:
        moment = (header.state_root, header.timestamp)
        with self._lock:
            answers = self._answers.get(moment)
        if answers is not None:
            return answers
        fresh = _Answers(registry_root=self._get_root(header))
        with self._lock:
            answers = self._answers.setdefault(moment, fresh)
            if len(self._answers) > _MAX_MOMENTS:
                self._answers.popitem(last=False)
        return answers

    def _get_root(self, header: BlockHeader) -> Hash32:
        """Return the root of the registry's storage; empty where there is no registry."""
        account = self._chain.state_at(header).get_account(REGISTRY)
        return account.storage_root if account is not None else Hash32(b"")

    def _read_tables(self, header: BlockHeader) -> RegistryTables:
        agencies: dict[bytes, Agency] = {}
        keys: dict[bytes, frozenset[Address]] = {}
        for index in range(self._call(header, "agency_count")):
            agency_id = self._call(header, "agency_at", (index,))
            row = self._call(header, "agency", (agency_id,))
            agencies[agency_id] = Agency(
                agency_id=agency_id,
                jurisdiction=row["jurisdiction"],
                is_active=row["status"] == AgencyStatus.ACTIVE,
                roles=Role(row["roles"]),
            )
            keys[agency_id] = frozenset(
                self._call(header, "key_at", (agency_id, place))
                for place in range(self._call(header, "key_count", (agency_id,)))
            )
        validators = {
            validator: self._call(header, "validator_agency", (validator,))
            for validator in self._call(header, "getValidators")
        }
        pins: list[Pin] = []
        for index in range(self._call(header, "pin_count")):
            fingerprint = self._call(header, "pin_at", (index,))
            row = self._call(header, "pin", (fingerprint,))
            pins.append(
                Pin(
                    fingerprint=Hash32(fingerprint),
                    agency_id=row["agency"],
                    valid_from=row["valid_from"],
                    valid_until=row["valid_until"],
                )
            )
        return RegistryTables(agencies=agencies, validators=validators, keys=keys, pins=tuple(pins))

    def _call(self, header: BlockHeader, function: str, arguments: tuple[Any, ...] = ()) -> Any:
        """Ask one question; a network without a registry answers no, or with nothing."""
        request = CallRequest(
            to=REGISTRY,
            data=encode_call(AGENCY_REGISTRY_NAME, function, arguments),
            gas=_CALL_GAS,
        )
        # No deadline by the clock: a process that stood still for a while must not fail at this.
        result = self._chain.call(request, header, deadline=Deadline.never())
        if result.error is not None:
            raise ChainBug(f"the registry does not answer {function}: {result.error}")
        if not result.output:  # no code at this address
            return 0
        return decode_output(AGENCY_REGISTRY_NAME, function, result.output)
