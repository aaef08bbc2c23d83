"""Who is who: the agency registry as of the head, kept until the registry changes.

Every page names agencies instead of addresses, so the registry's tables are held in memory. Each
change of them emits an event of the registry; as long as the blocks since the last reading have
none, the tables are still true, and one cheap search for logs proves it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.explorer.facts import KeyFacts, Party
from api.explorer.fields import name_roles
from api.web3_provider import RawCall, RawRpc
from contracts import codec
from contracts.address_book import GENESIS_BOOK, AddressBook
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.codes import AgencyStatus
from contracts.labels import format_identifier

Question = tuple[str, str, tuple[Any, ...]]
"""Contract, function and arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency of the registry."""

    id: bytes
    jurisdiction: bytes
    active: bool
    roles: tuple[str, ...]
    profile_hash: bytes
    keys: tuple[KeyFacts, ...]
    validators: tuple[str, ...]

    @property
    def label(self) -> str:
        """The id's text, or its hex."""
        return format_identifier(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry's tables after a block."""

    block: int
    agencies: Mapping[bytes, Agency]
    """By id, in the registry's order."""
    by_address: Mapping[str, bytes]
    """The agency of each key and validator."""
    validators: tuple[str, ...]

    def get_party(self, address: str) -> Party:
        """Return an account with its agency."""
        agency = self.by_address.get(address)
        return Party(
            address=address,
            agency=None if agency is None else "0x" + agency.hex(),
            agency_label=None if agency is None else format_identifier(agency),
        )

    def get_key(self, address: str) -> KeyFacts | None:
        """Return an account's entry in the registry."""
        agency = self.agencies.get(self.by_address.get(address, b""))
        if agency is None:
            return None
        return next((key for key in agency.keys if key.address == address), None)


EMPTY_REGISTRY: Final = Registry(block=-1, agencies={}, by_address={}, validators=())


class RegistryReader:
    """The registry at the head, read again only when it changed."""

    def __init__(self, raw: RawRpc, book: AddressBook = GENESIS_BOOK) -> None:
        self._raw = raw
        self._book = book
        self._known = EMPTY_REGISTRY
        self._lock = asyncio.Lock()

    async def get(self, head: int) -> Registry:
        """Return the registry's tables after block `head`."""
        async with self._lock:
            known = self._known
            if known.block > head or known.block < 0 or await self._has_changed(known.block, head):
                known = await self._read(head)
            elif known.block < head:
                known = Registry(
                    block=head,
                    agencies=known.agencies,
                    by_address=known.by_address,
                    validators=known.validators,
                )
            self._known = known
            return known

    async def _has_changed(self, since: int, head: int) -> bool:
        if head == since:
            return False
        found = await self._raw.call(
            "eth_getLogs",
            {
                "fromBlock": hex(since + 1),
                "toBlock": hex(head),
                "address": "0x" + self._book.get_address(AGENCY_REGISTRY_NAME).hex(),
            },
        )
        return bool(found)

    async def _read(self, block: int) -> Registry:
        count, validators = await ask(
            self._raw,
            block,
            [
                (AGENCY_REGISTRY_NAME, "agency_count", ()),
                (AGENCY_REGISTRY_NAME, "getValidators", ()),
            ],
            self._book,
        )
        if count is None:  # a network without this ledger's contracts
            return Registry(block=block, agencies={}, by_address={}, validators=())
        ids = await self._ask_each(block, "agency_at", [(index,) for index in range(count)])
        each = [(agency_id,) for agency_id in ids]
        rows = await self._ask_each(block, "agency", each)
        key_counts = await self._ask_each(block, "key_count", each)
        places = [
            (agency_id, index)
            for agency_id, keys in zip(ids, key_counts, strict=True)
            for index in range(keys)
        ]
        addresses = await self._ask_each(block, "key_at", places)
        keys = await self._ask_each(block, "key", [(address,) for address in addresses])
        owners = await self._ask_each(
            block, "validator_agency", [(validator,) for validator in validators]
        )
        return _arrange(
            block=block,
            rows=dict(zip(ids, rows, strict=True)),
            keys=dict(zip(map(_write, addresses), keys, strict=True)),
            validators=dict(zip(map(_write, validators), owners, strict=True)),
        )

    async def _ask_each(
        self, block: int, function: str, arguments: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        questions = [(AGENCY_REGISTRY_NAME, function, values) for values in arguments]
        return await ask(self._raw, block, questions, self._book)


async def ask(
    raw: RawRpc,
    block: int,
    questions: Sequence[Question],
    book: AddressBook = GENESIS_BOOK,
) -> list[Any]:
    """Return the contracts' answers after a block; None where there is no contract."""
    if not questions:
        return []
    calls: list[RawCall] = [
        (
            "eth_call",
            (
                {
                    "to": "0x" + book.get_address(contract).hex(),
                    "data": "0x" + codec.encode_call(contract, function, arguments).hex(),
                },
                hex(block),
            ),
        )
        for contract, function, arguments in questions
    ]
    outputs = await raw.batch(calls)
    return [
        None
        if output == "0x"
        else codec.decode_output(contract, function, bytes.fromhex(output[2:]))
        for (contract, function, _), output in zip(questions, outputs, strict=True)
    ]


def _arrange(
    *, block: int, rows: dict[bytes, Any], keys: dict[str, Any], validators: dict[str, bytes]
) -> Registry:
    agencies = {
        bytes(agency_id): Agency(
            id=bytes(agency_id),
            jurisdiction=bytes(row["jurisdiction"]),
            active=row["status"] == AgencyStatus.ACTIVE,
            roles=name_roles(row["roles"]),
            profile_hash=bytes(row["profile_hash"]),
            keys=tuple(
                KeyFacts(
                    address=address,
                    roles=name_roles(key["roles"]),
                    valid_from_s=key["valid_from"],
                    valid_until_s=key["valid_until"],
                )
                for address, key in keys.items()
                if key["agency"] == agency_id
            ),
            validators=tuple(
                address for address, owner in validators.items() if owner == agency_id
            ),
        )
        for agency_id, row in rows.items()
    }
    by_address = {address: bytes(owner) for address, owner in validators.items()}
    by_address |= {address: bytes(key["agency"]) for address, key in keys.items()}
    return Registry(
        block=block, agencies=agencies, by_address=by_address, validators=tuple(validators)
    )


def _write(address: bytes | str) -> str:
    return address.lower() if isinstance(address, str) else "0x" + bytes(address).hex()
