"""What stays of a case when a record of it is erased: that something was, when and why.

A case is found by its number, and the number goes with the record. Whoever asks for the case later
is to hear "erased", not "never heard of it". So before a record of a case is erased, a mark is kept
under the case number: time and reason, and whether it was the file or an exchange. It does not say
which exchange, so it leads from no case to the ledger. A process that dies between mark and erasure
leaves a second mark of the same kind, which says nothing new.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from atesta_client.envelopes import EnvelopeKind, seal_envelope

from api.acts.exchange_request import CASE_ROLE
from api.cases.register import FILE_ROLE
from api.rest.services import RestServices
from api.vault.erasure import ErasureReason
from api.vault.materials import Material, Materials

MARK_ROLE: Final = "erased_case"
"""Role of a mark among the materials; its uid is random, its reference the case number."""

Erased = Literal["exchange", "case_file"]

_KINDS: Final[dict[str, Erased]] = {CASE_ROLE: "exchange", FILE_ROLE: "case_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMark:
    """Something of a case that was erased."""

    what: Erased
    reason: ErasureReason
    erased_s: int


async def keep_marks(
    materials: Materials, uids: Sequence[bytes], *, reason: ErasureReason, now_s: int
) -> None:
    """Keep marks of those among these records that belong to a case; durable on return.

    It shows the number to nobody, so `materials` open unwitnessed: what names the case is sealed
    again at once.
    """
    marks = []
    for uid, role in await materials.list_held(uids, tuple(_KINDS)):
        envelope = await materials.find(uid, role)
        number = None if envelope is None else envelope.body.get("number")
        if not isinstance(number, str):
            continue
        body = {"number": number, "what": _KINDS[role], "reason": reason.value, "erased": now_s}
        marks.append(
            Material(
                uid=secrets.token_bytes(32),
                role=MARK_ROLE,
                envelope=seal_envelope(EnvelopeKind.CASE, body, secrets.token_bytes),
                reference=number,
                is_lasting=True,
            )
        )
    await materials.put(tuple(marks), now_s=now_s)


async def list_marks(services: RestServices, number: str) -> tuple[CaseMark, ...]:
    """Return what was erased of a case, each kind of it once, oldest first."""
    found = set()
    for uid in await services.materials.list_by_reference(MARK_ROLE, number):
        envelope = await services.materials.find(uid, MARK_ROLE)
        if envelope is not None:
            body = envelope.body
            found.add((int(body["erased"]), str(body["reason"]), str(body["what"])))
    return tuple(
        CaseMark(
            what="exchange" if what == "exchange" else "case_file",
            reason=ErasureReason(reason),
            erased_s=erased_s,
        )
        for erased_s, reason, what in sorted(found)
    )
