"""Who may call what: every role against every route, by every kind of proof; and nobody.

The table below is written by hand. A new route fails here until somebody says who may call it.
"""

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.access.callers import Role
from api.access.tokens import create_token, save_tokens
from api.errors import UserFault
from api.rest.call import Call, Reply
from api.rest.handlers import HANDLERS
from api.rest.route import Route
from api.rest.routes import ROUTES
from api.server import serve
from api.settings import ApiSettings
from tests.unit.access.authority import Authority, Holder
from tests.unit.access.provider import open_provider
from tests.unit.rest.ledger_world import Agency, FakeLedger

EVERYBODY = frozenset(Role)
"""Whoever holds any role may read what is public on the ledger."""

ANY_ACTOR = "issuer officer data_officer describer supervisor governor admin"

TABLE = {
    # What is public on the ledger, and what this node says of itself.
    "any role": """
        get_status list_ledgers list_agencies get_agency list_schemas get_schema list_accreditations
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
        export_credential import_credential create_publication
        erase_credential
    """,
    "issuer auditor": "get_erasure get_publication",
    "verifier": "create_challenge verify",
    "auditor": "list_evidence get_evidence list_reads",
    # Who used a person's data: whoever answers the person, and whoever supervises.
    "officer auditor": "list_subject_reads list_merges get_merge get_person_erasure",
    "officer issuer auditor": "get_record_erasure",
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
        find_subject propose_merge decide_merge reverse_merge prepare_consent prepare_withdrawal
        keep_consent_envelope create_case erase_record foresee_person_erasure erase_person
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


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The real application behind one kind of door, and a key to it for each role."""

    url: str
    keys: Mapping[Role, tuple[dict[str, str], ssl.SSLContext | bool]]
    """Header fields and TLS of a caller with just this role."""
    session: aiohttp.ClientSession

    async def ask(
        self, route: Route, headers: dict[str, str], tls: ssl.SSLContext | bool = True
    ) -> tuple[int, Any]:
        """Send a request without a body; return the status and what was told."""
        async with self.session.request(
            route.method, self.url + build_path(route), headers=headers, ssl=tls
        ) as response:
            return response.status, await response.json()


Open = Callable[[ApiSettings], Awaitable[str]]


async def make_tokens(folder: Path, open_app: Open, _: AsyncExitStack) -> World:
    """Give each role a token of the operator's file."""
    made = {role: create_token(role.value, [role]) for role in Role}
    save_tokens(folder / "tokens.json", [record for _, record in made.values()])
    keys = {role: (build_bearer(token), True) for role, (token, _) in made.items()}
    url = await open_app(ApiSettings(port=0, token_file=folder / "tokens.json"))
    return World(url=url, keys=keys, session=aiohttp.ClientSession())


async def make_provider(folder: Path, open_app: Open, stack: AsyncExitStack) -> World:
    """Give each role a token of a provider, under a name of the provider's own."""
    provider = await stack.enter_async_context(open_provider())
    roles = "".join(f'"group-{role}" = ["{role}"]\n' for role in Role)
    (folder / "access.toml").write_text(
        f'[[oidc]]\nissuer = "{provider.issuer}"\naudience = "atesta"\n'
        f'roles_claim = "groups"\n[oidc.roles]\n{roles}'
    )
    keys = {
        role: (build_bearer(provider.sign("ec-1", groups=[f"group-{role}"])), True) for role in Role
    }
    url = await open_app(ApiSettings(port=0, access_file=folder / "access.toml"))
    return World(url=url, keys=keys, session=aiohttp.ClientSession())


async def make_certificates(folder: Path, open_app: Open, _: AsyncExitStack) -> World:
    """Give each role a machine with a certificate."""
    authority = Authority(folder)
    server = authority.issue("server")
    listed = [f'[certificates]\nauthorities = "{authority.own.certificate_file.name}"\n']
    keys: dict[Role, tuple[dict[str, str], ssl.SSLContext | bool]] = {}
    for role in Role:
        machine = authority.issue(f"machine-{role}")
        listed.append(
            f'[[certificates.machine]]\nname = "{role}"\nroles = ["{role}"]\n'
            f'fingerprint = "{machine.fingerprint}"\n'
        )
        keys[role] = ({"Atesta-Purpose": "test"}, trust(authority, machine))
    (folder / "access.toml").write_text("".join(listed))
    settings = ApiSettings(
        port=0,
        tls_certificate=server.certificate_file,
        tls_key=server.key_file,
        access_file=folder / "access.toml",
    )
    return World(url=await open_app(settings), keys=keys, session=aiohttp.ClientSession())


def trust(authority: Authority, holder: Holder) -> ssl.SSLContext:
    """Return the TLS of a machine."""
    context = ssl.create_default_context(cafile=authority.own.certificate_file)
    # The authority of the test has no key identifiers, which strict checking asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_cert_chain(holder.certificate_file, holder.key_file)
    return context


def build_bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Atesta-Purpose": "test"}


WAYS = {"token": make_tokens, "oidc": make_provider, "certificate": make_certificates}


@pytest.fixture(params=WAYS)
async def world(
    ledger: FakeLedger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """The real application, with handlers that only say "reached"."""

    async def reach(_call: Call) -> Reply:
        raise UserFault("reached", code="reached", status=418)

    monkeypatch.setattr("api.rest.app.HANDLERS", dict.fromkeys(HANDLERS, reach))
    agency = Agency(ledger, tmp_path, 2)
    async with AsyncExitStack() as stack:

        async def open_app(settings: ApiSettings) -> str:
            return await stack.enter_async_context(serve(agency.build_app(settings), settings))

        made = await WAYS[request.param](tmp_path, open_app, stack)
        yield made
        await made.session.close()
    agency.services.close()


def build_path(route: Route) -> str:
    filled = re.sub(
        r"{(\w+)}",
        lambda match: "0" if match[1] in {"index", "number", "period"} else "0x" + "00" * 32,
        route.path,
    )
    return f"/v1{filled}"


async def test_every_role_against_every_route(world: World) -> None:
    for route in ROUTES:
        let_in = set()
        for role, (headers, tls) in world.keys.items():
            status, told = await world.ask(route, headers, tls)
            # Let in: the handler, or what it needs first (a body, an idempotency key).
            assert status in {400, 403, 415, 418}, (route.name, role)
            if status != 403:
                let_in.add(role)
            else:
                assert told["code"] == "forbidden"
                assert set(told["needed_roles"]) == {role.value for role in route.roles}
        assert let_in == EXPECTED[route.name], route.name


@pytest.mark.parametrize("world", ["token"], indirect=True)
async def test_nobody_is_let_in_without_a_token_that_the_operator_issued(world: World) -> None:
    real = next(iter(world.keys.values()))[0]["Authorization"]
    for headers in (
        {},
        {"Authorization": "Bearer atesta_unknown"},
        {"Authorization": real.replace("Bearer", "Token")},
        {"Authorization": f"{real}x"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."},
    ):
        for route in ROUTES:
            status, told = await world.ask(route, headers)
            assert (status, told["code"]) == (401, "unauthorized"), (route.name, headers)


async def test_roles_do_not_contain_each_other() -> None:
    holders = {role: {name for name, roles in EXPECTED.items() if role in roles} for role in Role}
    public = holders[Role.READER]
    assert holders[Role.UNOPENED] == public
    for role, names in holders.items():
        for other, more in holders.items():
            if role is not other and names != public:
                assert not more > names or role == Role.WRITER, (role, other)
