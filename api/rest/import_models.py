"""Answers about bulk imports, and what a file looks like."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from api.rest.ledger_words import describe_ledger
from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid

NDJSON_TYPE: Final = "application/x-ndjson"
CSV_TYPE: Final = "text/csv"

UPLOAD_EXAMPLES: Final = {
    NDJSON_TYPE: (
        '{"kind": "office", "body": {"register_name": "mo-associations", "number": "0042"},'
        ' "grantee": {"name": "Example Person"}, "act_list": "0xd1f3a5b7c9e1021324354657687980'
        '8182838485868788898a8b8c8d8e8f9091", "acts": ["sign-contract"],'
        ' "valid_from": "2026-11-22T08:00:00Z"}\n'
    ),
    CSV_TYPE: (
        "kind,body.register_name,body.number,grantee.name,act_list,acts,valid_from\n"
        "office,mo-associations,0042,Example Person,0xd1f3a5b7c9e10213243546576879808182838485868"
        "788898a8b8c8d8e8f9091,sign-contract;open-account,2026-11-22T08:00:00Z\n"
    ),
}
"""One line of each format, for mandates."""


class ImportState(StrEnum):
    """Whether lines are still open."""

    RUNNING = "running"
    DONE = "done"


class Import(Model):
    """A bulk import and how far it is.

    Every line is in exactly one of the four counts. It goes on by itself, also after a restart.
    """

    id: str = Field(description="Its identifier.", examples=["im-1f0c2a"])
    act: str = Field(description="The act that each line is one of.", examples=["mandate.record"])
    state: ImportState = Field(description="`done` when no line is open.")
    lines: int = Field(ge=0, description="Lines of the file.", examples=[10000])
    waiting: int = Field(ge=0, description="Lines not promised yet.", examples=[1200])
    promised: int = Field(ge=0, description="Lines on their way to the ledger.", examples=[512])
    done: int = Field(ge=0, description="Lines that are final on the ledger.", examples=[8285])
    rejected: int = Field(ge=0, description="Lines that made nothing.", examples=[3])
    problem: str | None = Field(
        description="What stops it for now; it goes on by itself when that is mended.",
        examples=[None],
    )
    created: Time = Field(description="When it was accepted.", examples=[EXAMPLE_TIME])
    finished: Time | None = Field(description="When it ended; null before.", examples=[None])
    follow: str = Field(description="Path to follow.", examples=["/v1/imports/im-1f0c2a"])
    rejects: str = Field(
        description="Path of the rejected lines.", examples=["/v1/imports/im-1f0c2a/rejects"]
    )
    ledger: str = describe_ledger()


class ImportPage(Model):
    """Imports, newest first."""

    items: list[Import] = Field(description="The imports.")
    next: str | None = Field(
        description="Give it as `cursor` for what follows; null at the end.", examples=[None]
    )


class RejectedLine(Model):
    """A line that made nothing, and why; its content is not repeated."""

    line: int = Field(ge=1, description="Its number in the file, from 1.", examples=[17])
    uid: Uid | None = Field(description="The uid that it had.", examples=[EXAMPLE_UID])
    field: str | None = Field(description="Field at fault.", examples=["valid_from"])
    code: str = Field(description="Stable code for programs.", examples=["invalid_field"])
    reason: str = Field(description="Plain words for people.", examples=["this field is needed"])
    rule: str | None = Field(description="Rule of the ledger that refused it.", examples=[None])


class RejectedPage(Model):
    """Rejected lines, in the order of the file."""

    items: list[RejectedLine] = Field(description="The lines.")
    next: str | None = Field(
        description="Give it as `cursor` for what follows; null at the end.", examples=[None]
    )
