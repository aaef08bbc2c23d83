"""Three ledgers: what stays in Macao stays there, and a resident carries what crosses.

    scripts/demo ledgers [--database postgresql]

Macao has a ledger of its own, Guangdong has one, and both share a third. The Identification Bureau
of Macao runs a node on Macao's own and on the shared ledger, with one API and one vault for both;
the Education Department of Guangdong one on Guangdong's own and on the shared ledger, the Housing
Institute on Macao's own only. A record between agencies of Macao stays there. A resident carries a
certificate that lies under a sealed root of the shared ledger while its issuer is down. Another
one's certificate, on Macao's own ledger only, cannot be checked in Guangdong until she asks, with
her key, for it to be published. Then she has it erased, on both ledgers by one request. At the end
Guangdong's nodes are searched for everything that Macao's own ledger holds.

Ends with ``demo: ok`` and exit code 0, or ``demo: failed: <reason>`` and exit code 1.
"""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from atesta_client import requests
from atesta_client.credentials import decode_credential
from atesta_client.errors import LedgerRefused, RestProblem
from atesta_client.holder_keys import HolderKey
from atesta_client.publishing import sign_publish_request

from scripts.demos import ledger_search
from scripts.demos.databases import ENGINES
from scripts.demos.ground import NETWORKS
from scripts.demos.ledger_stage import (
    CHECKING,
    EDUCATION,
    GUANGDONG,
    HOUSING,
    IDENTIFICATION,
    MACAO,
    OWN_POINTERS,
    PLANS,
    SHARED,
    TITLE,
    Holder,
    LedgerStage,
    get_id,
    require_valid,
    write_document,
)
from scripts.demos.narrator import Narrator
from scripts.demos.stage import StoryFailed, require
from scripts.demos.telling import tell_to_the_end

_CARRIERS: Final = ("Ana Xavier", "Bento Lou", "Clara Ung", "Duarte Ieong")
_STAYING: Final = "Elisa Kuan"


