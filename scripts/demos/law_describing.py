"""Describing what there is: datasets, purposes, notices and the law, known at every node.

Texts are public and each node holds its own copy by hash; here each is handed to all others at
once, as agencies would exchange them, so that everybody can name fields by their pointers.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from atesta_client import requests
from atesta_client.answers import FieldItem
from atesta_client.requests import LegalReference, ScopeItem

from contracts.development import DevelopmentAgency
from scripts.demos.law_stage import LawStage, get_now


async def describe_dataset(
    stage: LawStage,
    owner: DevelopmentAgency,
    title: str,
    fields: Mapping[str, str],
    **options: Any,
) -> str:
    """Enter a dataset into the catalogue, unconditional unless said otherwise; return its uid.

    ``fields`` has the title of each pointer; ``options`` as of ``requests.register_dataset``.
    """
    client = await stage.get_describer(owner)
    told = [FieldItem(pointer=pointer, title=name) for pointer, name in fields.items()]
    given: dict[str, Any] = {"sharing": "unconditional", "language": "en"} | options
    made = await stage.do(client, requests.register_dataset(title=title, fields=told, **given))
    record = await client.send(requests.get_dataset(made.uid))
    for text in (record.fields_hash, record.conditions_hash, record.legal_reference_hash):
        if text is not None:
            await stage.share_text(owner, text)
    return made.uid


async def publish_purpose(stage: LawStage, owner: DevelopmentAgency, code: str, title: str) -> str:
    """Publish a purpose; return its uid."""
    client = await stage.get_describer(owner)
    made = await stage.do(client, requests.publish_purpose(code=code, title=title, language="en"))
    record = await client.send(requests.get_purpose(made.uid))
    await stage.share_text(owner, record.document_hash)
    return made.uid


async def publish_notice(stage: LawStage, owner: DevelopmentAgency, title: str, text: str) -> str:
    """Publish a notice to residents; return its uid."""
    client = await stage.get_describer(owner)
    made = await stage.do(client, requests.publish_notice(title=title, language="en", text=text))
    record = await client.send(requests.get_notice(made.uid))
    await stage.share_text(owner, record.document_hash)
    return made.uid


async def enter_basis(
    stage: LawStage,
    supervisor: DevelopmentAgency,
    law: LegalReference,
    scopes: Sequence[ScopeItem],
    **options: Any,
) -> str:
    """Have the supervisor enter a legal basis, by consent unless said otherwise; return its uid."""
    client = await stage.get_supervisor(supervisor)
    given: dict[str, Any] = {
        "kind": "consent",
        "language": "en",
        "valid_from": get_now() - timedelta(days=30),
    }
    made = await stage.do(client, requests.enter_basis(law=law, scopes=scopes, **(given | options)))
    record = await client.send(requests.get_basis(made.uid))
    # The supervisor's node has the law's text; the others get it from there.
    await stage.share_text(supervisor, record.law_hash)
    return made.uid


async def publish_act_list(
    stage: LawStage, owner: DevelopmentAgency, title: str, acts: Mapping[str, str]
) -> str:
    """Give every node a list of acts, in which scopes of mandates count; return its hash.

    ``acts`` has the title of each code.
    """
    client = await stage.get_describer(owner)
    listed = [{"code": code, "title": name} for code, name in acts.items()]
    body: dict[str, Any] = {"title": title, "acts": listed}
    kept = await client.send(requests.put_text(kind="act_list", body=body, language="en"))
    await stage.share_text(owner, kept.hash)
    return kept.hash
