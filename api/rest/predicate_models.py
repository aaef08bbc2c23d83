"""Yes/no fields in requests and answers: what a schema asks, and what a check found answered."""

from typing import Annotated, Any, Literal, Self

from atesta_client.predicate_definitions import (
    MAX_LIMIT,
    MAX_VALUE_LENGTH,
    MAX_VALUES,
    MAX_YEARS,
    format_predicate,
    read_predicate,
)
from atesta_client.predicates import Predicate
from pydantic import Field, model_validator

from api.rest.faults import Contradiction
from api.rest.values import Model, Pointer

EXAMPLE_PREDICATES: list[dict[str, Any]] = [
    {"kind": "age_at_least", "pointer": "/over_18", "source": "/birth_date", "years": 18}
]

_MEMBERS = {"age_at_least": "years", "below": "limit", "one_of": "values"}


class SchemaPredicate(Model):
    """A yes/no field: the issuer computes the answer from another field when it issues.

    The field holds `{"on": "2026-11-22", "value": true}`: the answer and the day of which it is
    true. Give exactly the member that the kind needs.
    """

    kind: Literal["age_at_least", "below", "one_of"] = Field(
        description=(
            "`age_at_least` needs `years` and a date as source, `below` needs `limit` and a number,"
            " `one_of` needs `values` and a text."
        ),
        examples=["age_at_least"],
    )
    pointer: Pointer = Field(
        description="Where the answer stands: one of the schema's pointers, of one part.",
        examples=["/over_18"],
    )
    source: Pointer = Field(
        description="What it follows from: a value in another of the schema's fields.",
        examples=["/birth_date"],
    )
    years: Annotated[int, Field(ge=1, le=MAX_YEARS)] | None = Field(
        default=None, description="Age in whole years.", examples=[18]
    )
    limit: Annotated[int, Field(ge=-MAX_LIMIT, le=MAX_LIMIT)] | None = Field(
        default=None, description="The number itself is not below it.", examples=[None]
    )
    values: (
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=MAX_VALUE_LENGTH)]],
            Field(min_length=1, max_length=MAX_VALUES),
        ]
        | None
    ) = Field(
        default=None, description="Texts for which the answer is yes, sorted.", examples=[None]
    )

    @model_validator(mode="after")
    def _check_member(self) -> Self:
        needed = _MEMBERS[self.kind]
        for member in _MEMBERS.values():
            if (getattr(self, member) is None) == (member == needed):
                raise Contradiction(f"{self.kind} needs {needed}, and no other", member, "kind")
        return self

    def to_predicate(self) -> Predicate:
        """Return the question; raises `SchemaInvalid`."""
        return read_predicate(self.model_dump(exclude_none=True))


class ShownPredicate(Model):
    """A yes or no that was shown, as the issuer attested it."""

    field: Pointer = Field(description="The field that holds the answer.", examples=["/over_18"])
    value: bool = Field(description="The answer.", examples=[True])
    on: str = Field(
        description="The day of which it is true, by the issuer; it may be another today.",
        examples=["2026-11-22"],
    )
    rule: str = Field(
        description="The question that the schema registered.",
        examples=["/birth_date is at least 18 years ago"],
    )


def view_predicate(predicate: Predicate) -> SchemaPredicate:
    """Return a definition for an answer."""
    return SchemaPredicate.model_validate(format_predicate(predicate))
