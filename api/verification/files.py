"""Checking the files of this ledger's own form: a whole credential, or some fields of one."""

from atesta_client.credentials import Credential
from atesta_client.disclosure import validate_fields
from atesta_client.errors import MaterialRefused, PresentationRefused, ReasonCode
from atesta_client.holder_keys import HOLDER_KEY_POINTER
from atesta_client.pointers import get_value, parse_pointer
from atesta_client.presentations import HolderCheck, Presentation, validate_presentation

from api.verification.check import Check
from api.verification.occasions import Occasions


def check_credential(check: Check, credential: Credential) -> None:
    """Recompute the commitment; a file alone never proves who holds it.

    Raises `MaterialRefused` where document and commitment differ, and where a holder's key is in
    the document and did not sign.
    """
    credential.commit()
    check.open(
        (pointer, get_value(credential.document, parse_pointer(pointer)))
        for pointer in credential.record.schema.pointers
    )
    if credential.holder_key is not None:
        raise PresentationRefused(
            ReasonCode.HOLDER_NOT_PROVED,
            "the document has a holder's key, and it did not sign",
            pointer=HOLDER_KEY_POINTER,
        )


async def check_presentation(
    check: Check, presentation: Presentation, *, occasions: Occasions, max_age_s: int
) -> None:
    """Check proofs and the holder's signature against this verifier's own challenge.

    What is wrong becomes a reason of the check; `max_age_s` is how old a signature may be.
    """
    occasion = await occasions.find(check, presentation.signature)
    try:
        if occasion is None:
            record = presentation.record
            check.open(
                validate_fields(
                    presentation.fields, record.schema, record.commitment, record.algorithm
                )
            )
            return
        checked = validate_presentation(
            presentation, occasion=occasion, now_s=check.now_s, max_age_s=max_age_s
        )
    except MaterialRefused as refused:
        check.refuse_material(refused)
        # A nonce is spent only by a signature that holds.
        check.challenge = None
        return
    check.open(checked.values)
    check.holder_checked = checked.holder is HolderCheck.PROVED
    if not check.holder_checked:
        check.challenge = None
