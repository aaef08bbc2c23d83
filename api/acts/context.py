"""What an act's `prepare` works with: who acts, where the path points, what the ledger says."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.access.callers import Caller
from api.acts import parties
from api.acts.calls import read_contract
from api.errors import InvalidField, UserFault
from api.ledger import Reverted
from api.near_names import ask_whether
from api.records import NO_UID
from api.rest.references import read_reference
from api.rest.refusals import translate_revert
from api.rest.services import RestServices
from api.rest.values import decode_hex, parse_digest
from api.texts.fields import FieldUnknown, build_mask, list_fields
from api.texts.text import PublicText, TextKind
from contracts.addresses import BASES_NAME, CATALOGUE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ActContext:
    """The surroundings of one performance."""

    services: RestServices
    caller: Caller | None
    agency: bytes
    """The agency that acts: this node's, or that of the key for which an act is prepared."""
    path: Mapping[str, str]
    """The variable parts of the path by name."""
    now_s: int

    def get_uid(self, name: str = "uid") -> bytes:
        """Return 32 bytes of the path; raises `InvalidField`."""
        return parse_digest(self.get_part(name), name)

    def get_number(self, name: str) -> int:
        """Return a number of the path, 0 to 2^64 - 1; raises `InvalidField`."""
        text = self.get_part(name)
        if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) >= 2**64:
            raise InvalidField(name, "must be a number from 0 to 2^64 - 1")
        return int(text)

    def get_part(self, name: str) -> str:
        """Return a part of the path; raises `InvalidField` where it is missing."""
        if name not in self.path:
            raise InvalidField(f"path.{name}", "this part of the act's path is needed")
        return self.path[name]

    def take_uid(self, given: str | None) -> bytes:
        """Return the uid that the caller chose, or a new random one."""
        return secrets.token_bytes(32) if given is None else decode_hex(given)

    def find_id(self, reference: str | None) -> bytes:
        """Return an agency's or jurisdiction's id, given as such or as a label; zero for None."""
        return NO_UID if reference is None else read_reference(reference)

    async def find_agency(self, reference: str | None, *, field: str) -> bytes:
        """Return an agency's id, zero for None; raises `UserFault` for one that nobody admitted.

        A label that is mistyped would otherwise stand on the ledger for good.
        """
        return await parties.find_agency(self.services.ledger, reference, field=field)

    async def find_jurisdiction(self, reference: str | None, *, field: str) -> bytes:
        """Return a jurisdiction's id, zero for None; raises `UserFault` if it has no agency."""
        return await parties.find_jurisdiction(self.services.ledger, reference, field=field)

    async def read(self, contract: str, function: str, /, *args: Any) -> Any:
        """Ask a contract at the last final block; raises its refusal as a `UserFault`."""
        try:
            return await read_contract(self.services.ledger, contract, function, *args)
        except Reverted as reverted:
            raise translate_revert(reverted.reason) from reverted

    async def get_dataset(self, uid: bytes, *, field: str = "dataset") -> dict[str, Any]:
        """Return a dataset as the contract has it; raises `UserFault` for an unknown one."""
        record: dict[str, Any] = await self.read(CATALOGUE_NAME, "dataset", uid)
        if record["state"] == 0:
            raise _refuse_unknown("dataset", field)
        return record

    async def get_basis(self, uid: bytes, *, field: str = "basis") -> dict[str, Any]:
        """Return a legal basis as the contract has it; raises `UserFault` for an unknown one."""
        record: dict[str, Any] = await self.read(BASES_NAME, "basis", uid)
        if record["state"] == 0:
            raise _refuse_unknown("basis", field)
        return record

    async def get_fields_text(self, dataset: bytes, *, field: str = "dataset") -> PublicText:
        """Return the text that lists a dataset's fields; raises `UserFault` if it is not here."""
        record = await self.get_dataset(dataset, field=field)
        text = await self.services.texts.find(bytes(record["terms"]["fields_hash"]))
        if text is None or text.kind is not TextKind.FIELDS:
            raise UserFault(
                "this node does not hold the list of the dataset's fields",
                code="text_missing",
                field=field,
                status=409,
                next_step="get the text from the dataset's owner and PUT it to /v1/texts",
                extra={"text": "0x" + bytes(record["terms"]["fields_hash"]).hex()},
            )
        return text

    async def get_mask(
        self,
        dataset: bytes,
        pointers: Sequence[str],
        *,
        field: str = "fields",
        dataset_field: str = "dataset",
    ) -> int:
        """Return the word of a set of a dataset's fields; raises `UserFault` by field."""
        text = await self.get_fields_text(dataset, field=dataset_field)
        try:
            return build_mask(text, pointers)
        except FieldUnknown as unknown:
            raise UserFault(
                "the dataset has no such field",
                code="field_unknown",
                field=f"{field}.{unknown.place}",
                status=422,
                next_step="take the fields from the dataset's own list"
                + ask_whether(pointers[unknown.place], [one.pointer for one in list_fields(text)]),
            ) from None


def _refuse_unknown(kind: str, field: str) -> UserFault:
    return UserFault(
        f"the ledger has no {kind} with this uid",
        code=f"{kind}_not_found",
        field=field,
        status=404,
        next_step="if it was accepted a moment ago, wait until its operation is final",
    )
