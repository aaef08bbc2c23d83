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

from eth_abi.abi import encode
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak
from rlp.codec import encode as encode_rlp

from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    BASES,
    BASES_NAME,
    CATALOGUE,
    CATALOGUE_NAME,
    CONSENTS,
    CONSENTS_NAME,
    DECISIONS_IMPLEMENTATION,
    DECISIONS_NAME,
    EXCHANGES,
    EXCHANGES_NAME,
    IMPLEMENTATIONS,
    MANDATES,
    MANDATES_NAME,
    POLICIES_NAME,
    POSTS,
    POSTS_NAME,
    PROXIES,
    PROXY_NAME,
    REGISTRY,
    SCHEMAS,
    SCHEMAS_NAME,
)
from contracts.codec import decode_output, encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.errors import FoundingFailed
from contracts.genesis_spec import (
    MIN_PERCENT,
    AgencySpec,
    GenesisSpec,
    GovernanceSpec,
    QbftSpec,
    validate_spec,
)
from contracts.loader import load_artifact
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
NO_ADDRESS: Final = Address(bytes(20))
NO_PIN: Final = Hash32(bytes(32))


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
    arguments = encode_constructors(compute_deployment_salt(spec), spec.late_after_s)
    scratch.create(DECISIONS_IMPLEMENTATION, load_artifact(DECISIONS_NAME).creation_bytecode)
    for proxy, name in PROXIES.items():
        implementation = IMPLEMENTATIONS[proxy]
        scratch.create(implementation, load_artifact(name).creation_bytecode + arguments[name])
        scratch.create(
            proxy,
            load_artifact(PROXY_NAME).creation_bytecode
            + encode(["address", "address"], [REGISTRY, implementation]),
        )
    for agency in spec.agencies:
        _found_agency(scratch, agency)
    # The founding registry already takes one as its minimum.
    if spec.minimum_validators != 1:
        _found(scratch, DecisionKind.SET_VALIDATOR_MINIMUM, [spec.minimum_validators])
    _found_rules(scratch, spec.governance)
    _send(scratch, encode_call(AGENCY_REGISTRY_NAME, "finish_founding"))
    return scratch


def encode_constructors(salt: Hash32, late_after_s: int) -> dict[str, bytes]:
    """Encode each implementation's constructor arguments, by the contract's name.

    An upgrade passes the same ones; another salt ends all signed acts that are not submitted yet,
    another limit in seconds decides from then on what is late.
    """
    signed = encode(["address", "bytes32", "uint256"], [REGISTRY, salt, late_after_s])
    return {
        AGENCY_REGISTRY_NAME: encode(
            ["address", "bytes32", "address", "address"],
            [REGISTRY, salt, DECISIONS_IMPLEMENTATION, POSTS],
        ),
        SCHEMAS_NAME: signed + encode(["address"], [ATTESTATIONS]),
        ATTESTATIONS_NAME: signed + encode(["address"], [SCHEMAS]),
        CATALOGUE_NAME: signed,
        BASES_NAME: signed + encode(["address"], [CATALOGUE]),
        CONSENTS_NAME: signed + encode(["address"] * 4, [CATALOGUE, BASES, EXCHANGES, MANDATES]),
        EXCHANGES_NAME: signed + encode(["address"] * 4, [CATALOGUE, BASES, CONSENTS, MANDATES]),
        MANDATES_NAME: signed,
        POLICIES_NAME: signed + encode(["address"], [SCHEMAS]),
        POSTS_NAME: signed,
    }


def compute_deployment_salt(spec: GenesisSpec) -> Hash32:
    """Compute what tells this ledger from any other in signed messages, 32 bytes.

    keccak256 of the RLP list of chain id, timestamp, and for each founding agency its identifier,
    accounts and validators, so that two ledgers with one chain id have different salts.
    """
    founders = [
        [agency.agency_id, [a.address for a in agency.accounts], list(agency.validators)]
        for agency in spec.agencies
    ]
    encoded: bytes = encode_rlp([spec.chain_id, spec.timestamp, founders])  # type: ignore[no-untyped-call]
    return Hash32(keccak(encoded))


def encode_extra_data(validators: Sequence[Address]) -> bytes:
    """Encode block 0's extraData: RLP [32 zero bytes, validators, no vote, round 0, no seals]."""
    encoded: bytes = encode_rlp([bytes(32), list(validators), [], b"", []])  # type: ignore[no-untyped-call]
    return encoded


def _found_agency(scratch: ScratchState, agency: AgencySpec) -> None:
    _found(
        scratch,
        DecisionKind.ADMIT_AGENCY,
        [
            agency.agency_id,
            agency.jurisdiction,
            agency.profile_hash,
            int(agency.roles),
            NO_ADDRESS,
            NO_PIN,
        ],
    )
    for account in agency.accounts:
        _found(
            scratch,
            DecisionKind.ADD_KEY,
            [agency.agency_id, account.address, int(account.roles), 0, 0],
        )
    for pin in agency.tls_pins:
        _found(scratch, DecisionKind.ADD_PIN, [agency.agency_id, pin, 0, 0])
    for validator in agency.validators:
        _found(scratch, DecisionKind.ADD_VALIDATOR, [agency.agency_id, validator])


def _found_rules(scratch: ScratchState, rules: GovernanceSpec) -> None:
    """Set what is not as in a registry that nobody has set rules in."""
    delays = [rules.urgent_delay_s, rules.ordinary_delay_s, rules.grave_delay_s]
    if any(delays):
        _found(scratch, DecisionKind.SET_DELAYS, delays)
    percents = [rules.total_percent, rules.jurisdiction_percent]
    if percents != [MIN_PERCENT, MIN_PERCENT]:
        _found(scratch, DecisionKind.SET_THRESHOLD, percents)


def _found(scratch: ScratchState, kind: DecisionKind, args: Sequence[Any]) -> None:
    payload = encode_payload(kind, args)
    _send(scratch, encode_call(AGENCY_REGISTRY_NAME, "found", [int(kind), payload]))


def _send(scratch: ScratchState, call: bytes) -> None:
    outcome = scratch.send(REGISTRY, call)
    if not outcome.succeeded:
        raise FoundingFailed(f"founding refused: {outcome.reason or '0x' + outcome.output.hex()}")


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
