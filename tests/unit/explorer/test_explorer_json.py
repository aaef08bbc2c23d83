"""`/explorer/v1` on the real chain and contracts."""

from contracts.addresses import REGISTRY
from contracts.testkeys import get_address
from tests.unit.explorer.conftest import BATCH, FIRST, SCHEMA, SECOND, Site
from tests.unit.explorer.real_ledger import LABORATORY_ID

LABORATORY_KEY = "0x" + get_address(1, "account").hex()


def write(value: bytes) -> str:
    return "0x" + value.hex()


async def test_status_tells_finality_age_and_counts(site: Site) -> None:
    status = await site.get("/status")
    assert status["head"]["number"] == 7
    assert status["age_s"] == 3
    assert status["is_current"] is True
    assert status["index_block"] == 7
    assert status["counts"] == {
        "agencies": 4, "schemas": 1, "attestations": 2, "batches": 1, "records": 0,
    }  # fmt: skip
    assert status["finality"]["final"] is True
    assert len(status["finality"]["sealers"]) == 3
    (missing,) = status["finality"]["missing"]
    assert missing["agency_label"]
    assert status["genesis_hash"] == write(site.ledger.chain.genesis.genesis_hash)


async def test_blocks_are_listed_newest_first_and_paged(site: Site) -> None:
    first = await site.get("/blocks?limit=5")
    assert [block["number"] for block in first["items"]] == [7, 6, 5, 4, 3]
    rest = await site.get(f"/blocks?limit=5&before={first['next']}")
    assert [block["number"] for block in rest["items"]] == [2, 1, 0]
    assert rest["next"] is None


async def test_block_shows_decoded_transactions(site: Site) -> None:
    block = await site.get("/blocks/5")
    assert [entry["function"] for entry in block["transactions"]] == ["set_state", "attest_batch"]
    assert block["transactions"][0]["sender"]["agency_label"] == "mo-health-laboratory"
    assert block["finality"]["quorum"] == 3
    assert await site.get(f"/blocks/{block['line']['hash']}") == block
    genesis = await site.get("/blocks/0")
    assert genesis["finality"]["final"] is True


async def test_transaction_shows_arguments_and_events_by_name(site: Site) -> None:
    transaction = await site.get(f"/transactions/{site.attested}")
    fields = {field["name"]: field for field in transaction["fields"]}
    assert fields["uid"] == {
        "name": "uid",
        "kind": "record",
        "value": write(FIRST),
        "label": write(FIRST),
    }
    assert (fields["alg"]["label"], fields["schema_uid"]["kind"]) == ("sha256", "schema")
    (event,) = transaction["events"]
    assert event["event"] == "Attested"
    issuer = next(field for field in event["fields"] if field["name"] == "issuer")
    assert issuer["label"] == "mo-health-laboratory"
    assert transaction["block"] == 3


async def test_proposal_shows_what_is_decided(site: Site) -> None:
    transaction = await site.get(f"/transactions/{site.proposed}")
    assert transaction["line"]["function"] == "propose"
    fields = {field["name"]: field["label"] for field in transaction["fields"]}
    assert fields["kind"] == "suspend_agency"
    assert fields["agency"] == "mo-health-bureau"


async def test_waiting_transaction_is_shown_without_a_block(site: Site) -> None:
    waiting = await site.ledger.attest(b"\xa9" * 32, SCHEMA)
    transaction = await site.get(f"/transactions/{waiting}")
    assert transaction["block"] is None
    assert transaction["gas_used"] is None


async def test_attestation_has_state_links_and_history(site: Site) -> None:
    first = await site.get(f"/attestations/{write(FIRST)}")
    assert first["line"]["state"] == "superseded"
    assert first["successor"] == write(SECOND)
    assert first["jurisdiction"] == "MO"
    assert first["history"][0]["kind"] == "attestation.created"
    second = await site.get(f"/attestations/{write(SECOND)}")
    assert (second["line"]["state"], second["reason"]) == ("revoked", "holder")
    assert second["previous"] == write(FIRST)
    assert [line["kind"] for line in second["history"]] == [
        "attestation.created",
        "attestation.state",
    ]
    assert second["key"] == LABORATORY_KEY


async def test_attestation_is_right_before_the_index_has_it(site: Site) -> None:
    uid = b"\xaa" * 32
    await site.ledger.attest(uid, SCHEMA)
    site.ledger.mine()
    found = await site.get(f"/attestations/{write(uid)}")
    assert found["line"]["state"] == "active"
    assert found["history"] == []
    assert found["read_at_block"] == 8


