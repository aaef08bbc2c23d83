"""How safe the ledger is, on the pages: what its validators survive, and who broke the rules."""

from pathlib import Path

import pytest

from api.access.callers import Role
from api.access.tokens import create_token, save_tokens
from api.explorer.texts import DEFAULT, LANGUAGES
from consensus.resilience import compute_resilience, describe_resilience
from node.daemon.intruders import Intrusion
from node.evidence.document import UNPERMITTED_SENDER
from node.evidence.naming import KINDS
from tests.unit.evidence.evidence_ledger import TRAITOR, contradict
from tests.unit.explorer.conftest import Site, open_site
from tests.unit.explorer.real_ledger import open_ledger

OFFENDER = "0x" + TRAITOR.address.hex()


@pytest.mark.parametrize("path", ["", "/validators"])
async def test_pages_say_what_the_validators_survive(site: Site, path: str) -> None:
    assert describe_resilience(4) in await site.read(path)
    status = await site.get("/status")
    assert status["resilience"]["faulty"] == 1


@pytest.mark.parametrize("count", range(1, 11))
def test_english_pages_say_the_sentence_of_all_other_surfaces(count: int) -> None:
    found = compute_resilience(count)
    numbers = {name: getattr(found, name) for name in found.__slots__}
    said = [DEFAULT.say(f"resilience.{key}", **numbers) for key in found.clauses]
    assert " ".join(said) == describe_resilience(count)


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_validators_page_shows_evidence_in_every_language(site: Site, language: str) -> None:
    texts = LANGUAGES[language].texts
    headers = {"Accept-Language": language}
    assert texts["evidence.none"] in await site.read("/validators", headers=headers)
    site.ledger.evidence.contradictions.keep(contradict(3))
    text = await site.read("/validators", headers=headers)
    assert texts["evidence.none"] not in text
    assert texts["evidence_kind.conflicting_prepares"] in text
    assert f'href="/explorer/accounts/{OFFENDER}"' in text
    assert all(f"evidence_kind.{kind}" in texts for kind in KINDS)


async def test_evidence_is_listed_as_json(site: Site) -> None:
    assert await site.get("/evidence") == {"items": [], "next": None}
    site.ledger.evidence.contradictions.keep(contradict(3))
    (item,) = (await site.get("/evidence"))["items"]
    assert (item["kind"], item["height"], item["round"]) == ("conflicting_prepares", 3, 0)
    assert item["offender"]["address"] == OFFENDER
    (kept,) = site.ledger.evidence.get_newest(1)
    assert item["id"] == "0x" + kept.id.hex()


async def test_stranger_in_a_block_is_listed_without_a_round(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = site.ledger.chain.get_block(3)
    assert block is not None
    intrusion = Intrusion(
        kind=UNPERMITTED_SENDER,
        height=3,
        block_hash=block.header.parent_hash,
        proposer=block.header.coinbase,
        transaction_hash=block.header.parent_hash,
        sender=TRAITOR.address,
    )
    monkeypatch.setattr(site.ledger.evidence.intruders, "iterate", lambda: iter((intrusion,)))
    (item,) = (await site.get("/evidence"))["items"]
    assert (item["kind"], item["round"]) == ("unpermitted_sender", None)
    assert DEFAULT.texts["evidence_kind.unpermitted_sender"] in await site.read("/validators")


async def test_evidence_is_for_auditors(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    tokens = {role: create_token(role.value, [role]) for role in (Role.READER, Role.AUDITOR)}
    save_tokens(path, [record for _, record in tokens.values()])
    async with open_ledger(tmp_path) as ledger:
        for _ in range(3):
            ledger.mine()
        ledger.evidence.contradictions.keep(contradict(3))
        async with open_site(ledger, tmp_path, "", "", token_file=path) as site:
            for role, (token, _) in tokens.items():
                is_auditor = role is Role.AUDITOR
                headers = {"Authorization": f"Bearer {token}"}
                text = await site.read("/validators", headers=headers)
                assert (DEFAULT.texts["evidence.auditors"] in text) is not is_auditor
                assert (OFFENDER in text.partition('id="evidence"')[2]) is is_auditor
                url = f"{site.url}/explorer/v1/evidence"
                async with site.http.get(url, headers=headers) as answer:
                    assert answer.status == (200 if is_auditor else 403)
