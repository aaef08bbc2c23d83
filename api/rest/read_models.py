"""Requests and answers about the record of reads: who opened what of the vault, and what for."""

from pydantic import Field

from api.rest.values import EXAMPLE_HASH, EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid


class Read(Model):
    """One opening of something in this agency's vault."""

    number: int = Field(ge=1, description="Its number; later ones are higher.", examples=[4711])
    time: Time = Field(description="When.", examples=[EXAMPLE_TIME])
    caller: str = Field(
        description="Label of who opened it; for an import its id.", examples=["counter-3"]
    )
    method: str = Field(
        description="How that is known: `token`, `oidc`, `certificate`, `local`, `import`.",
        examples=["token"],
    )
    operation: str = Field(description="In the course of what.", examples=["get_credential"])
    purpose: str = Field(
        description=(
            "What for: the uid of a purpose, or a word; `record` is the purpose that the ledger"
            " states of the record itself."
        ),
        examples=["service"],
    )
    uid: Uid = Field(
        description="The record that it belongs to; of a matching record its own.",
        examples=[EXAMPLE_UID],
    )
    what: str = Field(
        description=(
            "What was opened: `credential`, or the role of a material such as `subject`; `reads`"
            " for a look into this record."
        ),
        examples=["credential"],
    )
    request_id: str = Field(
        description="Name of the request in the server's log.", examples=["8f0d2a345b7c4f0e"]
    )


class ReadPage(Model):
    """What was opened in this agency's vault, newest first; each look at it is recorded as well."""

    items: list[Read] = Field(description="The openings.")
    next: str | None = Field(
        description="Give it as `cursor` for what follows; null at the end.", examples=[None]
    )


class SubjectReads(Model):
    """Ask who opened what this vault holds of one person, by handle.

    It covers the matching record and the envelopes of all records about the person between this
    agency and the other one of the handle. Credentials are asked for by their uid, `GET /reads`.
    """

    handle: Uid = Field(description="The handle.", examples=[EXAMPLE_HASH])
