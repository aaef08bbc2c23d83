"""A ledger on a network that ran before: what is deployed there, and the file that says where.

A plan lists the steps of `contracts.founding` as transactions of one account with consecutive
nonces. The address of a contract follows from its creator and the creator's nonce, so all addresses
are known before the first transaction, and each contract can be told those of the others. Nobody
but that account can found the registry, and nobody at all once the founding is closed.

The deployment file begins with the plan's facts and is written again before and after every step,
so that a deployment that was cut off is taken up where it stopped. When it is complete, it is all
that an API needs to know of the ledger: chain, addresses, code hashes, and the block from which on
there can be events.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak
from rlp.codec import encode as encode_rlp

from contracts.address_book import AddressBook, make_address_book
from contracts.addresses import PROXIES
from contracts.errors import AddressBookInvalid, DeploymentInvalid
from contracts.founding import (
    Creation,
    FoundingCall,
    Placement,
    compute_deployment_salt,
    list_creations,
    list_founding_calls,
)
from contracts.genesis_spec import GenesisSpec
from contracts.scratch import ScratchState

FORMAT: Final = "atesta-deployment-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """All that will be sent, in order, and where it leads."""

    chain_id: int
    genesis_hash: Hash32
    """Of the network's block 0."""
    first_nonce: int
    """Nonce of the founder for the first step; each step takes the next one."""
    salt: Hash32
    """What tells this ledger from any other in signed acts."""
    late_after_s: int
    placement: Placement
    steps: tuple[Creation | FoundingCall, ...]

    @property
    def fingerprint(self) -> Hash32:
        """Return what is equal only for equal steps, 32 bytes."""
        digests = b"".join(keccak(get_data(step)) for step in self.steps)
        return Hash32(keccak(digests))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One transaction for a step; signing it again gives the same bytes."""

    hash: Hash32
    gas: int
    """Its gas limit."""
    max_fee: int
    """Wei that it offers for each unit of gas."""
    priority_fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """How far one step has come."""

    title: str
    attempts: tuple[Attempt, ...] = ()
    """Its transactions, written down before they are sent; all have one nonce."""
    block: int | None = None
    """Where it was carried out; None while it is not."""
    gas_used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the deployment file holds."""

    chain_id: int
    genesis_hash: Hash32
    first_nonce: int
    first_block: int
    """The network's height when the deployment began; no event of the ledger is older."""
    salt: Hash32
    late_after_s: int
    placement: Placement
    code_hashes: Mapping[Address, Hash32]
    """keccak256 of the code that must stand at each address."""
    fingerprint: Hash32
    """Of the plan."""
    steps: tuple[StepRecord, ...]

    @property
    def book(self) -> AddressBook:
        """Where the contracts stand."""
        return self.placement.book

    @property
    def is_complete(self) -> bool:
        """Whether every step was carried out, so that the founding is closed."""
        return all(step.block is not None for step in self.steps)

    @property
    def gas_used(self) -> int:
        """Gas of all steps so far."""
        return sum(step.gas_used for step in self.steps)

    @property
    def last_block(self) -> int:
        """The block of the last step carried out; the first block if none was."""
        return max((step.block or 0 for step in self.steps), default=0) or self.first_block


def make_plan(
    spec: GenesisSpec, *, genesis_hash: Hash32, founder: Address, first_nonce: int
) -> DeploymentPlan:
    """Plan the deployment of a specified ledger from an account whose next nonce is given.

    What the specification says of consensus, gas and time of block 0 has no meaning here: these are
    the network's. Its validators are entered as what the agencies declare.
    """
    names = tuple(PROXIES.values())
    made = iter(range(first_nonce, first_nonce + 1 + 2 * len(names)))
    decisions = compute_created_address(founder, next(made))
    implementations: dict[str, Address] = {}
    proxies: dict[str, bytes] = {}
    for name in names:
        implementations[name] = compute_created_address(founder, next(made))
        proxies[name] = compute_created_address(founder, next(made))
    placement = Placement(
        book=make_address_book(proxies),
        implementations=MappingProxyType(implementations),
        decisions=decisions,
        founder=founder,
    )
    facts: Any = [compute_deployment_salt(spec), genesis_hash, founder, first_nonce]
    salt = Hash32(keccak(encode_rlp(facts)))  # type: ignore[no-untyped-call]
    creations = list_creations(placement, salt, spec.late_after_s)
    return DeploymentPlan(
        chain_id=spec.chain_id,
        genesis_hash=genesis_hash,
        first_nonce=first_nonce,
        salt=salt,
        late_after_s=spec.late_after_s,
        placement=placement,
        steps=(*creations, *list_founding_calls(spec)),
    )


def begin_deployment(plan: DeploymentPlan, *, first_block: int) -> Deployment:
    """Return the deployment of a plan of which no step is done."""
    return Deployment(
        chain_id=plan.chain_id,
        genesis_hash=plan.genesis_hash,
        first_nonce=plan.first_nonce,
        first_block=first_block,
        salt=plan.salt,
        late_after_s=plan.late_after_s,
        placement=plan.placement,
        code_hashes=compute_code_hashes(plan.placement, plan.salt, plan.late_after_s),
        fingerprint=plan.fingerprint,
        steps=tuple(StepRecord(title=step.title) for step in plan.steps),
    )