class Story:
    """What the steps share."""

    def __init__(self, stage: LedgerStage) -> None:
        """Draw what is drawn before the nodes begin."""
        self.stage = stage
        self.shared_schema = _draw_uid()
        """Uid of the schema on the shared ledger."""
        self.own_schema = _draw_uid()
        """Uid of the schema on Macao's own ledger: nothing of one stands on the other."""
        self.count = 100_000_000 + secrets.randbelow(900_000_000)
        """How many leaves the root of a register has; no other number here is like it."""
        self.controls: dict[str, tuple[str, ...]] = {}
        """Uids that must be found at Guangdong, by ledger."""
        self.carriers: list[Holder] = []
        """Who holds a certificate under the shared ledger's sealed root."""

    async def open(self) -> None:
        """Start the five nodes of three ledgers."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("Three ledgers begin, each with its own genesis, members and nodes"):
            await stage.open(self.shared_schema)
            rows = []
            for plan in PLANS:
                for party in plan.parties:
                    ledger = stage.get_ledgers(party)[plan.name]
                    assert ledger.reference is not None
                    genesis = "0x" + ledger.reference.genesis_hash[:6].hex() + "…"
                    node = stage.get_node(plan.name, party)
                    api = stage.get_api(plan.name, party)
                    rows.append(
                        (plan.name, str(plan.chain_id), genesis, party.name, node.url, api.url)
                    )
            columns = ("ledger", "chain id", "genesis", "agency", "its node", "its API")
            narrator.show(columns, rows)
            listed = await stage.get_client(MACAO, IDENTIFICATION).send(requests.list_ledgers())
            names = [ledger.name for ledger in listed.items]
            require(names == [MACAO, SHARED], f"the API of {IDENTIFICATION.name} serves {names}")
            narrator.confirm(
                f"5 nodes; the {IDENTIFICATION.name}, has one API and one vault over "
                f"{' and '.join(names)}"
            )

    async def agree(self) -> None:
        """Register a schema on each ledger."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("Each ledger has a catalogue of its own"):
            for ledger, agency, uid in (
                (MACAO, IDENTIFICATION, self.own_schema),
                (SHARED, IDENTIFICATION, self.shared_schema),
                (GUANGDONG, EDUCATION, _draw_uid()),
            ):
                client = stage.get_client(ledger, agency)
                schema = requests.create_schema(uid=uid, title=TITLE, pointers=OWN_POINTERS[ledger])
                await stage.do(client, schema)
                await stage.do(client, requests.accredit(uid, get_id(agency)))
                self.controls[ledger] = (uid,)
            housing = stage.get_client(MACAO, HOUSING)
            await stage.do(
                stage.get_client(MACAO, IDENTIFICATION),
                requests.accredit(self.own_schema, get_id(HOUSING)),
            )
            school = stage.get_client(SHARED, EDUCATION)
            for ledger, client, uid in (
                (MACAO, housing, self.own_schema),
                (SHARED, school, self.shared_schema),
            ):
                fields = OWN_POINTERS[ledger]
                text = requests.put_schema_text(uid, title=TITLE, pointers=fields)
                await stage.retry_unknown(client, text)
            narrator.confirm("a form of the certificate on each, with its own uid and fields")

    async def keep_at_home(self) -> Holder:
        """Let agencies of Macao make records between themselves; return who holds one."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("A record between two agencies of Macao stays on Macao's own ledger"):
            ledgers = stage.get_ledgers(IDENTIFICATION)
            parties = {
                "issuer": IDENTIFICATION.jurisdiction,
                "recipient": HOUSING.jurisdiction,
            }
            chosen = ledgers.choose(parties)
            require(chosen.name == MACAO, f"the client chose {chosen.name}")
            narrator.confirm(f"both parties are of MO: the client chooses {chosen.name}")
            try:
                ledgers.require(SHARED, parties)
            except LedgerRefused as refused:
                narrator.confirm(f"sent to shared, it is refused: {refused}. {refused.next_step}")
                require(refused.field == "ledger", f"the refusal names {refused.field}")
            else:
                raise StoryFailed("a record of Macao alone was let onto the shared ledger")
            document = write_document(_STAYING, 9)
            holder = await stage.make(
                chosen.client, self.own_schema, document, HolderKey.generate()
            )
            await stage.do(chosen.client, requests.attest_credential(holder.uid))
            housing = stage.get_client(MACAO, HOUSING)
            await stage.retry_unknown(housing, requests.get_attestation(holder.uid))
            answer = await stage.show(housing, holder, "housing-application")
            require_valid(answer, "the certificate at the Housing Institute")
            narrator.confirm("attested, and valid at the Housing Institute's own node")
            await stage.do(
                housing,
                requests.create_batch(
                    schema_uid=self.own_schema, root=_draw_uid(), count=self.count
                ),
            )
            narrator.confirm(f"the Housing Institute seals a register of {self.count:,} entries")
            return holder

    async def seal(self) -> None:
        """Seal certificates under one root of the shared ledger, and hand the files over."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("Certificates lie under one sealed root of the shared ledger"):
            ledgers = stage.get_ledgers(IDENTIFICATION)
            chosen = ledgers.choose({"issuer": "MO", "recipient": "CN-GD"})
            require(chosen.name == SHARED, f"the client chose {chosen.name}")
            made = []
            for number, name in enumerate(_CARRIERS):
                document = write_document(name, number)
                made.append(
                    await stage.make(
                        chosen.client, self.shared_schema, document, HolderKey.generate()
                    )
                )
            members = [holder.uid for holder in made]
            batch = requests.create_batch(schema_uid=self.shared_schema, members=members)
            sealed = await stage.do(chosen.client, batch)
            for holder in made:
                kept = await chosen.client.send(requests.get_credential(holder.uid))
                credential = decode_credential(kept.credential or {})
                require(credential.record.batch is not None, "a file holds no path to its root")
                self.carriers.append(
                    Holder(
                        name=holder.name,
                        document=holder.document,
                        key=holder.key,
                        credential=credential,
                    )
                )
            school = stage.get_client(SHARED, EDUCATION)
            await stage.retry_unknown(school, requests.get_batch(sealed.uid))
            self.controls[SHARED] = (*self.controls[SHARED], sealed.uid)
            narrator.confirm(
                f"{len(made)} certificates, 1 root on the ledger; each resident's file holds the "
                "path to it"
            )

    async def carry(self) -> None:
        """Check a carried certificate while every node of its issuer is stopped."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("A resident carries hers to Guangdong while its issuer is down"):
            nodes = stage.get_nodes_of(IDENTIFICATION)
            await stage.stop(nodes)
            narrator.say(f"The {len(nodes)} nodes of the {IDENTIFICATION.name}, are stopped.")
            ledgers = stage.get_ledgers(EDUCATION)
            for holder in self.carriers:
                found = ledgers.find(holder.credential.record.ledger)
                answer = await stage.show(found.client, holder, CHECKING)
                require_valid(answer, f"the certificate of {holder.name}")
            narrator.confirm(
                f"{len(self.carriers)} of {len(self.carriers)} valid on Guangdong's own node of "
                f"the {found.name} ledger, holders proved: carrying needs no issuer"
            )
            await stage.start(nodes)
            narrator.say("The issuer's nodes are back.")

    async def publish(self, holder: Holder) -> Holder:
        """Show what is on Macao's own ledger only; then publish it at its holder's request."""
        stage, narrator = self.stage, self.stage.narrator
        school = stage.get_ledgers(EDUCATION)
        with narrator.step("A certificate on Macao's own ledger only is shown in Guangdong"):
            try:
                school.find(holder.credential.record.ledger)
            except LedgerRefused as refused:
                require(refused.code == "ledger_not_held", f"refused with {refused.code}")
                narrator.confirm(f"{refused}. {refused.next_step}")
            else:
                raise StoryFailed("Guangdong's client found a node of Macao's own ledger")
            answer = await stage.show(school[SHARED].client, holder, CHECKING)
            codes = [reason.code for reason in answer.reasons]
            require(
                answer.result != "valid" and codes == ["ledger_other"],
                f"it is {answer.result} for {codes} on the shared ledger",
            )
            narrator.confirm(f"the node itself: {answer.reasons[0].text} {answer.next_step}")
        with narrator.step("She asks for it to be published on the shared ledger"):
            issuer = stage.get_client(SHARED, IDENTIFICATION)
            try:
                await issuer.send(requests.attest_credential(holder.uid))
            except RestProblem as problem:
                require(problem.code == "ledger_wrong", f"refused with {problem.code}")
                narrator.confirm(f"without her, the API refuses: {problem.detail}")
            else:
                raise StoryFailed("the issuer published a certificate without its holder")
            target = school[SHARED].reference
            assert target is not None
            wish = sign_publish_request(
                holder.credential, holder.key, target=target, now_s=int(time.time())
            )
            narrator.say(
                "Her key signs the request for this credential, issuer, ledger and moment. The "
                "issuer makes a new file with fresh salts and a fresh uid: nothing links it to "
                "Macao's own record."
            )
            accepted = await stage.do(
                issuer,
                requests.create_publication(
                    holder.uid, request=wish, schema_uid=self.shared_schema
                ),
            )
            told = await issuer.send(requests.get_publication(accepted.uid))
            require(told.holds and told.origin == MACAO, "the request kept does not hold")
            kept = await issuer.send(requests.get_credential(accepted.uid))
            published = replace(holder, credential=decode_credential(kept.credential or {}))
            first, second = holder.credential, published.credential
            require(
                first.record.commitment != second.record.commitment
                and not set(first.salts) & set(second.salts),
                "the published record shares a commitment or salt with the other one",
            )
            client = school.find(second.record.ledger).client
            await stage.retry_unknown(client, requests.get_attestation(published.uid))
            require_valid(await stage.show(client, published, CHECKING), "the published one")
            narrator.confirm("published, valid in Guangdong; her request is kept, and it holds")
        return published

    async def erase(self, holder: Holder, published: Holder) -> None:
        """Erase a certificate by one request, wherever it stands."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("She has it erased: one request, both ledgers"):
            own, issuer = (stage.get_client(name, IDENTIFICATION) for name in (MACAO, SHARED))
            await own.send(requests.erase_credential(holder.uid, reason="holder_request"))
            for client, uid in ((own, holder.uid), (issuer, published.uid)):
                await stage.wait_erased(client, uid)
            housing = stage.get_client(MACAO, HOUSING)
            school = stage.get_client(SHARED, EDUCATION)
            for client, shown, purpose in (
                (housing, holder, "housing-application"),
                (school, published, CHECKING),
            ):
                await stage.wait_state(client, shown.uid, "erased")
                answer = await stage.show(client, shown, purpose)
                codes = [reason.code for reason in answer.reasons]
                require("state_erased" in codes, f"it is {answer.result} for {codes}")
            narrator.confirm(
                f"erased on {MACAO} and on {SHARED}: the Housing Institute and Guangdong are told "
                f"so ({answer.reasons[0].text})"
            )

    async def compare(self) -> None:
        """See that Guangdong's count of the issuer's acts is that of the shared ledger alone."""
        stage, narrator = self.stage, self.stage.narrator
        with narrator.step("Guangdong counts the issuer's acts on the shared ledger alone"):
            question = requests.get_agency(get_id(IDENTIFICATION))
            seen = await stage.get_client(SHARED, EDUCATION).send(question)
            shared = await stage.get_client(SHARED, IDENTIFICATION).send(question)
            own = await stage.get_client(MACAO, IDENTIFICATION).send(question)
            require(
                (seen.attestations, seen.head) == (shared.attestations, shared.head),
                "the two nodes of the shared ledger count differently",
            )
            require(seen.head != own.head, "Guangdong has the head of Macao's own ledger")
            narrator.confirm(
                f"{seen.attestations} acts and their head; Macao's own ledger has another head"
            )

    async def search(self) -> None:
        """Search Guangdong's nodes for what Macao's own ledger holds."""
        stage = self.stage
        with stage.narrator.step("Guangdong's nodes are searched for all of Macao's own ledger"):
            needles = await ledger_search.collect(stage, self.count)
            await stage.stop(stage.nodes)
            for agency in (EDUCATION, HOUSING):
                await stage.bring_back(agency)
            await ledger_search.search(stage, needles, self.controls)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo ledgers", description="Macao's own, Guangdong's own and a shared ledger."
    )
    parser.add_argument(
        "--database",
        choices=ENGINES,
        default=ENGINES[0],
        help="where agencies keep vault, outbox and index (default: SQLite files)",
    )
    # As `scripts/demo --all` gives it; this story is about what our own nodes keep and send.
    parser.add_argument("--network", choices=NETWORKS[:1], default=NETWORKS[0])
    options = parser.parse_args(arguments)
    narrator = Narrator()
    failure = asyncio.run(_run(narrator, options.database))
    narrator.finish(failure)
    return 0 if failure is None else 1


async def _run(narrator: Narrator, engine: str) -> str | None:
    """Tell the story; return why it failed, or None."""
    stage = LedgerStage(narrator, engine)

    async def tell() -> None:
        async with stage:
            for note in {databases.note for databases in stage.databases.values()} - {None}:
                narrator.say(str(note))
            await _tell(Story(stage))
            stage.is_finished = True

    return await tell_to_the_end(narrator, stage, tell)


async def _tell(story: Story) -> None:
    """Tell it all, step by step."""
    await story.open()
    await story.agree()
    staying = await story.keep_at_home()
    await story.seal()
    await story.carry()
    published = await story.publish(staying)
    await story.erase(staying, published)
    await story.compare()
    await story.search()


def _draw_uid() -> str:
    return "0x" + secrets.token_hex(32)


if __name__ == "__main__":
    sys.exit(main())
