"""What residents carry themselves: attested documents, shown at counters on the other side.

The issuer makes the document under a schema and attests it; the resident's device holds the file
and the key. A counter's own node checks what is shown, at its last final block; the issuer is not
asked. Whether documents of the other side count at all is a policy that both sides have signed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from atesta_client import requests
from atesta_client.answers import Verification
from atesta_client.credentials import Credential, decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, format_presentation, present

from api.access.callers import Role
from contracts.development import DevelopmentAgency
from contracts.labels import encode_label
from scripts.demos.law_stage import LawStage, get_now
from scripts.demos.stage import require


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A document on its holder's device."""

    credential: Credential
    """The file."""
    key: HolderKey | None
    """The holder's key; None for a document without one."""

    @property
    def uid(self) -> str:
        """The record's uid in hex."""
        return "0x" + self.credential.record.uid.hex()


async def open_schema(
    stage: LawStage,
    owner: DevelopmentAgency,
    title: str,
    pointers: Sequence[str],
    issuers: Sequence[DevelopmentAgency],
) -> str:
    """Register a schema, accredit its issuers and tell every node its fields; return its uid."""
    client = await stage.get_describer(owner)
    made = await stage.do(client, requests.create_schema(title=title, pointers=pointers))
    for issuer in issuers:
        await stage.do(client, requests.accredit(made.uid, get_id(issuer)))
    for party in stage.parties:
        if party != owner:
            other = await stage.get_describer(party)
            await other.send(requests.put_schema_text(made.uid, title=title, pointers=pointers))
    return made.uid


async def issue(
    stage: LawStage,
    issuer: DevelopmentAgency,
    schema_uid: str,
    document: Mapping[str, Any],
    *,
    has_key: bool = True,
    event_time: datetime | None = None,
) -> Carried:
    """Make a document, attest it because its holder wants to carry it, and hand it over."""
    key = HolderKey.generate() if has_key else None
    client = await stage.get_client(issuer, Role.ISSUER)
    made = await client.send(
        requests.create_credential(
            schema_uid=schema_uid,
            document=dict(document),
            holder_key=None if key is None else key.public_key,
            valid_until=get_now() + timedelta(days=90),
        )
    )
    require(made.credential is not None, "the issuer returned no file")
    credential = decode_credential(made.credential or {})
    credential.commit()
    carried = Carried(credential=credential, key=key)
    await stage.do(client, requests.attest_credential(carried.uid, event_time=event_time))
    return carried


async def show(
    stage: LawStage,
    counter: DevelopmentAgency,
    carried: Carried,
    pointers: Sequence[str],
    purpose: str,
) -> Verification:
    """Show some fields at a counter, signed for its purpose, and return its node's answer."""
    client = await stage.get_client(counter, Role.VERIFIER)
    challenge = await client.send(requests.create_challenge(purpose))
    occasion = Occasion(
        verifier=challenge.verifier, purpose=challenge.purpose, nonce=challenge.nonce
    )
    shown = present(
        carried.credential, pointers, occasion=occasion, now_s=int(time.time()), key=carried.key
    )
    return await client.send(requests.verify_presentation(format_presentation(shown)))


async def recognise(
    stage: LawStage,
    issuing_side: DevelopmentAgency,
    checking_side: DevelopmentAgency,
    **terms: Any,
) -> str:
    """Let one side propose a recognition policy and the other sign it; return its uid.

    ``terms`` as of ``requests.propose_policy``, but for the two jurisdictions.
    """
    first = await stage.get_governor(issuing_side)
    second = await stage.get_governor(checking_side)
    proposal = requests.propose_policy(
        from_jurisdiction=issuing_side.jurisdiction,
        to_jurisdiction=checking_side.jurisdiction,
        valid_from=get_now() - timedelta(minutes=1),
        **terms,
    )
    made = await stage.do(first, proposal)
    proposed = await second.send(requests.get_policy(made.uid))
    require(proposed.state == "proposed", f"a policy signed by one side is {proposed.state}")
    await stage.share_text(issuing_side, proposed.document_hash)
    await stage.do(second, requests.sign_policy(made.uid, agreement_hash=proposed.document_hash))
    signed = await first.send(requests.get_policy(made.uid))
    require(signed.state == "active", f"a policy signed by both sides is {signed.state}")
    return made.uid


def require_valid(answer: Verification, policy: str | None, title: str) -> None:
    """Fail unless a document is valid, its holder proved, under this policy of the ledger."""
    codes = [reason.code for reason in answer.reasons]
    require(
        (answer.result, answer.holder_checked) == ("valid", True),
        f"{title} is {answer.result} for {codes}, holder checked: {answer.holder_checked}",
    )
    require(
        answer.recognition == policy, f"{title} was judged by {answer.recognition}, not {policy}"
    )


def require_refused(answer: Verification, code: str, title: str, *further: str) -> None:
    """Fail unless a document is not valid for exactly this reason, and those that follow of it."""
    codes = [reason.code for reason in answer.reasons]
    require(
        (answer.result, codes) == ("not_valid", [code, *further]),
        f"{title} is {answer.result} for {codes}, not refused with {code}",
    )


def get_id(agency: DevelopmentAgency) -> str:
    """Return an agency's id in hex."""
    return "0x" + encode_label(agency.label).hex()
