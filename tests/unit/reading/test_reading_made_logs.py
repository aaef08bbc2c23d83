"""Made-up ledgers log as the contracts do: what these logged is encoded again to the same bytes."""

from typing import Any

from contracts import codec
from contracts.address_book import GENESIS_BOOK
from scripts.scaling.logs import encode_log
from tests.contracts import exchange_harness
from tests.contracts.contract_harness import bureau, uid_of
from tests.contracts.exchange_harness import GENERAL


def test_logs_of_real_contracts_are_encoded_again_to_the_same_bytes(stage: Any) -> None:
    exchange_harness.by_consent(stage)
    stage.pass_time(5)
    stage.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), stage.now, stage.now])
    logs = [log for block in stage.fake.blocks for log in block.logs]
    names = set()
    for log in logs:
        topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
        data = bytes.fromhex(log["data"][2:])
        contract = GENESIS_BOOK.find_name(bytes.fromhex(log["address"][2:]))
        assert contract is not None
        decoded = codec.decode_log(contract, topics, data)
        assert encode_log(contract, decoded.event, decoded.args) == (topics, data)
        names.add(decoded.event)
    assert names >= {"DatasetRegistered", "TextPublished", "BasisEntered", "InstrumentEntered"}
    assert names >= {"ConsentGiven", "ConsentWithdrawn"}