def compute_created_address(creator: Address, nonce: int) -> Address:
    """Return where a transaction of an account creates its contract (yellow paper, section 7)."""
    encoded: bytes = encode_rlp([creator, nonce])  # type: ignore[no-untyped-call]
    return Address(keccak(encoded)[12:])


def compute_code_hashes(
    placement: Placement, salt: Hash32, late_after_s: int
) -> dict[Address, Hash32]:
    """Run the constructors in a scratch state; keccak256 of the code that each leaves."""
    scratch = ScratchState(chain_id=1, timestamp=0)
    hashes = {}
    for creation in list_creations(placement, salt, late_after_s):
        scratch.create(creation.address, creation.code)
        hashes[creation.address] = Hash32(keccak(scratch.get_code(creation.address)))
    return hashes


def get_data(step: Creation | FoundingCall) -> bytes:
    """Return the data of a step's transaction."""
    return step.code if isinstance(step, Creation) else step.data


def encode_deployment(deployment: Deployment) -> str:
    """Write a deployment as JSON text, as the file holds it."""
    placement = deployment.placement
    contracts = {
        name: {
            "address": _write(proxy),
            "code_hash": _write(deployment.code_hashes[proxy]),
            "implementation": _write(placement.implementations[name]),
            "implementation_code_hash": _write(
                deployment.code_hashes[placement.implementations[name]]
            ),
        }
        for name, proxy in placement.book.by_name.items()
    }
    document = {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "genesis_hash": _write(deployment.genesis_hash),
        "founder": _write(placement.founder),
        "first_nonce": deployment.first_nonce,
        "first_block": deployment.first_block,
        "salt": _write(deployment.salt),
        "late_after_s": deployment.late_after_s,
        "contracts": contracts,
        "decisions": {
            "address": _write(placement.decisions),
            "code_hash": _write(deployment.code_hashes[placement.decisions]),
        },
        "fingerprint": _write(deployment.fingerprint),
        "steps": [
            {
                "title": step.title,
                "transactions": [
                    {
                        "hash": _write(attempt.hash),
                        "gas": attempt.gas,
                        "max_fee": attempt.max_fee,
                        "priority_fee": attempt.priority_fee,
                    }
                    for attempt in step.attempts
                ],
                "block": step.block,
                "gas_used": step.gas_used,
            }
            for step in deployment.steps
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def decode_deployment(text: str) -> Deployment:
    """Read a deployment file; raises DeploymentInvalid that says what will not do."""
    try:
        return _read(json.loads(text))
    except KeyError as error:
        raise DeploymentInvalid(f"its member {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DeploymentInvalid(f"it cannot be read: {error}") from error
    except AddressBookInvalid as error:
        raise DeploymentInvalid(str(error)) from error


def _read(document: Mapping[str, Any]) -> Deployment:
    if document["format"] != FORMAT:
        raise DeploymentInvalid(f"its format is not {FORMAT}")
    contracts: Mapping[str, Mapping[str, str]] = document["contracts"]
    decisions = Address(_parse(document["decisions"]["address"], 20))
    placement = Placement(
        book=make_address_book(
            {name: _parse(entry["address"], 20) for name, entry in contracts.items()}
        ),
        implementations=MappingProxyType(
            {
                name: Address(_parse(entry["implementation"], 20))
                for name, entry in contracts.items()
            }
        ),
        decisions=decisions,
        founder=Address(_parse(document["founder"], 20)),
    )
    hashes = {decisions: Hash32(_parse(document["decisions"]["code_hash"], 32))}
    for name, entry in contracts.items():
        hashes[placement.book.get_address(name)] = Hash32(_parse(entry["code_hash"], 32))
        implementation_hash = _parse(entry["implementation_code_hash"], 32)
        hashes[placement.implementations[name]] = Hash32(implementation_hash)
    return Deployment(
        chain_id=_count(document["chain_id"]),
        genesis_hash=Hash32(_parse(document["genesis_hash"], 32)),
        first_nonce=_count(document["first_nonce"]),
        first_block=_count(document["first_block"]),
        salt=Hash32(_parse(document["salt"], 32)),
        late_after_s=_count(document["late_after_s"]),
        placement=placement,
        code_hashes=MappingProxyType(hashes),
        fingerprint=Hash32(_parse(document["fingerprint"], 32)),
        steps=tuple(_read_step(step) for step in _list(document["steps"])),
    )


def _read_step(step: Mapping[str, Any]) -> StepRecord:
    return StepRecord(
        title=str(step["title"]),
        attempts=tuple(
            Attempt(
                hash=Hash32(_parse(sent["hash"], 32)),
                gas=_count(sent["gas"]),
                max_fee=_count(sent["max_fee"]),
                priority_fee=_count(sent["priority_fee"]),
            )
            for sent in _list(step["transactions"])
        ),
        block=None if step["block"] is None else _count(step["block"]),
        gas_used=_count(step["gas_used"]),
    )


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise DeploymentInvalid("a list of it is none")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DeploymentInvalid("a number of it is none")
    return value


def _parse(text: Any, size: int) -> bytes:
    data = bytes.fromhex(str(text).removeprefix("0x"))
    if len(data) != size:
        raise DeploymentInvalid(f"a value of {size} bytes has {len(data)}")
    return data


def _write(data: bytes) -> str:
    return f"0x{bytes(data).hex()}"