async def test_lists_filter_and_page(site: Site) -> None:
    everything = await site.get("/attestations")
    assert [line["uid"] for line in everything["items"]] == [write(SECOND), write(FIRST)]
    revoked = await site.get("/attestations?state=revoked&issuer=mo-health-laboratory")
    assert [line["uid"] for line in revoked["items"]] == [write(SECOND)]
    nobody = await site.get("/attestations?issuer=mo-health-bureau")
    assert nobody["items"] == []
    page = await site.get(f"/attestations?limit=1&schema={write(SCHEMA)}")
    rest = await site.get(f"/attestations?limit=1&after={page['next']}")
    assert [line["uid"] for line in rest["items"]] == [write(FIRST)]


async def test_batch_counts_members_with_a_state_of_their_own(site: Site) -> None:
    batch = await site.get(f"/batches/{write(BATCH)}")
    assert (batch["size"], batch["changed_members"]) == (1_000, 1)
    assert batch["history"][-1]["place"] == 7
    assert [line["uid"] for line in (await site.get("/batches"))["items"]] == [write(BATCH)]


async def test_schema_names_owner_and_issuers(site: Site) -> None:
    schema = await site.get(f"/schemas/{write(SCHEMA)}")
    assert schema["owner_label"] == "mo-health-bureau"
    assert schema["accredited"] == [[write(LABORATORY_ID), "mo-health-laboratory"]]
    assert [line["kind"] for line in schema["history"]] == [
        "schema.registered",
        "accreditation.given",
    ]


async def test_agencies_have_keys_validators_and_their_chained_head(site: Site) -> None:
    listed = (await site.get("/agencies"))["items"]
    assert [agency["label"] for agency in listed][:2] == [
        "mo-health-laboratory",
        "mo-health-bureau",
    ]
    laboratory = await site.get("/agencies/mo-health-laboratory")
    assert laboratory == listed[0]
    # Two attestations, the first superseded, the second revoked, a batch, one of its members.
    assert laboratory["attestation_count"] == 6
    assert laboratory["attestation_head"] != write(bytes(32))
    assert LABORATORY_KEY in {key["address"] for key in laboratory["keys"]}
    assert laboratory["validators"] == [write(get_address(1, "validator"))]


async def test_validators_count_their_proposals(site: Site) -> None:
    validators = (await site.get("/validators"))["items"]
    assert sum(validator["proposed"] for validator in validators) == 7
    assert all(validator["party"]["agency_label"] for validator in validators)


async def test_account_says_whom_it_acts_for(site: Site) -> None:
    account = await site.get(f"/accounts/{LABORATORY_KEY}")
    assert account["party"]["agency_label"] == "mo-health-laboratory"
    assert "issue" in account["key"]["roles"]
    assert (await site.get(f"/accounts/{write(REGISTRY)}"))["contract"] == "agency_registry"
    stranger = await site.get("/accounts/0x" + "99" * 20)
    assert stranger["key"] is None
    assert stranger["party"]["agency"] is None


async def test_search_finds_every_kind_of_identifier(site: Site) -> None:
    block = await site.get("/blocks/3")
    for query, kind in (
        ("3", "block"),
        (block["line"]["hash"], "block"),
        (site.attested, "transaction"),
        (write(FIRST), "attestation"),
        (FIRST.hex().upper(), "attestation"),
        (write(BATCH), "batch"),
        (write(SCHEMA), "schema"),
        (write(LABORATORY_ID), "agency"),
        ("  health-lab ", "agency"),
        (LABORATORY_KEY, "account"),
    ):
        hits = await site.http.get(f"{site.url}/explorer/v1/search", params={"q": query})
        items = (await hits.json())["items"]
        assert [hit["kind"] for hit in items] == [kind], query
    assert {hit["id"] for hit in (await site.get("/search?q=MO"))["items"]}
    assert (await site.get("/search?q=999"))["items"] == []


async def test_bad_requests_are_problem_documents(site: Site) -> None:
    for path, status, code in (
        ("/blocks/99", 404, "unknown_block"),
        ("/blocks/latest", 400, "invalid_field"),
        ("/transactions/0x" + "11" * 32, 404, "unknown_transaction"),
        ("/transactions/0x11", 400, "invalid_field"),
        ("/attestations/0x" + "11" * 32, 404, "unknown_attestation"),
        ("/batches/0x" + "11" * 32, 404, "unknown_batch"),
        ("/schemas/0x" + "11" * 32, 404, "unknown_schema"),
        ("/agencies/nobody", 404, "unknown_agency"),
        ("/agencies/%20", 400, "invalid_field"),
        ("/accounts/0x11", 400, "invalid_field"),
        ("/attestations?limit=0", 400, "invalid_field"),
        ("/attestations?state=happy", 400, "invalid_field"),
        ("/attestations?issuer=%20", 400, "invalid_field"),
        ("/blocks?before=-1", 400, "invalid_field"),
        ("/search?q=", 400, "invalid_field"),
        ("/nothing", 404, "path_not_found"),
    ):
        assert (await site.get(path, status=status))["code"] == code, path
