"""Evidence over REST: listed, and exported as the file that a third party checks."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from api.web3_provider import RpcRefusal
from node.chain.genesis import load_genesis
from node.evidence.document import parse_document
from node.evidence.verifier import verify_evidence
from tests.unit.evidence.evidence_ledger import contradict
from tests.unit.explorer.real_ledger import GENESIS, open_ledger
from tests.unit.rest.ledger_world import Agency, FakeLedger, open_caller
from tests.unit.rest.test_rest_real_chain import RealWorld


async def test_evidence_is_listed_and_its_file_convinces_a_third_party(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        for _ in range(3):
            ledger.mine()
        for height in (1, 2, 3):
            ledger.evidence.contradictions.keep(contradict(height))
        world = cast("FakeLedger", RealWorld(ledger))
        caller = await open_caller(Agency(world, tmp_path / "agency", 1))
        first = await caller.get("/evidence?limit=2")
        assert [item["height"] for item in first["items"]] == [3, 2]
        rest = await caller.get(f"/evidence?limit=2&cursor={first['next']}")
        assert [item["height"] for item in rest["items"]] == [1]
        assert rest["next"] is None
        item: dict[str, Any] = first["items"][0]
        assert (item["kind"], item["round"]) == ("conflicting_prepares", 0)
        content = await caller.get(f"/evidence/{item['id']}")
        finding = verify_evidence(parse_document(json.dumps(content)), load_genesis(GENESIS))
        assert "0x" + finding.offender.hex() == item["offender"]
        refusal = await caller.get(f"/evidence/0x{'00' * 32}", status=404)
        assert refusal["code"] == "evidence_not_found"
        await caller.client.close()
        caller.agency.services.close()


class ForeignLedger(FakeLedger):
    """A node of another program, which knows none of our methods."""

    async def call(self, method: str, *arguments: Any) -> Any:
        if method.startswith("atesta_"):
            raise RpcRefusal({"code": -32601, "message": "no such method"})
        return await super().call(method, *arguments)


@pytest.mark.parametrize("path", ["/evidence", f"/evidence/0x{'00' * 32}"])
async def test_evidence_of_a_foreign_node_is_none(tmp_path: Path, path: str) -> None:
    caller = await open_caller(Agency(ForeignLedger(), tmp_path, 1))
    refusal = await caller.get(path, status=404)
    assert refusal["code"] == "evidence_not_kept"
    await caller.client.close()
    caller.agency.services.close()
