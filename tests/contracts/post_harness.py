"""What the tests of posts share: one post of the bureau, officers, and keys to give."""

from typing import Any

from eth_typing import Address, Hash32

from contracts.codec import DecodedLog
from contracts.codes import Role
from tests.contracts.contract_harness import Ledger, bureau, uid_of

DAY = 86_400
POST = uid_of(700)
OTHER_POST = uid_of(701)
DUTIES = uid_of(702)
RESOLUTION = uid_of(703)
FIRST, SECOND, THIRD, FOURTH = (uid_of(number) for number in range(710, 714))
HOLDER, DEPUTY = 0, 1
KEYS = [Address(bytes([0x50 + number]) * 20) for number in range(8)]
ISSUE = int(Role.ISSUE)


def build_ledger() -> Ledger:
    """A ledger with one post of the bureau, which its first holder took ten seconds ago."""
    made = Ledger()
    do(made, "establish", POST, DUTIES)
    do(made, "appoint", POST, HOLDER, appointment(FIRST))
    made.pass_time(10)
    return made


def do(ledger: Ledger, function: str, *args: Any, sender: Address = bureau) -> list[DecodedLog]:
    return ledger.do(sender, "posts", function, [*args, ledger.now])


def refuse(ledger: Ledger, function: str, *args: Any, sender: Address = bureau) -> str | None:
    return ledger.refuse(sender, "posts", function, [*args, ledger.now])


def appointment(
    commitment: Hash32, begin: int = 0, end: int = 0, resolution: Hash32 = RESOLUTION
) -> tuple[Hash32, int, int, Hash32]:
    return commitment, begin, end, resolution


def new_key(number: int, roles: int = ISSUE, until: int = 0) -> tuple[Address, int, int]:
    return KEYS[number], roles, until


def hand_over(
    ledger: Ledger,
    to: tuple[Hash32, int, int, Hash32] | None = None,
    keys: tuple[Any, ...] = (),
    *,
    ends_deputies: bool = False,
    sender: Address = bureau,
) -> list[DecodedLog]:
    args = [POST, to or appointment(SECOND), list(keys), ends_deputies]
    return do(ledger, "hand_over", *args, sender=sender)


def read(ledger: Ledger, function: str, *args: Any) -> Any:
    return ledger.read("posts", function, *args)


def names(events: list[DecodedLog]) -> list[str]:
    return [event.event for event in events]
