"""What an integrator would write with web3.py alone; run as a process by test_network_web3."""

import json
import sys
from importlib import import_module
from typing import Any

from eth_account import Account
from eth_hash.auto import keccak
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware

# Runtime: store the first word of the input in slot 0 and log it under topic 7.
RUNTIME = bytes.fromhex("60003580600055600052600760206000a100")
INIT = bytes.fromhex(f"60{len(RUNTIME):02x}600c60003960{len(RUNTIME):02x}6000f3") + RUNTIME


def main() -> None:
    task = json.load(sys.stdin)
    w3: Any = Web3(HTTPProvider(task["url"]))
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    deployer = Account.from_key(task["deployer"])
    clerk = Account.from_key(task["clerk"])
    stranger = Account.from_key(task["stranger"])

    def send(account: Any, **fields: Any) -> Any:
        transaction = {
            "chainId": w3.eth.chain_id,
            "nonce": w3.eth.get_transaction_count(account.address, "pending"),
            "gas": 300_000,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "value": 0,
            **fields,
        }
        raw = account.sign_transaction(transaction).raw_transaction
        return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw), timeout=120)

    def refuse(account: Any, **fields: Any) -> str:
        try:
            send(account, **fields)
        except Web3Exception as error:
            return str(error)
        raise AssertionError("it was not refused")

    deployed = send(deployer, data=INIT)
    address = deployed["contractAddress"]
    assert bytes(w3.eth.get_code(address)) == RUNTIME
    refused_deployment = refuse(clerk, data=INIT)
    refused_stranger = refuse(stranger, to=address, data=b"\0" * 32)
    receipt = send(clerk, to=address, data=(42).to_bytes(32, "big"))
    logs = w3.eth.get_logs(
        {"address": address, "fromBlock": receipt["blockNumber"], "toBlock": "latest"}
    )
    json.dump(
        {
            "deployed": deployed["status"],
            "refused_deployment": refused_deployment,
            "refused_stranger": refused_stranger,
            "stored": int.from_bytes(w3.eth.get_storage_at(address, 0), "big"),
            "logged": [int.from_bytes(log["data"], "big") for log in logs],
            "proved": prove(w3, address, receipt["blockNumber"]),
        },
        sys.stdout,
    )


def prove(w3: Any, address: Any, number: int) -> int:
    """Verify a proof of slot 0 against the block's state root, with py-trie; return the value."""
    rlp: Any = import_module("rlp")
    trie: Any = import_module("trie").HexaryTrie
    header = w3.eth.get_block(number)
    proof = w3.eth.get_proof(address, [0], number)
    account = trie.get_from_proof(
        bytes(header["stateRoot"]),
        keccak(bytes(HexBytes(address))),
        [rlp.decode(bytes(node)) for node in proof["accountProof"]],
    )
    storage_root = rlp.decode(account)[2]
    value = trie.get_from_proof(
        storage_root,
        keccak(bytes(32)),
        [rlp.decode(bytes(node)) for node in proof["storageProof"][0]["proof"]],
    )
    return int.from_bytes(rlp.decode(value), "big")


if __name__ == "__main__":
    main()
