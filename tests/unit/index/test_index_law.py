"""What the index makes of the law's events, beside what the contracts say themselves."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from eth_typing import Address
from eth_utils.crypto import keccak
from sqlalchemy import Row, insert, select, update

from api.databases import Database, open_database
from api.index.events import process_events
from api.index.law_queries import (
    EventFilter,
    LawFilter,
    get_law_record,
    get_law_records,
    list_events,
    list_law_records,
    list_links,
)
from api.index.law_tables import LAW_LINKS, LAW_RECORDS, LAYOUT
from api.index.layout import LAYOUT_VERSION, prepare_layout
from api.index.placed_event import PlacedEvent
from api.index.queries import Page, list_history
from api.index.tables import BLOCKS, CURSOR, EVENTS, LOGS_PER_BLOCK, METADATA
from contracts.codec import encode_call
from contracts.codes import LateReason, RecordState
from contracts.scratch import Outcome
from tests.contracts import consent_harness, exchange_harness, mandate_harness
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    Ledger,
    bureau,
    decode_events,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import EXCHANGE, GENERAL, OFFICER, REQUEST, RESPONSE
from tests.contracts.law_harness import (
    CONDITIONAL,
    ORDINARY,
    PURPOSE,
    STATUTE_BASIS,
)


class Chronicle:
    """A ledger whose every event goes into an index."""

    def __init__(self, ledger: Ledger, database: Database) -> None:
        self.ledger = ledger
        self.database = database
        self._logs = 0
        self._sent = 0
        self._send = ledger.send
        ledger.send = self.send  # type: ignore[method-assign]

    def send(
        self, sender: Address, contract: str, function: str, args: Sequence[Any] = ()
    ) -> Outcome:
        outcome = self._send(sender, contract, function, args)
        self._sent += 1
        first = self.ledger.state.block_number * LOGS_PER_BLOCK + self._logs + 1
        events = [
            PlacedEvent(
                name=log.event,
                args=log.args,
                position=first + place,
                block=self.ledger.state.block_number,
                time_s=self.ledger.now,
                transaction_hash=keccak(self._sent.to_bytes(8, "big")),
            )
            for place, log in enumerate(decode_events(outcome))
        ]
        self._logs += len(events)
        self.database.write_now(partial(process_events, events=events))
        return outcome

    def find(self, uid: bytes) -> Row[Any]:
        query = select(LAW_RECORDS).where(LAW_RECORDS.c.uid == uid)
        return self.database.read_now(lambda c: c.execute(query).one())

    def list_links(self, uid: bytes) -> set[tuple[str, bytes]]:
        query = select(LAW_LINKS).where(LAW_LINKS.c.uid == uid)
        rows = self.database.read_now(lambda c: c.execute(query).all())
        return {(row.role, bytes(row.target)) for row in rows}

    def list_kinds(self, uid: bytes) -> list[str]:
        query = select(EVENTS.c.kind).where(EVENTS.c.uid == uid).order_by(EVENTS.c.position)
        return self.database.read_now(lambda c: list(c.execute(query).scalars()))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, METADATA)
    opened.write_now(prepare_layout)
    yield opened
    opened.close()


@pytest.fixture
def chronicle(database: Database) -> Chronicle:
    return Chronicle(exchange_harness.build_ledger(), database)


def test_exchange_is_followed_through_all_its_states(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    exchange_harness.request_conditional(ledger)
    assert chronicle.find(EXCHANGE).state == exchange_harness.REQUESTED
    for sender, function, args in (
        (bureau, "decide", (True, 0, OFFICER)),
        (bureau, "release", (REQUEST, RESPONSE)),
        (laboratory, "acknowledge", (RESPONSE,)),
    ):
        ledger.pass_time()
        exchange_harness.act(ledger, sender, function, *args)
        assert chronicle.find(EXCHANGE).state == exchange_harness.read_state(ledger)
    row = chronicle.find(EXCHANGE)
    assert (row.kind, bytes(row.agency), bytes(row.counterparty)) == (
        "exchange",
        LABORATORY,
        BUREAU,
    )
    assert json.loads(row.terms)["request"]["dataset"] == "0x" + CONDITIONAL.hex()
    assert chronicle.list_links(EXCHANGE) >= {
        ("dataset", CONDITIONAL),
        ("purpose", PURPOSE),
        ("basis", STATUTE_BASIS),
        ("party", LABORATORY),
        ("party", BUREAU),
    }
    assert chronicle.list_kinds(EXCHANGE) == ["exchange.requested", *["exchange.state"] * 3]


def test_first_signature_of_a_void_leaves_the_state(chronicle: Chronicle) -> None:
    exchange_harness.request(chronicle.ledger)
    exchange_harness.act(chronicle.ledger, laboratory, "void_exchange", 1)
    assert chronicle.find(EXCHANGE).state == exchange_harness.APPROVED
    exchange_harness.act(chronicle.ledger, bureau, "void_exchange", 1)
    assert chronicle.find(EXCHANGE).state == exchange_harness.VOID


def test_withdrawn_consent_ends_at_its_declaration(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    exchange_harness.by_consent(ledger)
    declared_at = ledger.now
    ledger.pass_time(5)
    ledger.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), declared_at, ledger.now])
    row = chronicle.find(GENERAL)
    assert row.state == ledger.read("consents", "consent", GENERAL)["state"]
    assert row.ended_s == declared_at
    assert row.due_s == ledger.read("consents", "withdrawal", GENERAL)["due"]
    assert chronicle.list_links(GENERAL) >= {("dataset", ORDINARY), ("party", LABORATORY)}


def test_quota_moves_stand_in_the_consents_history(chronicle: Chronicle) -> None:
    fields = exchange_harness.by_consent(chronicle.ledger)
    exchange_harness.request(chronicle.ledger, **fields)
    assert "consent.quota" in chronicle.list_kinds(GENERAL)
    assert ("consent", GENERAL) in chronicle.list_links(EXCHANGE)


def test_record_posted_late_is_marked(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    ledger.pass_time(30 * 86_400)
    exchange_harness.request(ledger)
    assert not chronicle.find(EXCHANGE).is_late
    long_ago = ledger.now - 10 * 86_400
    uid = uid_of(9100)
    call = encode_call(
        "catalogue", "publish", [uid, 7, uid_of(9101), b"en".ljust(32, b"\0"), long_ago, bytes(32)]
    )
    ledger.do(bureau, "catalogue", "act_late", [call, uid_of(9102), int(LateReason.OUTAGE)])
    assert chronicle.find(uid).is_late
    assert chronicle.list_kinds(uid) == ["notice.marked_late", "notice.published"]


def test_key_binding_is_found_by_its_key(chronicle: Chronicle) -> None:
    consent_harness.bind(chronicle.ledger, 1)
    row = chronicle.find(bytes(12) + consent_harness.get_holder(1))
    assert row.kind == "key_binding"


def test_succession_ends_offices_and_spares_powers(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    office, power = mandate_harness.MANDATE, uid_of(6100)
    mandate_harness.record(
        ledger,
        mandate_harness.build_office(),
        mandate_harness.build_entry(power, body=mandate_harness.BODY),
    )
    effective = ledger.now + 100
    args = mandate_harness.succeed_args(ledger, uid_of(6200), effective=effective)
    ledger.do(bureau, "mandates", "succeed", args)
    assert chronicle.find(office).ended_s == effective
    assert chronicle.find(power).ended_s is None
    assert chronicle.find(uid_of(6700)).ended_s is None
    assert chronicle.list_kinds(mandate_harness.BODY) == ["body.succeeded"]
    ledger.pass_time(100)
    assert mandate_harness.check(ledger, office) is not None
    assert mandate_harness.check(ledger, power) is None


def test_period_is_a_record_of_its_own(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    exchange_harness.request_standing(ledger)
    exchange_harness.act(ledger, bureau, "begin_period", 3)
    exchange_harness.act(ledger, bureau, "state_period", 3, 2, uid_of(5))
    exchange_harness.act(ledger, laboratory, "state_period", 3, 2, uid_of(6))
    row = chronicle.find(keccak(EXCHANGE + (3).to_bytes(32, "big")))
    assert (row.kind, row.place) == ("period", 3)
    assert row.state == ledger.read("exchanges", "period_of", EXCHANGE, 3)["state"]
    assert chronicle.list_kinds(EXCHANGE).count("exchange.period") == 3


def test_layout_of_another_version_is_dropped_and_made_anew(database: Database) -> None:
    cursor = {"id": 1, "number": 4, "hash": bytes(32), "genesis_hash": bytes(32)}
    database.write_now(lambda c: c.execute(insert(CURSOR).values(**cursor)))
    assert not database.write_now(prepare_layout)
    database.write_now(lambda c: c.execute(update(LAYOUT).values(version=LAYOUT_VERSION - 1)))
    assert database.write_now(prepare_layout)
    assert database.read_now(lambda c: c.execute(select(CURSOR)).first()) is None
    assert not database.write_now(prepare_layout)


def test_lists_are_filtered_by_either_party_and_by_what_is_named(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    fields = exchange_harness.by_consent(ledger)
    asked = [uid_of(7000 + number) for number in range(5)]
    for place, uid in enumerate(asked):
        ledger.pass_time()
        exchange_harness.request(ledger, uid, **(fields if place == 0 else {}))

    def list_uids(after: int | None = None, limit: int = 10, **wanted: Any) -> list[bytes]:
        rows = chronicle.database.read_now(
            lambda c: list_law_records(
                c, Page(limit=limit, after=after), LawFilter(kind="exchange", **wanted)
            )
        )
        return [bytes(row.uid) for row in rows]

    newest_first = asked[::-1]
    assert list_uids() == newest_first
    assert list_uids(links={"party": BUREAU}) == newest_first
    assert list_uids(links={"party": LABORATORY, "dataset": ORDINARY}) == newest_first
    assert list_uids(links={"party": LABORATORY, "dataset": CONDITIONAL}) == []
    assert list_uids(links={"consent": GENERAL}) == [asked[0]]
    assert list_uids(links={"basis": STATUTE_BASIS}) == newest_first[:4]
    assert list_uids(state=exchange_harness.REFUSED) == []
    second = chronicle.find(newest_first[1]).position
    assert list_uids(links={"party": BUREAU}, after=second, limit=2) == newest_first[2:4]


def test_feed_is_in_order_of_the_chain_and_filtered(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    exchange_harness.request_conditional(ledger)
    exchange_harness.act(ledger, bureau, "decide", True, 0, OFFICER)

    def list_kinds(after: int | None = None, **wanted: Any) -> list[str]:
        # The feed shows the block of each event.
        rows = chronicle.database.read_now(
            lambda c: list_events(c, Page(limit=100, after=after), EventFilter(**wanted))
        )
        return [row.kind for row in rows]

    block = {"number": ledger.state.block_number, "hash": bytes(32), "parent_hash": bytes(32)}
    chronicle.database.write_now(lambda c: c.execute(insert(BLOCKS).values(**block, time_s=1)))
    assert list_kinds() == ["exchange.requested", "exchange.state"]
    assert list_kinds(kinds=("exchange.state", "consent")) == ["exchange.state"]
    assert list_kinds(agency=BUREAU) == ["exchange.requested", "exchange.state"]
    assert list_kinds(agency=BUREAU, kinds=("exchange.state",)) == ["exchange.state"]
    assert list_kinds(agency=BUREAU, uid=EXCHANGE) == ["exchange.requested", "exchange.state"]
    assert list_kinds(agency=uid_of(1)) == []
    assert list_kinds(agency=uid_of(1), uid=EXCHANGE) == []
    assert list_kinds(after=chronicle.find(EXCHANGE).position) == ["exchange.state"]


def test_agency_that_joins_a_record_finds_its_earlier_events(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    exchange_harness.request_conditional(ledger)
    joins = PlacedEvent(
        name="PolicySigned",
        args={"uid": EXCHANGE, "agency": uid_of(1)},
        position=(ledger.state.block_number + 1) * LOGS_PER_BLOCK,
        block=ledger.state.block_number,
        time_s=ledger.now,
        transaction_hash=bytes(32),
    )
    terms = {"from_jurisdiction": uid_of(2), "to_jurisdiction": uid_of(3), "schema": uid_of(4)}
    proposed = replace(
        joins,
        name="PolicyProposed",
        args={"uid": EXCHANGE, "agency": BUREAU, "terms": terms},
        position=joins.position - 1,
    )
    block = {"number": joins.block, "hash": bytes(32), "parent_hash": bytes(32), "time_s": 1}

    def list_kinds(agency: bytes) -> list[str]:
        wanted = EventFilter(agency=agency)
        rows = chronicle.database.read_now(lambda c: list_events(c, Page(limit=9), wanted))
        return [row.kind for row in rows]

    chronicle.database.write_now(lambda c: c.execute(insert(BLOCKS).values(**block)))
    for event in (proposed, joins):
        chronicle.database.write_now(partial(process_events, events=[event]))
    assert list_kinds(uid_of(1)) == ["policy.proposed", "policy.signed"]
    assert list_kinds(BUREAU)[-2:] == ["policy.proposed", "policy.signed"]


def test_records_of_two_kinds_with_one_uid_do_not_meet(chronicle: Chronicle) -> None:
    """Each contract knows its own uids only, so anybody may take the uid of another kind."""
    ledger = chronicle.ledger
    exchange_harness.request(ledger)
    asked = chronicle.find(EXCHANGE)
    ledger.do(bureau, "posts", "establish", [EXCHANGE, uid_of(9200), ledger.now])
    ledger.do(bureau, "posts", "abolish", [EXCHANGE, uid_of(9201), ledger.now])

    def get(kind: str | None = None) -> Row[Any] | None:
        return chronicle.database.read_now(lambda c: get_law_record(c, EXCHANGE, kind=kind))

    post = get("post")
    assert post is not None
    assert (post.agency, post.state) == (BUREAU, RecordState.REVOKED)
    assert get() == get("exchange") == asked
    by_uid = chronicle.database.read_now(lambda c: get_law_records(c, [EXCHANGE]))
    assert by_uid == {EXCHANGE: asked}
    links = chronicle.database.read_now(lambda c: list_links(c, EXCHANGE, kind="post"))
    assert links == (("party", BUREAU),)

    def list_kinds(kind: str) -> list[str]:
        page = Page(limit=10)
        rows = chronicle.database.read_now(lambda c: list_history(c, page, uid=EXCHANGE, kind=kind))
        return [row.kind for row in rows]

    rows = [
        {"number": number, "hash": bytes(32), "parent_hash": bytes(32), "time_s": ledger.now}
        for number in range(ledger.state.block_number + 1)
    ]
    chronicle.database.write_now(lambda c: c.execute(insert(BLOCKS), rows))
    assert list_kinds("post") == ["post.established", "post.abolished"]
    assert all(kind.startswith("exchange.") for kind in list_kinds("exchange"))
