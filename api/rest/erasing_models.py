"""Requests and answers about erasing credentials and other records."""

from typing import Literal

from pydantic import Field

from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, Model, Reason, Time, Uid

EXAMPLE_OPERATION = "op-5f1d7c2a9b3e4d60a1b2c3d4"


class RecordErase(Model):
    """Erase a record for good: document, envelopes, salts and keys, in every copy and backup.

    What is attested becomes `erased` on the ledger first. Other records, such as an exchange, have
    no such state there: their commitments stay, and nothing opens them any more. What proves other
    records stays as it is.
    """

    reason: Reason = Field(description="Neutral reason code.", examples=["holder_request"])


class Erasure(Model):
    """How far erasing a record has come."""

    uid: Uid = Field(description="The record.", examples=[EXAMPLE_UID])
    state: Literal["ordered", "erased"] = Field(
        description=(
            "`ordered`: on disk, so it will be erased; the ledger's tombstone comes first."
            " `erased`: nothing opens it any more, here and in no copy."
        ),
        examples=["erased"],
    )
    reason: Reason = Field(description="Why.", examples=["holder_request"])
    ordered: Time | None = Field(
        description="When it was ordered; null if it was erased at the vault itself.",
        examples=[EXAMPLE_TIME],
    )
    operation: str | None = Field(
        description="The promised tombstone; null for what was never attested.",
        examples=[EXAMPLE_OPERATION],
    )
    block: int | None = Field(
        ge=0, description="Block of the tombstone, once it is final.", examples=[1200]
    )
    block_time: Time | None = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    erased: Time | None = Field(
        description="When the vault had erased it.", examples=[EXAMPLE_TIME]
    )
    problem: str | None = Field(
        description="Why it does not go on for now; null where it does.", examples=[None]
    )
