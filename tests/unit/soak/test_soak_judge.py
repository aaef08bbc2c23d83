"""The judge of a soak finds what was planted, and nothing else."""

from dataclasses import replace

import pytest

from tests.soak.chronicle import Chronicle, SeenBlock
from tests.soak.findings import Finding, Kind, count_findings
from tests.soak.judge import NodeReading, ReadBlock, judge
from tests.soak.records import Record

NODES = (1, 2, 3, 4)
HEIGHT = 9
BLOCKS = tuple(
    ReadBlock(
        block_hash=f"block {height}",
        parent_hash=f"block {height - 1}",
        outcomes=((f"transaction {height}", True),) if height else (),
    )
    for height in range(HEIGHT + 1)
)
RECORDS = tuple(
    Record(
        key=f"key {height}",
        door="rest" if height % 2 else "rpc",
        node=1 + height % 4,
        uid=f"uid {height}",
        transaction=f"transaction {height}",
        operation=f"operation {height}" if height % 2 else None,
    )
    for height in range(1, HEIGHT + 1)
)


def make_readings() -> list[NodeReading]:
    return [
        NodeReading(
            node=node,
            blocks=BLOCKS,
            indexed=tuple((f"uid {height}", height) for height in range(HEIGHT, 0, -1)),
            operations={
                record.operation: "final"
                for record in RECORDS
                if record.operation is not None and record.node == node
            },
            evidence=(),
        )
        for node in NODES
    ]


def make_chronicle() -> Chronicle:
    chronicle = Chronicle(findings=[])
    for node in NODES:
        chronicle.note_blocks(
            node,
            (
                SeenBlock(height=height, block_hash=block.block_hash, transactions=())
                for height, block in enumerate(BLOCKS)
            ),
        )
    return chronicle


def find(
    readings: list[NodeReading],
    *,
    records: tuple[Record, ...] = RECORDS,
    chronicle: Chronicle | None = None,
    open_count: int = 0,
) -> list[Finding]:
    chronicle = chronicle or make_chronicle()
    return judge(records, readings, chronicle, height=HEIGHT, open_count=open_count)


def change_block(reading: NodeReading, height: int, **changes: object) -> NodeReading:
    blocks = list(reading.blocks)
    blocks[height] = replace(blocks[height], **changes)  # type: ignore[arg-type]
    return replace(reading, blocks=tuple(blocks))


def test_judge_finds_nothing_where_all_nodes_hold_all_once() -> None:
    assert find(make_readings()) == []


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ((), "in 0 blocks"),
        ((("transaction 5", False),), "failed in block 5"),
        ((("transaction 5", True), ("transaction 4", True)), "in 2 blocks"),
    ],
    ids=["missing", "failed", "twice"],
)
def test_judge_finds_a_record_that_is_not_final_exactly_once_with_success(
    outcomes: tuple[tuple[str, bool], ...], word: str
) -> None:
    readings = make_readings()
    readings[2] = change_block(readings[2], 5, outcomes=outcomes)
    (finding,) = find(readings)
    assert finding.kind is Kind.LOST
    assert word in finding.text
    assert "node 3" in finding.text


def test_judge_counts_a_record_that_no_node_has_as_one_loss() -> None:
    readings = [change_block(reading, 5, outcomes=()) for reading in make_readings()]
    assert count_findings(find(readings)) == "lost 1, forked 0, stuck 0"


@pytest.mark.parametrize(
    "indexed",
    [
        tuple((f"uid {height}", height) for height in range(1, HEIGHT)),
        tuple((f"uid {height}", max(height, 2)) for height in range(1, HEIGHT + 1)),
        (("uid 3", 3), *((f"uid {height}", height) for height in range(1, HEIGHT + 1))),
    ],
    ids=["missing", "another block", "twice"],
)
def test_judge_finds_a_record_that_one_index_does_not_hold_once(
    indexed: tuple[tuple[str, int], ...],
) -> None:
    readings = make_readings()
    readings[1] = replace(readings[1], indexed=indexed)
    (finding,) = find(readings)
    assert finding.kind is Kind.LOST
    assert "index" in finding.text


def test_judge_finds_an_operation_that_does_not_know_its_block() -> None:
    readings = make_readings()
    place = RECORDS[0].node - 1
    readings[place] = replace(readings[place], operations={**readings[place].operations})
    readings[place].operations["operation 1"] = "submitted"  # type: ignore[index]
    (finding,) = find(readings)
    assert "its operation is submitted" in finding.text


def test_judge_finds_a_promise_kept_twice_but_forgives_open_tries() -> None:
    assert [finding.kind for finding in find(make_readings(), records=RECORDS[1:])] == (
        [Kind.LOST] * len(NODES)
    )
    assert find(make_readings(), records=RECORDS[1:], open_count=1) == []


def test_judge_finds_two_hashes_at_one_height() -> None:
    readings = make_readings()
    readings[3] = change_block(readings[3], HEIGHT, block_hash="another block")
    (finding,) = find(readings)
    assert finding.kind is Kind.FORKED
    assert "node 4" in finding.text


def test_judge_finds_a_final_block_that_all_nodes_have_forgotten() -> None:
    chronicle = make_chronicle()
    chronicle.hashes[6] = ("a block before the crash", 2)
    (finding,) = find(make_readings(), chronicle=chronicle)
    assert finding.kind is Kind.FORKED
    assert "node 2 earlier" in finding.text


def test_judge_finds_a_block_that_is_not_on_its_parent() -> None:
    readings = [change_block(reading, 7, parent_hash="block 5") for reading in make_readings()]
    assert {finding.kind for finding in find(readings)} == {Kind.FORKED}


def test_judge_finds_evidence() -> None:
    readings = make_readings()
    readings[0] = replace(readings[0], evidence=("double_prepare of 0x12",))
    (finding,) = find(readings)
    assert finding.kind is Kind.FORKED


def test_judge_calls_a_node_that_stands_still_stuck_and_its_missing_records_not_lost() -> None:
    readings = make_readings()
    readings[2] = replace(
        readings[2], blocks=BLOCKS[:4], indexed=(("uid 1", 1), ("uid 2", 2), ("uid 3", 3))
    )
    assert count_findings(find(readings)) == "lost 0, forked 0, stuck 1"


def test_chronicle_finds_a_hash_that_differs_from_what_was_told_before_a_crash() -> None:
    chronicle = make_chronicle()
    for block_hash in ("block 8", "another block 8"):
        seen = SeenBlock(height=8, block_hash=block_hash, transactions=())
        chronicle.note_blocks(2, [seen])
    (finding,) = chronicle.findings
    assert finding.kind is Kind.FORKED


def test_chronicle_finds_a_head_that_moves_back() -> None:
    chronicle = Chronicle(findings=[])
    for height in (4, 5, 5, 6):
        chronicle.note_head(1, height)
    chronicle.note_head(2, 3)
    assert chronicle.findings == []
    chronicle.note_head(1, 5)
    (finding,) = chronicle.findings
    assert finding.kind is Kind.LOST
