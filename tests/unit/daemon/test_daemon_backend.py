"""The node behind JSON-RPC: the real chain and mempool through the real dispatcher, with web3."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from hexbytes import HexBytes
from trie.hexary import HexaryTrie
from web3 import Web3
from web3.exceptions import ContractLogicError

from api.errors import ExecutionReverted, LimitExceeded, TransactionRefused
from api.ports import CallRequest
from consensus import rlp_codec
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, REGISTRY, SET_NUMBER_SLOT
from contracts.codec import decode_output, encode_call
from contracts.loader import load_artifact
from contracts.testkeys import get_address
from tests.unit.explorer.real_ledger import LABORATORY_ID, RealLedger, open_ledger

SCHEMA = b"\x5c" * 32
UID = b"\xa1" * 32
STORE_42 = bytes.fromhex("602a60005560006000f3")
"""Init code that stores 42 in slot 0 and leaves no code."""
LOOP = bytes.fromhex("5b600056")
"""Init code that never ends."""


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[RealLedger]:
    async with open_ledger(tmp_path) as opened:
        yield opened


async def rpc(ledger: RealLedger, method: str, *arguments: Any) -> Any:
    return await ledger.dispatcher.call(method, list(arguments))


async def test_backend_follows_a_transaction_to_its_receipt_and_log(ledger: RealLedger) -> None:
    await ledger.open_schema(SCHEMA)
    sent = await ledger.attest(UID, SCHEMA)
    assert (await rpc(ledger, "eth_getTransactionByHash", sent))["blockNumber"] is None
    assert (await rpc(ledger, "txpool_status"))["pending"] == "0x1"
    imported = ledger.mine()

    web3 = ledger.connection.web3
    receipt = await web3.eth.get_transaction_receipt(HexBytes(sent))
    assert receipt["status"] == 1
    assert bytes(receipt["blockHash"]) == imported.block_hash
    events = load_artifact(ATTESTATIONS_NAME).abi
    contract = web3.eth.contract(Web3.to_checksum_address(ATTESTATIONS), abi=events)
    (event,) = await contract.events.Attested().get_logs(from_block=0)
    assert event["args"]["uid"] == UID
    assert event["args"]["issuer"] == LABORATORY_ID
    assert (await rpc(ledger, "txpool_status"))["pending"] == "0x0"


async def test_backend_deploys_only_for_those_who_may(ledger: RealLedger) -> None:
    with pytest.raises(TransactionRefused) as caught:
        await ledger.backend.send_transaction(ledger.sign(1, data=STORE_42))
    assert caught.value.field in {"to", "sender", "from"}
    sent = await ledger.backend.send_transaction(ledger.sign(2, "deployer", data=STORE_42))
    ledger.mine()
    receipt = await rpc(ledger, "eth_getTransactionReceipt", "0x" + sent.hex())
    created = receipt["contractAddress"]
    assert await rpc(ledger, "eth_getStorageAt", created, "0x0") == "0x" + f"{42:064x}"
    assert await rpc(ledger, "eth_getStorageAt", created, "0x0", "0x0") == "0x" + "00" * 32


async def test_backend_refuses_a_used_nonce_and_stores_nothing(ledger: RealLedger) -> None:
    with pytest.raises(TransactionRefused) as caught:
        await ledger.backend.send_transaction(ledger.sign(1, to=REGISTRY, nonce=99))
    assert caught.value.field == "nonce"
    assert await ledger.backend.get_pending() == ()


async def test_backend_proves_storage_against_the_header(ledger: RealLedger) -> None:
    ledger.mine()
    web3: Any = ledger.connection.web3
    block = await web3.eth.get_block("latest")
    proof = await rpc(
        ledger, "eth_getProof", "0x" + REGISTRY.hex(), [hex(SET_NUMBER_SLOT), "0xffff"], "latest"
    )
    account = read_proof(block["stateRoot"], keccak(REGISTRY), proof["accountProof"])
    assert account is not None
    storage_root = rlp_codec.get_bytes(
        rlp_codec.get_list(rlp_codec.decode(account), "a", 4)[2], "r"
    )
    assert storage_root == bytes.fromhex(proof["storageHash"][2:])
    number, absent = proof["storageProof"]
    value = read_proof(storage_root, keccak(bytes(32)), number["proof"])
    assert value is not None
    assert rlp_codec.get_scalar(rlp_codec.decode(value), "v", 32) == int(number["value"], 16) > 0
    missing = keccak((0xFFFF).to_bytes(32, "big"))
    assert read_proof(storage_root, missing, absent["proof"]) is None
    assert absent["value"] == "0x0"


async def test_backend_calls_contracts_and_reports_their_refusals(ledger: RealLedger) -> None:
    web3 = ledger.connection.web3
    address = Web3.to_checksum_address(REGISTRY)
    count = encode_call("agency_registry", "agency_count")
    output = await web3.eth.call({"to": address, "data": HexBytes(count)})
    assert decode_output("agency_registry", "agency_count", bytes(output)) == 4
    attest = encode_call(
        ATTESTATIONS_NAME, "attest", (UID, SCHEMA, b"\xc0" * 32, 1, 0, ledger.now_s, bytes(32))
    )
    target = Web3.to_checksum_address(ATTESTATIONS)
    request: Any = {
        "from": Web3.to_checksum_address(get_address(1, "account")),
        "to": target,
        "data": HexBytes(attest),
    }
    with pytest.raises(ContractLogicError, match="attestation: not accredited"):
        await web3.eth.call(request)
    with pytest.raises(ContractLogicError, match="attestation: not accredited"):
        await web3.eth.estimate_gas(request)
    await ledger.open_schema(SCHEMA)
    gas = await web3.eth.estimate_gas(request)
    assert 100_000 < gas < 300_000
    with pytest.raises(ExecutionReverted):
        await rpc(ledger, "eth_call", {**request, "data": "0x" + attest.hex()}, "0x0")


async def test_backend_cuts_off_a_call_that_takes_too_long(ledger: RealLedger) -> None:
    request = CallRequest(
        sender=get_address(1, "account"),
        to=None,
        gas=10**9,
        gas_price=0,
        value=0,
        data=LOOP,
    )
    with pytest.raises(LimitExceeded):
        await ledger.backend.call(request, ledger.chain.head, timeout_s=0.1)


async def test_backend_recovers_who_sealed(ledger: RealLedger) -> None:
    ledger.mine()
    finality = await rpc(ledger, "atesta_getFinality", "latest")
    assert len(finality["sealers"]) == 3
    assert set(finality["sealers"]) < set(finality["validators"])
    assert finality["final"] is True
    by_rpc = await rpc(ledger, "qbft_getValidatorsByBlockNumber", "latest")
    assert by_rpc == finality["validators"]


async def test_backend_answers_what_it_does_not_know_with_nothing(ledger: RealLedger) -> None:
    assert await ledger.backend.get_block(99) is None
    assert await ledger.backend.get_header(keccak(b"none")) is None  # type: ignore[arg-type]
    assert await ledger.backend.get_receipts(keccak(b"none")) is None  # type: ignore[arg-type]
    assert await rpc(ledger, "eth_getBalance", "0x" + "11" * 20) == "0x0"
    assert await rpc(ledger, "eth_getTransactionCount", "0x" + "11" * 20) == "0x0"


def read_proof(root: bytes, key: bytes, nodes: list[str]) -> bytes | None:
    """Read a key through a Merkle-Patricia proof with an independent implementation."""
    decoded = [rlp_codec.decode(bytes.fromhex(node[2:])) for node in nodes]
    trie: Any = HexaryTrie
    return trie.get_from_proof(root, key, decoded) or None
