"""Reasons and notices: a stable code for programs, a sentence and a next step for people.

`lasting` says whether the reason would still hold if this node knew everything up to now. A changed
field stays changed and a revoked record stays revoked; but a suspended one may have been
reinstated, and a missing one attested, in blocks that a node which is behind has not seen.
"""

from dataclasses import dataclass, replace
from typing import Final

from atesta_client.credentials import LedgerReference
from atesta_client.errors import MaterialRefused, ReasonCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason against, or one notice."""

    code: str
    text: str
    next_step: str
    lasting: bool = True
    field: str | None = None
    """The field concerned, as a pointer; never its value."""


ACCEPT: Final = "Accept the document."

_NEW_FILE: Final = "Do not accept it. Ask the holder for the file as the issuer made it."
_HOLDER: Final = "Do not accept it. Ask the holder to present it again, signed for a new challenge."
_ISSUER: Final = "Do not accept it. The holder can ask the issuer."
_LATER: Final = "Try again in a few minutes. If the issue is recent it may not be final yet."

_FINDINGS: Final = {
    finding.code: finding
    for finding in (
        Finding(
            code="node_behind",
            text=(
                "This node has not seen a final block for longer than allowed, so it cannot know"
                " the record's present state."
            ),
            next_step="Try again when the node has caught up, or check by another way.",
            lasting=False,
        ),
        Finding(
            code="ledger_other",
            text="The document stands on a ledger that is not held here; nothing is known of it.",
            next_step=(
                "Check it at a node of that ledger, or ask the holder to have it published on a"
                " ledger that both sides hold."
            ),
            lasting=False,
        ),
        Finding(
            code="token_foreign",
            text=(
                "The token names no record of a ledger: somebody else than a member issued it,"
                " and this node does not know whose word it is."
            ),
            next_step=(
                "Do not accept it here. Check it with its own issuer's key, or have an agency"
                " take it over."
            ),
            field="/atesta",
        ),
        Finding(
            code="issuer_key_unknown",
            text=(
                "The registry does not list the key that signed the token as one of its issuer at"
                " that time."
            ),
            next_step=_ISSUER,
            lasting=False,
        ),
        Finding(
            code="schema_unknown",
            text="The ledger has no such schema.",
            next_step=_LATER,
            lasting=False,
        ),
        Finding(
            code="schema_mismatch",
            text="The file's fields are not those that the ledger has for its schema.",
            next_step=_NEW_FILE,
        ),
        Finding(
            code="record_not_attested",
            text="The ledger has no record of this document.",
            next_step=_LATER,
            lasting=False,
        ),
        Finding(
            code="record_mismatch",
            text="The ledger's record is of another document, issuer, schema or validity.",
            next_step=_NEW_FILE,
        ),
        Finding(
            code="issuer_not_accredited",
            text="The issuer was not accredited for this schema when it attested.",
            next_step=_ISSUER,
        ),
        Finding(
            code="state_suspended",
            text="The issuer has suspended this record.",
            next_step=_ISSUER,
            lasting=False,
        ),
        Finding(
            code="state_revoked",
            text="The issuer has revoked this record.",
            next_step=_ISSUER,
        ),
        Finding(
            code="state_superseded",
            text="The issuer has replaced this record by a newer one.",
            next_step="Do not accept it. Ask the holder for the newer document.",
        ),
        Finding(
            code="state_erased",
            text="The issuer has erased this record.",
            next_step=_ISSUER,
        ),
        Finding(
            code="record_expired",
            text="The record's validity has ended.",
            next_step="Do not accept it. Ask the holder for a current document.",
        ),
        Finding(
            code="challenge_unknown",
            text="The nonce that the holder signed was not given out by this verifier.",
            next_step=_HOLDER,
        ),
        Finding(
            code="challenge_replayed",
            text="This presentation, or another for the same challenge, was shown before.",
            next_step=_HOLDER,
        ),
        Finding(
            code="challenge_expired",
            text="The challenge that the holder signed has expired.",
            next_step=_HOLDER,
        ),
        Finding(
            code="predicate_malformed",
            text="The field is no yes or no with a day that has come, as its schema asks for.",
            next_step=_ISSUER,
        ),
        Finding(
            code="predicate_contradicted",
            text="The yes or no does not follow from the value that is shown beside it.",
            next_step=_ISSUER,
        ),
        Finding(
            code="policy_issuer",
            text="This agency does not recognise this issuer for this purpose.",
            next_step="Do not accept it. Ask for a document of a recognised issuer.",
        ),
        Finding(
            code="policy_schema",
            text="This agency does not recognise this kind of document for this purpose.",
            next_step="Do not accept it. Ask for a recognised kind of document.",
        ),
        Finding(
            code="policy_age",
            text="The record is older than this purpose allows.",
            next_step="Do not accept it. Ask the holder for a more recent document.",
        ),
        Finding(
            code="policy_holder",
            text="This purpose needs a document with a holder's key, and this one has none.",
            next_step="Do not accept it. Ask for a document with a holder's key.",
        ),
        Finding(
            code="recognition_suspended",
            text="One side has suspended the recognition policy for documents from there.",
            next_step="Do not accept it now. Ask those who suspended the policy how long.",
            lasting=False,
        ),
        Finding(
            code="recognition_ended",
            text="The recognition policy for documents from there has been ended.",
            next_step="Do not accept it. Ask for a document of this side.",
            lasting=False,
        ),
        Finding(
            code="recognition_not_live",
            text="The recognition policy for documents from there is not in force yet.",
            next_step="Do not accept it before the policy is in force.",
            lasting=False,
        ),
        Finding(
            code="recognition_expired",
            text="The recognition policy for documents from there has come to its end.",
            next_step="Do not accept it. Ask whether both sides prolong the policy.",
            lasting=False,
        ),
        Finding(
            code="recognition_issuer",
            text="The recognition policy of both sides does not name this issuer.",
            next_step="Do not accept it. Ask for a document of a recognised issuer.",
            lasting=False,
        ),
        Finding(
            code="recognition_age",
            text="The record is older than the recognition policy of both sides allows.",
            next_step="Do not accept it. Ask the holder for a more recent document.",
            lasting=False,
        ),
        Finding(
            code="recognition_assurance",
            text="It is less sure who holds the document than the recognition policy asks for.",
            next_step="Do not accept it. Ask the holder to sign with the document's own key.",
            lasting=False,
        ),
        Finding(
            code="recognition_none",
            text=(
                "No recognition policy of both sides stands for these documents; this agency's"
                " own settings decide."
            ),
            next_step=ACCEPT,
            lasting=False,
        ),
        Finding(
            code="network_reported",
            text=(
                "The answer rests on what another network's node reports; no seals of this"
                " ledger's own validators stand behind it."
            ),
            next_step=ACCEPT,
        ),
        Finding(
            code="holder_not_checked",
            text="Holder not checked: compare name and birth date.",
            next_step="Compare name and birth date with the person, then accept the document.",
        ),
        Finding(
            code="policy_none",
            text="This agency has set no recognition policy for this purpose.",
            next_step=ACCEPT,
        ),
        Finding(
            code="issuer_suspended",
            text="The issuer is suspended now; what it attested before keeps standing.",
            next_step="Accept the document if your rules allow it.",
            lasting=False,
        ),
    )
}

_HOLDER_CODES: Final = frozenset(
    {
        ReasonCode.HOLDER_NOT_PROVED,
        ReasonCode.HOLDER_SIGNATURE_INVALID,
        ReasonCode.WRONG_VERIFIER,
        ReasonCode.WRONG_PURPOSE,
        ReasonCode.WRONG_NONCE,
        ReasonCode.PRESENTATION_STALE,
        ReasonCode.FIELD_MISSING,
    }
)


def get_finding(code: str) -> Finding:
    """Return the finding of a code; an unknown code is our bug."""
    return _FINDINGS[code]


def find_elsewhere(ledger: LedgerReference) -> Finding:
    """Return the finding of a document that stands on another ledger, which it names."""
    return replace(
        get_finding("ledger_other"),
        text=(
            f"The document stands on the ledger with chain id {ledger.chain_id} and genesis"
            f" 0x{ledger.genesis_hash.hex()}, which is not held here; nothing is known of it."
        ),
    )


def find_refusal(refused: MaterialRefused) -> Finding:
    """Put what the client library refused into a finding; the codes are the library's own."""
    text = refused.message[0].upper() + refused.message[1:].rstrip(".") + "."
    return Finding(
        code=refused.code.value,
        text=text,
        next_step=_HOLDER if refused.code in _HOLDER_CODES else _NEW_FILE,
        field=refused.pointer,
    )


def list_codes() -> tuple[str, ...]:
    """Return every code that an answer may hold, for the documentation."""
    return (*_FINDINGS, *(code.value for code in ReasonCode))
