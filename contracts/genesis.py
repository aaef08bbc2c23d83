"""Makes a genesis file in Besu's format, by running the contracts' own code.

Vyper appends immutables to a contract's code when its constructor runs, so the code of a genesis
account cannot be taken from the compiler. Therefore everything happens in a scratch state: the
constructors run at the fixed addresses, then the founders' decisions are carried out one by one in
the registry, by the code that later carries out votes, and the founding is closed. What stands
there then, code and storage, is the `alloc` of block 0. The same specification and artifacts give
the same bytes.

Forks up to Cancun are in force from block 0 with a base fee of zero. Besu reads the same file. The
beacon-roots contract of EIP-4788 is not deployed: both Besu and py-evm write parent roots only
where its code stands, and QBFT has no beacon chain.
"""

from collections.abc import Sequence
from typing import Any, Final

from eth_typing import Address
from rlp.codec import encode as encode_rlp

from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    DECISIONS_IMPLEMENTATION,
    IMPLEMENTATIONS,
    PROXIES,
    REGISTRY,
)
from contracts.codec import decode_output, encode_call
from contracts.errors import FoundingFailed
from contracts.founding import (
    GENESIS_PLACEMENT,
    NO_ADDRESS,
    compute_deployment_salt,
    list_creations,
    list_founding_calls,
)
from contracts.genesis_spec import GenesisSpec, QbftSpec, validate_spec
from contracts.scratch import ScratchState

MIX_HASH: Final = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
"""By it Besu knows a block of QBFT; the text reads "ctical byzantine fault tolerance"."""
FORKS_AT_BLOCK_0: Final = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
)
FORKS_AT_TIME_0: Final = ("shanghaiTime", "cancunTime")


def build_genesis(spec: GenesisSpec) -> dict[str, Any]:
    """Build the whole genesis document; GenesisSpecError names a field that will not do."""
    validate_spec(spec)
    scratch = found_ledger(spec)
    validators = decode_output(
        AGENCY_REGISTRY_NAME,
        "getValidators",
        scratch.read(REGISTRY, encode_call(AGENCY_REGISTRY_NAME, "getValidators")).output,
    )
    return {
        "config": _build_config(spec),
        "nonce": "0x0",
        "timestamp": hex(spec.timestamp),
        "gasLimit": hex(spec.gas_limit),
        "difficulty": "0x1",
        "mixHash": MIX_HASH,
        "coinbase": _format(NO_ADDRESS),
        "baseFeePerGas": "0x0",
        "extraData": _format(encode_extra_data(validators if spec.is_header_vote else ())),
        "alloc": {
            _format(address): _dump_account(scratch, address)
            for address in sorted([*PROXIES, *IMPLEMENTATIONS.values(), DECISIONS_IMPLEMENTATION])
        },
    }


def found_ledger(spec: GenesisSpec) -> ScratchState:
    """Put the contracts into a scratch state and found the registry; FoundingFailed is our bug."""
    scratch = ScratchState(chain_id=spec.chain_id, timestamp=spec.timestamp)
    salt = compute_deployment_salt(spec)
    for creation in list_creations(GENESIS_PLACEMENT, salt, spec.late_after_s):
        scratch.create(creation.address, creation.code)
    for call in list_founding_calls(spec):
        outcome = scratch.send(REGISTRY, call.data, sender=GENESIS_PLACEMENT.founder)
        if not outcome.succeeded:
            reason = outcome.reason or f"0x{outcome.output.hex()}"
            raise FoundingFailed(f"founding refused at {call.title}: {reason}")
    return scratch


def encode_extra_data(validators: Sequence[Address]) -> bytes:
    """Encode block 0's extraData: RLP [32 zero bytes, validators, no vote, round 0, no seals]."""
    encoded: bytes = encode_rlp([bytes(32), list(validators), [], b"", []])  # type: ignore[no-untyped-call]
    return encoded


def _build_config(spec: GenesisSpec) -> dict[str, Any]:
    return {
        "chainId": spec.chain_id,
        **dict.fromkeys(FORKS_AT_BLOCK_0, 0),
        **dict.fromkeys(FORKS_AT_TIME_0, 0),
        "zeroBaseFee": True,
        "qbft": _build_qbft(spec.qbft, is_header_vote=spec.is_header_vote),
    }


def _build_qbft(qbft: QbftSpec, *, is_header_vote: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "blockperiodseconds": qbft.block_period_s,
        "epochlength": qbft.epoch_length,
        "requesttimeoutseconds": qbft.request_timeout_s,
    }
    if qbft.empty_block_period_s:
        document["emptyblockperiodseconds"] = qbft.empty_block_period_s
    if qbft.block_period_ms is not None:
        document["xblockperiodmilliseconds"] = qbft.block_period_ms
    if not is_header_vote:
        document["validatorcontractaddress"] = _format(REGISTRY)
    return document


def _dump_account(scratch: ScratchState, address: Address) -> dict[str, Any]:
    storage = {
        f"0x{slot:064x}": f"0x{value:064x}" for slot, value in scratch.iterate_storage(address)
    }
    return {
        "balance": "0x0",
        "nonce": hex(scratch.get_nonce(address)),
        "code": _format(scratch.get_code(address)),
        **({"storage": storage} if storage else {}),
    }


def _format(data: bytes) -> str:
    return f"0x{data.hex()}"
