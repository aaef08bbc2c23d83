"""What REST says of the ledgers that an API serves."""

from pydantic import Field

from api.rest.answers import FinalityFacts
from api.rest.values import (
    EXAMPLE_AGENCY,
    EXAMPLE_HASH,
    EXAMPLE_TIME,
    Model,
    Time,
    Uid,
)


class LedgerInfo(Model):
    """One ledger of this API."""

    name: str = Field(description="What this API calls it.", examples=["macao"])
    own: bool = Field(
        description="True for the ledger of this API's own node, which `/v1` without a name is.",
        examples=[True],
    )
    path: str = Field(description="Prefix of its routes.", examples=["/v1/ledgers/macao"])
    agency: Uid | None = Field(
        description="This agency on it; null while its registry lists none of the accounts.",
        examples=[EXAMPLE_AGENCY],
    )
    jurisdictions: list[str] = Field(
        description=(
            "Jurisdictions of its members. With one only, it is that jurisdiction's own ledger."
        ),
        examples=[["MO"]],
    )
    members: list[str] = Field(
        description="Its member agencies, by label.", examples=[["mo-health-bureau", "mo-housing"]]
    )
    chain_id: int | None = Field(description="EIP-155 chain id.", examples=[20260])
    genesis_hash: Uid | None = Field(
        description="Hash of block 0; with the chain id it names the ledger in credentials.",
        examples=[EXAMPLE_HASH],
    )
    block: int | None = Field(description="Last final block.", examples=[1250])
    block_time: Time | None = Field(description="Its time.", examples=[EXAMPLE_TIME])
    indexed_block: int | None = Field(
        description="Last block that lists and filters see.", examples=[1250]
    )
    finality: FinalityFacts = Field(description="Who vouches for what is read.")
    problem: str | None = Field(
        description="Why it cannot be read now; null while it can.", examples=[None]
    )


class LedgerList(Model):
    """All ledgers of this API, its own first."""

    items: list[LedgerInfo] = Field(description="The ledgers.")
