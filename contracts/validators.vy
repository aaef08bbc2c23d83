# pragma version 0.4.3
"""
@title The nodes that make blocks
@license Apache-2.0
@notice Which addresses make the next block. The set changes only by decision, is never empty and
        never below its minimum, and has 64 members at most.
@dev A module of `agency_registry`, initialised first, so that slots 0 and 1 of the registry hold
     `set_number` and `validator_set_hash`, which receipts prove against block headers; they never
     move. `getValidators` is a pure function of storage, because it is asked on a parent block by
     nodes that do not share a clock.
"""

import agencies
import keys
from interfaces import IAgencyRegistry

uses: agencies
uses: keys

MAX_VALIDATORS: constant(uint256) = 64

# slot 0: the number of the present validator set; the founders' set has number one
set_number: public(uint256)
# slot 1: keccak256 of the validators' 20-byte addresses in ascending order
validator_set_hash: public(bytes32)
# slot 2
minimum_validators: public(uint256)
# slot 3: whether the register is in force; until then the set may grow from nothing
founded: bool
# slots 4 to 31
_validators_reserved_head: uint256[28]
# slot 32: in ascending order
present: DynArray[address, MAX_VALIDATORS]
_validators_reserved: uint256[32]


@view
@external
def getValidators() -> DynArray[address, MAX_VALIDATORS]:
    """
    @notice The addresses of the nodes that make the next block, in ascending order.
    @dev Read by Besu's contract mode under this very name.
    """
    return self.present


@view
@external
def is_validator(account: address) -> bool:
    """
    @notice Whether an address is in the present set of validators.
    """
    return account in self.present


@internal
def _add_validator(agency_id: bytes32, validator: address):
    assert agencies._is_active(agency_id), "agency: not active"
    assert validator != empty(address), "validator: address missing"
    assert keys.stored_keys[validator].facts == 0, "validator: is an account's key"
    owner: bytes32 = keys.validator_agencies[validator]
    assert owner == empty(bytes32) or owner == agency_id, "validator: another agency's"
    before: DynArray[address, MAX_VALIDATORS] = self.present
    assert len(before) < MAX_VALIDATORS, "validators: the set is full"
    after: DynArray[address, MAX_VALIDATORS] = []
    is_placed: bool = False
    for other: address in before:
        assert other != validator, "validator: already in the set"
        if not is_placed and convert(other, uint160) > convert(validator, uint160):
            after.append(validator)
            is_placed = True
        after.append(other)
    if not is_placed:
        after.append(validator)
    keys.validator_agencies[validator] = agency_id
    log IAgencyRegistry.ValidatorAdded(agency=agency_id, validator=validator)
    self._set_validators(after)


@internal
def _remove_validator(validator: address):
    before: DynArray[address, MAX_VALIDATORS] = self.present
    after: DynArray[address, MAX_VALIDATORS] = []
    for other: address in before:
        if other != validator:
            after.append(other)
    assert len(after) != len(before), "validator: not in the set"
    log IAgencyRegistry.ValidatorRemoved(
        agency=keys.validator_agencies[validator], validator=validator
    )
    self._set_validators(after)


@internal
def _remove_all_of(agency_id: bytes32):
    """
    @dev A suspended agency's nodes make no blocks: its validators leave the set with it, and come
         back, after its reinstatement, by a decision of their own.
    """
    kept: DynArray[address, MAX_VALIDATORS] = []
    before: DynArray[address, MAX_VALIDATORS] = self.present
    for validator: address in before:
        if keys.validator_agencies[validator] == agency_id:
            log IAgencyRegistry.ValidatorRemoved(agency=agency_id, validator=validator)
        else:
            kept.append(validator)
    if len(kept) != len(before):
        self._set_validators(kept)


@internal
def _set_validator_minimum(minimum: uint256):
    assert minimum != 0 and minimum <= MAX_VALIDATORS, "validators: minimum out of bounds"
    assert minimum != self.minimum_validators, "validators: minimum unchanged"
    if self.founded:
        assert len(self.present) >= minimum, "validators: below the minimum"
    self.minimum_validators = minimum
    log IAgencyRegistry.ValidatorMinimumChanged(minimum=minimum)


@internal
def _set_validators(validators: DynArray[address, MAX_VALIDATORS]):
    """
    @dev The one place where the set is written. While the ledger is being founded the set grows
         from nothing; afterwards it is never empty and never below its minimum.
    """
    if self.founded:
        assert len(validators) >= max(self.minimum_validators, 1), "validators: below the minimum"
    packed: Bytes[1280] = b""
    for validator: address in validators:
        packed = concat(convert(packed, Bytes[1260]), convert(validator, bytes20))
    self.present = validators
    self.set_number = self.set_number + 1 if self.founded else 1
    self.validator_set_hash = keccak256(packed)
    log IAgencyRegistry.ValidatorSetChanged(
        set_number=self.set_number,
        validator_set_hash=self.validator_set_hash,
        size=len(validators),
    )
