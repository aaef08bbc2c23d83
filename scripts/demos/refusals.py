"""What is refused, each with its reason: forged, copied, replayed, ended, and not accredited."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from atesta_client import requests
from atesta_client.answers import Verification
from atesta_client.errors import RestError, RestProblem
from atesta_client.holder_keys import HolderKey

from scripts.demos.documents import Document
from scripts.demos.residents import Resident, check
from scripts.demos.stage import Stage, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that must be refused."""

    title: str
    """What somebody tries."""
    code: str
    """The reason's code that must be among the answer's."""
    act: Callable[[], Awaitable[Verification]]
    """Tries it at the commission's node."""


async def show_refusals(stage: Stage) -> None:
    """Try everything that must be refused, and what the issuer must notice."""
    with stage.narrator.step("What must be refused is refused, each with its reason") as step:
        cases = [*_list_forgeries(stage, stage.residents[0]), *await _list_ended(stage)]
        rows = []
        for case in cases:
            answer = await case.act()
            codes = [reason.code for reason in answer.reasons]
            require(
                answer.result == "not_valid" and case.code in codes,
                f"{case.title}: the answer was {answer.result} {codes}, not {case.code}",
            )
            reason = next(reason for reason in answer.reasons if reason.code == case.code)
            rows.append((case.title, reason.text))
            step.advance()
        rows.append(("an issuer without accreditation", await _attest_without_accreditation(stage)))
        rows.append(("a field outside the schema, at the issuer", await _overfill(stage)))
        rows.append(("the same certificate attested twice", await _attest_twice(stage)))
        stage.narrator.show(("tried", "answer"), rows)
        stage.narrator.confirm(f"{len(rows)} of {len(rows)} refused")


def _list_forgeries(stage: Stage, resident: Resident) -> list[Case]:
    """List what a cheat can do with somebody's file."""

    async def change_field() -> Verification:
        verifier = await stage.get_verifier()
        shown = await resident.prepare(verifier)
        forged = tuple(
            replace(field, value="2099-01-01") if field.pointer == resident.needed[-1] else field
            for field in shown.fields
        )
        return await check(verifier, replace(shown, fields=forged))

    async def change_salt() -> Verification:
        verifier = await stage.get_verifier()
        shown = await resident.prepare(verifier)
        forged = replace(shown.fields[0], salt=secrets.token_bytes(32))
        return await check(verifier, replace(shown, fields=(forged, *shown.fields[1:])))

    async def add_field() -> Verification:
        verifier = await stage.get_verifier()
        shown = await resident.prepare(verifier)
        added = replace(shown.fields[0], pointer="/honours", value="none")
        return await check(verifier, replace(shown, fields=(*shown.fields, added)))

    async def hide_field() -> Verification:
        verifier = await stage.get_verifier()
        return await check(verifier, await resident.prepare(verifier, pointers=resident.needed[1:]))

    async def copy_with_other_key() -> Verification:
        verifier = await stage.get_verifier()
        return await check(verifier, await resident.prepare(verifier, key=HolderKey.generate()))

    async def copy_unsigned() -> Verification:
        verifier = await stage.get_verifier()
        shown = await resident.prepare(verifier)
        return await check(verifier, replace(shown, signature=None))

    async def replay() -> Verification:
        verifier = await stage.get_verifier()
        shown = await resident.prepare(verifier)
        stage.require_valid(await check(verifier, shown), resident)
        return await check(verifier, shown)

    return [
        Case(title="a changed field", code="field_mismatch", act=change_field),
        Case(title="a wrong salt", code="field_mismatch", act=change_salt),
        Case(title="a field outside the schema", code="field_outside_schema", act=add_field),
        Case(title="a field that the policy needs, hidden", code="field_missing", act=hide_field),
        Case(
            title="a copied file, signed with another key",
            code="holder_signature_invalid",
            act=copy_with_other_key,
        ),
        Case(title="a copied file, not signed", code="holder_not_proved", act=copy_unsigned),
        Case(title="a presentation shown again", code="challenge_replayed", act=replay),
    ]


