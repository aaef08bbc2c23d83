"""The rules of one network that the genesis file fixes: `config.qbft`.

Every node of a network must run by the same periods, timeouts and source of validators, so these
numbers live in the genesis file and nowhere else. The key names are Besu's, lower case; Besu reads
them without regard to case, and so does this parser. A value that is absent takes Besu's default.
Unknown keys are refused, because a mistyped rule that is silently ignored splits a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consensus.errors import GenesisConfigError
from consensus.types import Address

DEFAULT_EPOCH_LENGTH = 30_000
DEFAULT_BLOCK_PERIOD_S = 1
DEFAULT_REQUEST_TIMEOUT_S = 1

MAX_PERIOD_S = 3_600
MAX_PERIOD_MS = 60_000

_TUNING_KEYS = frozenset(
    {
        "gossipedhistorylimit",
        "messagequeuelimit",
        "duplicatemessagelimit",
        "futuremessageslimit",
        "futuremessagesmaxdistance",
    }
)
"""Besu's local tuning of buffers: accepted so that a Besu genesis loads, not used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QbftConfig:
    """Parsed `config.qbft`."""

    epoch_length: int = DEFAULT_EPOCH_LENGTH
    """Blocks between two epoch blocks, at which pending header votes are cleared."""

    block_period_s: int = DEFAULT_BLOCK_PERIOD_S
    """Seconds between the timestamps of a block and its parent, at least."""

    block_period_ms: int | None = None
    """Period in milliseconds, counted from the import of the parent; switches the period rule
    of timestamps off (equal timestamps become valid)."""

    empty_block_period_s: int = 0
    """Seconds after the parent at which an empty block is proposed; 0 proposes it each period."""

    request_timeout_s: int = DEFAULT_REQUEST_TIMEOUT_S
    """Seconds that round 0 lasts; every further round lasts twice as long as the one before."""

    validator_contract: Address | None = None
    """Contract whose `getValidators()` names the validators; None means header votes."""

    mining_beneficiary: Address | None = None
    """Receiver of block rewards, if there are any."""

    block_reward: int = 0
    """Wei per block."""

    @property
    def is_contract_mode(self) -> bool:
        """Whether a contract, not header votes, is the source of the validators."""
        return self.validator_contract is not None


def parse_qbft_config(document: Mapping[str, object]) -> QbftConfig:
    """Read `config.qbft`, a JSON object; raises GenesisConfigError naming the key."""
    entries: dict[str, tuple[str, object]] = {}
    for key, value in document.items():
        if key.lower() in entries:
            raise GenesisConfigError(key, "is given twice")
        entries[key.lower()] = (key, value)

    def take_number(name: str, default: int, low: int, high: int) -> int:
        key, value = entries.pop(name, (name, default))
        number = _parse_number(key, value)
        if not low <= number <= high:
            raise GenesisConfigError(key, f"{number} is outside {low} to {high}")
        return number

    def take_address(name: str) -> Address | None:
        key, value = entries.pop(name, (name, None))
        return _parse_address(key, value)

    period_ms = take_number("xblockperiodmilliseconds", 0, 0, MAX_PERIOD_MS)
    config = QbftConfig(
        epoch_length=take_number("epochlength", DEFAULT_EPOCH_LENGTH, 1, 2**53),
        block_period_s=take_number("blockperiodseconds", DEFAULT_BLOCK_PERIOD_S, 1, MAX_PERIOD_S),
        block_period_ms=period_ms or None,
        empty_block_period_s=take_number("emptyblockperiodseconds", 0, 0, 24 * MAX_PERIOD_S),
        request_timeout_s=take_number(
            "requesttimeoutseconds", DEFAULT_REQUEST_TIMEOUT_S, 1, MAX_PERIOD_S
        ),
        validator_contract=take_address("validatorcontractaddress"),
        mining_beneficiary=take_address("miningbeneficiary"),
        block_reward=take_number("blockreward", 0, 0, 2**256 - 1),
    )
    for name, (key, _) in entries.items():
        if name not in _TUNING_KEYS:
            raise GenesisConfigError(key, "is not a rule that this node knows")
    return config


def _parse_number(key: str, value: object) -> int:
    if isinstance(value, str):
        try:
            return int(value, 16 if value[:2].lower() == "0x" else 10)
        except ValueError:
            raise GenesisConfigError(key, f"{value!r} is not a whole number") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise GenesisConfigError(key, f"{value!r} is not a whole number")
    return value


def _parse_address(key: str, value: object) -> Address | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value[:2].lower() == "0x" and len(value) == 42:
        try:
            return Address(bytes.fromhex(value[2:]))
        except ValueError:
            pass
    raise GenesisConfigError(key, f"{value!r} is not an address (0x and 40 hex digits)")
