"""Who may call what: every token role against every route, and nobody against every route.

The table below is written by hand. A new route fails here until somebody says who may call it.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from api.auth import Role, create_token, save_tokens
from api.errors import UserFault
from api.rest.call import Call, Reply
from api.rest.handlers import HANDLERS
from api.rest.route import Route
from api.rest.routes import ROUTES
from api.settings import ApiSettings
from tests.unit.rest.ledger_world import Agency, FakeLedger, open_caller

EVERYBODY = frozenset(Role)
"""Whoever holds any role may read what is public on the ledger."""

ANY_ACTOR = "issuer officer data_officer describer supervisor governor admin"

TABLE = {
    # What is public on the ledger, and what this node says of itself.
    "any role": """
        get_status list_agencies get_agency list_schemas get_schema list_accreditations
        list_attestations get_attestation get_attestation_history list_batches get_batch
        get_batch_history get_leaf list_operations get_operation get_provenance
        list_datasets get_dataset get_dataset_history list_notices get_notice get_notice_history
        list_purposes get_purpose get_purpose_history list_bases get_basis get_basis_history
        list_instruments get_instrument get_instrument_history list_stops get_stop
        get_stop_history list_consents get_consent get_consent_history list_key_bindings
        get_key_binding get_key_binding_history list_exchanges get_exchange get_exchange_history
        list_periods get_period get_period_history list_mandates get_mandate get_mandate_history
        check_mandate
        list_bodies get_body get_body_history list_policies get_policy get_policy_history
        list_events stream_events list_alerts list_acts explain get_text
        list_posts get_post get_post_history list_proposals get_proposal get_governing_rules
        list_deadline_profiles list_deadline_calendars reckon_due
    """,
    # Documents and attestations of this agency.
    "issuer": """
        list_credentials create_credential get_credential attest_credential create_attestation
        change_attestation_state create_batch change_batch_state change_leaf_state
    """,
    "verifier": "create_challenge verify",
    "auditor": "list_evidence get_evidence",
    # What there is: schemas and their issuers, datasets, notices, purposes.
    "describer": """
        register_dataset change_dataset_state publish_notice change_notice_state publish_purpose
        change_purpose_state
    """,
    "describer admin": """
        create_schema change_schema_state put_schema_text create_accreditation
        delete_accreditation
    """,
    # The law, and what the supervisor stops.
    "supervisor governor": "enter_basis change_basis_state",
    "supervisor": """
        enter_instrument change_instrument_state order_stop lift_stop pause_agency
        lift_agency_pause
    """,
    # Asking for data, releasing them, consents, mandates.
    "officer": """
        record_mandate end_mandate succeed_board create_key_binding record_consent
        demand_confirmation_consent confirm_consent withdraw_consent answer_withdrawal
        request_exchange cancel_exchange release_exchange acknowledge_exchange void_exchange
        end_exchange begin_period make_statement name_leaf create_subject match_subject
        find_subject prepare_consent prepare_withdrawal keep_consent_envelope create_case
    """,
    "officer writer": "give_consent withdraw_signed_consent",
    # The agency's own cases; who may read them is who answers for them.
    "officer data_officer auditor": "get_case",
    # The data officer decides, and does nothing else.
    "data_officer": "decide_exchange",
    # The agency towards the others: policies, posts, votes, its own pause.
    "governor": """
        propose_policy sign_policy suspend_policy reinstate_policy end_policy establish_post
        appoint_officer end_term hand_over_post give_post_key assign_post_key end_post_key
        abolish_post propose_proposal vote_proposal carry_out_proposal withdraw_proposal
        pause_own_agency resume_own_agency
    """,
    # Which act exactly is checked by the handler, act by act.
    ANY_ACTOR: """
        create_prepared_act get_prepared_act put_text create_import list_imports get_import
        list_import_rejects
    """,
    f"{ANY_ACTOR} writer": "create_signed_act",
    # This node.
    "admin": "list_webhooks create_webhook get_webhook resume_webhook delete_webhook",
}


def read_table() -> dict[str, frozenset[Role]]:
    return {
        name: EVERYBODY if roles == "any role" else frozenset(map(Role, roles.split()))
        for roles, names in TABLE.items()
        for name in names.split()
    }


EXPECTED = read_table()


def test_table_names_every_route_once() -> None:
    named = [name for names in TABLE.values() for name in names.split()]
    assert len(named) == len(set(named))
    assert set(named) == {route.name for route in ROUTES}, "say who may call it, in TABLE"


@pytest.fixture
async def world(
    ledger: FakeLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[TestClient, dict[Role, str]]]:  # type: ignore[type-arg]
    """The real application with a token of each role, and handlers that only say "reached"."""

    async def reach(_call: Call) -> Reply:
        raise UserFault("reached", code="reached", status=418)

    monkeypatch.setattr("api.rest.app.HANDLERS", dict.fromkeys(HANDLERS, reach))
    tokens = {}
    records = []
    for role in Role:
        tokens[role], record = create_token(role.value, [role])
        records.append(record)
    save_tokens(tmp_path / "tokens.json", records)
    agency = Agency(ledger, tmp_path, 2)
    caller = await open_caller(agency, ApiSettings(token_file=tmp_path / "tokens.json"))
    yield caller.client, tokens
    await caller.client.close()
    agency.services.close()


def build_path(route: Route) -> str:
    filled = re.sub(
        r"{(\w+)}",
        lambda match: "0" if match[1] in {"index", "number", "period"} else "0x" + "00" * 32,
        route.path,
    )
    return f"/v1{filled}"


async def test_every_role_against_every_route(
    world: tuple[TestClient, dict[Role, str]],  # type: ignore[type-arg]
) -> None:
    client, tokens = world
    for route in ROUTES:
        let_in = set()
        for role, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            async with client.request(route.method, build_path(route), headers=headers) as response:
                # Let in: the handler, or what it needs first (a body, an idempotency key).
                assert response.status in {400, 403, 415, 418}, (route.name, role)
                if response.status != 403:
                    let_in.add(role)
                else:
                    told = await response.json()
                    assert told["code"] == "forbidden"
                    assert set(told["needed_roles"]) == {role.value for role in route.roles}
        assert let_in == EXPECTED[route.name], route.name


async def test_nobody_is_let_in_without_a_token_that_the_operator_issued(
    world: tuple[TestClient, dict[Role, str]],  # type: ignore[type-arg]
) -> None:
    client, tokens = world
    real = next(iter(tokens.values()))
    for headers in (
        {},
        {"Authorization": "Bearer atesta_unknown"},
        {"Authorization": f"Token {real}"},
        {"Authorization": f"Bearer {real}x"},
    ):
        for route in ROUTES:
            async with client.request(route.method, build_path(route), headers=headers) as response:
                assert response.status == 401, (route.name, headers)
                assert (await response.json())["code"] == "unauthorized"


async def test_roles_do_not_contain_each_other() -> None:
    holders = {role: {name for name, roles in EXPECTED.items() if role in roles} for role in Role}
    public = holders[Role.READER]
    assert holders[Role.UNOPENED] == public
    for role, names in holders.items():
        for other, more in holders.items():
            if role is not other and names != public:
                assert not more > names or role == Role.WRITER, (role, other)