async def _list_ended(stage: Stage) -> list[Case]:
    """Have the laboratory end three certificates, each in its own way."""
    issuer = await stage.get_issuer()
    revoked, replaced, expired = [
        await stage.issue(_invent(document)) for document in stage.own_documents[:2]
    ] + [
        await stage.issue(
            _invent(stage.own_documents[2]), valid_until=datetime.now(UTC) - timedelta(hours=1)
        )
    ]
    await stage.carry(revoked)
    await stage.carry(replaced)
    # Captured two hours ago, for one hour, and posted only now.
    await stage.carry(expired, event_time=datetime.now(UTC) - timedelta(hours=2))
    await stage.settle(issuer, requests.change_state(revoked.uid, state="revoked", reason="error"))
    stage.revoked_uid = revoked.uid
    newer = await stage.issue(replaced.document, previous=replaced.uid)
    await stage.carry(newer)
    verifier = await stage.get_verifier()
    await stage.wait_seen(verifier, newer.uid)

    def ask(resident: Resident) -> Callable[[], Awaitable[Verification]]:
        async def act() -> Verification:
            return await check(verifier, await resident.prepare(verifier))

        return act

    stage.require_valid(await ask(newer)(), newer)
    return [
        Case(title="a revoked certificate", code="state_revoked", act=ask(revoked)),
        Case(title="a superseded certificate", code="state_superseded", act=ask(replaced)),
        Case(title="an expired certificate", code="record_expired", act=ask(expired)),
    ]


async def _attest_without_accreditation(stage: Stage) -> str:
    """Let the laboratory attest under a schema for which it is not accredited."""
    network = stage.network
    bureau = await network.get_client(network.bureau)
    issuer = await stage.get_issuer()
    schema_uid, title, pointers = "0x" + secrets.token_hex(32), "Draft of a form", ["/draft"]
    await stage.settle(
        bureau, requests.create_schema(uid=schema_uid, title=title, pointers=pointers)
    )
    if network.bureau != network.laboratory:
        await stage.hand_over_schema(issuer, schema_uid, title=title, pointers=pointers)
    try:
        accepted = await issuer.send(
            requests.attest_document(schema_uid=schema_uid, document={"draft": "anything"})
        )
        await issuer.follow(accepted)
    except RestError as error:
        require("accredit" in str(error), f"an issuer without accreditation: {error}")
        return str(error)
    require(False, "an issuer without accreditation attested a record")
    raise AssertionError


async def _overfill(stage: Stage) -> str:
    """Let the laboratory issue a certificate with a field that the schema does not have."""
    document = _invent(stage.own_documents[3])
    certificate = {**document.certificate, "remarks": "none"}
    issuer = await stage.get_issuer()
    try:
        await issuer.send(
            requests.create_credential(schema_uid=stage.schema_uid, document=certificate)
        )
    except RestError as error:
        require("outside" in str(error), f"a field outside the schema: {error}")
        return str(error)
    require(False, "the issuer accepted a field outside the schema")
    raise AssertionError


async def _attest_twice(stage: Stage) -> str:
    """Let the laboratory attest a certificate that it attested before."""
    first = stage.residents[0]
    again = await stage.issue(first.document)
    try:
        await stage.carry(again)
    except RestProblem as problem:
        code = problem.problem.get("code")
        require(code == "certificate_already_attested", f"attested twice: {problem}")
        return str(problem)
    require(False, "the issuer did not notice that it attested a certificate twice")
    raise AssertionError


def _invent(document: Document) -> Document:
    """Return one of the project's own certificates under an identifier used nowhere else."""
    kind = document.kind
    identifier = f"URN:UVCI:01:MO:{secrets.token_hex(12).upper()}#S"
    entry = {**document.certificate[kind][0], "ci": identifier}
    return replace(document, certificate={**document.certificate, kind: [entry]})
