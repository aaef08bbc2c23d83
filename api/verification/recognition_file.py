"""The recognition file: an agency's own policies and its address book, in TOML.

    [[policy]]
    purpose = "border-crossing"        # as a challenge names it
    required = ["/result"]             # fields that must be shown
    max_age_s = 259200                 # longest time since the record was captured
    issuers = ["0x…"]                  # agencies recognised; all accredited ones when absent
    schemas = ["0x…"]                  # schemas recognised; all when absent
    needs_holder = true                # refuse documents without a holder's key

    [[agency]]
    id = "0x…"
    name = "Health Bureau, Macao"      # names stand here, never on the ledger
    assurance = "high"                 # how surely it identifies people; substantial when absent

Policies that both sides of a border have signed stand on the ledger and judge first; these here
only ask for more.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from atesta_client.errors import PointerMalformed
from atesta_client.pointers import parse_pointer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.errors import InvalidField
from api.verification.policies import Assurance, RecognitionPolicy

FILE_SETTING: Final = "api.recognition_file"

_Uid = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What the file says."""

    policies: tuple[RecognitionPolicy, ...] = ()
    names: Mapping[bytes, str] = field(default_factory=dict)
    """Names of agencies by id."""
    assurances: Mapping[bytes, Assurance] = field(default_factory=dict)
    """How surely agencies identify people, by id, where the file says it."""


def load_recognition(path: Path) -> Recognition:
    """Read the file; raises `InvalidField` that names the entry at fault."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidField(FILE_SETTING, "the recognition file cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidField(FILE_SETTING, f"the recognition file is not TOML: {error}") from error
    try:
        entries = _File.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidField(f"{FILE_SETTING}: {place}", first["msg"]) from error
    purposes = [entry.purpose for entry in entries.policy]
    if len(set(purposes)) != len(purposes):
        raise InvalidField(f"{FILE_SETTING}: policy", "two policies have the same purpose")
    return Recognition(
        policies=tuple(_build_policy(entry) for entry in entries.policy),
        names={bytes.fromhex(entry.id[2:]): entry.name for entry in entries.agency},
        assurances={
            bytes.fromhex(entry.id[2:]): Assurance[entry.assurance.upper()]
            for entry in entries.agency
            if entry.assurance is not None
        },
    )


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Policy(_Entry):
    purpose: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,99}$")]
    required: list[str] = Field(default_factory=list)
    max_age_s: Annotated[int, Field(gt=0)] | None = None
    issuers: list[_Uid] | None = None
    schemas: list[_Uid] | None = None
    needs_holder: bool = False


class _Agency(_Entry):
    id: _Uid
    name: Annotated[str, Field(min_length=1, max_length=200)]
    assurance: Literal["low", "substantial", "high"] | None = None


class _File(_Entry):
    policy: list[_Policy] = Field(default_factory=list)
    agency: list[_Agency] = Field(default_factory=list)


def _build_policy(entry: _Policy) -> RecognitionPolicy:
    for pointer in entry.required:
        try:
            parse_pointer(pointer)
        except PointerMalformed as error:
            raise InvalidField(f"{FILE_SETTING}: policy {entry.purpose}", error.message) from error
    return RecognitionPolicy(
        purpose=entry.purpose,
        required=tuple(entry.required),
        max_age_s=entry.max_age_s,
        issuers=_decode(entry.issuers),
        schemas=_decode(entry.schemas),
        needs_holder=entry.needs_holder,
    )


def _decode(uids: list[str] | None) -> frozenset[bytes] | None:
    return None if uids is None else frozenset(bytes.fromhex(uid[2:]) for uid in uids)
