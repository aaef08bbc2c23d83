"""The master key in n shares of which any m make it again, and fewer tell nothing at all.

Shamir's scheme over GF(2^128), by pycryptodome: the key's two halves are split each by a polynomial
of its own. Around it stands what people need who keep shares in envelopes for years: a share says
of which set and which key it is, how many are needed, and whether it was copied rightly.

    share   = "atesta1-" ‖ base32 in groups of five, without padding
    payload = set id[4] ‖ m ‖ n ‖ number ‖ master key's id[8] ‖ two shares[16 + 16] ‖ check[4]

The id of the key tells nothing of it. Whoever has m shares has the vault, so they belong to
different people; after a change of the master key (`api.vault.rotation`) all of them are void.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from Crypto.Protocol.SecretSharing import Shamir

from api.errors import UserFault
from api.vault.ciphers import KEY_SIZE
from api.vault.keys import MASTER_ID_SIZE, MasterKey

MAX_SHARES: Final = 32
"""Most shares of one set."""

_PREFIX: Final = "ATESTA1"
_SET_SIZE: Final = 4
_HALF: Final = KEY_SIZE // 2
_CHECK_SIZE: Final = 4
_SIZE: Final = _SET_SIZE + 3 + MASTER_ID_SIZE + KEY_SIZE + _CHECK_SIZE
_GROUP: Final = 5

# What people write for letters that look alike; base32 has none of these digits.
_LOOKALIKES: Final = str.maketrans("018", "OIB")


class ShareRefused(UserFault):
    """A share, or a set of them, does not make a key."""

    def __init__(self, reason: str, *, next_step: str | None = None) -> None:
        super().__init__(reason, code="share_refused", field="share", next_step=next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share, taken apart."""

    set_id: bytes
    """4 random bytes, the same in all shares of a set."""
    threshold: int
    """How many shares are needed."""
    count: int
    """How many there are."""
    number: int
    """Which one this is, from 1."""
    master_id: bytes
    """The key that they make."""
    halves: tuple[bytes, bytes]


def split_master_key(key: MasterKey, *, threshold: int, count: int) -> tuple[str, ...]:
    """Return `count` new shares of which any `threshold` make the key; raises `ShareRefused`."""
    if not 2 <= threshold <= count <= MAX_SHARES:
        raise ShareRefused(f"shares are 2 to {MAX_SHARES}, of which 2 or more are needed")
    secret, set_id = key.reveal_secret(), secrets.token_bytes(_SET_SIZE)
    halves = [
        Shamir.split(threshold, count, part, ssss=False)
        for part in (secret[:_HALF], secret[_HALF:])
    ]
    return tuple(
        _write(
            Share(
                set_id=set_id,
                threshold=threshold,
                count=count,
                number=number,
                master_id=key.id,
                halves=(first, second),
            )
        )
        for (number, first), (_, second) in zip(*halves, strict=True)
    )


def combine_shares(texts: Iterable[str]) -> MasterKey:
    """Return the master key that shares make; more than are needed do no harm.

    Raises `ShareRefused` for a share that was copied wrongly, for shares of different sets, for too
    few, and for some that make another key than they say.
    """
    shares = {share.number: share for share in map(read_share, texts)}
    if not shares:
        raise ShareRefused("no share was given")
    first = next(iter(shares.values()))
    for share in shares.values():
        if (share.set_id, share.master_id) != (first.set_id, first.master_id):
            raise ShareRefused(
                f"shares {first.number} and {share.number} are of different sets",
                next_step="use shares that were made at the same time",
            )
    if len(shares) < first.threshold:
        raise ShareRefused(
            f"{len(shares)} of {first.threshold} needed shares were given",
            next_step="ask more of the people who keep shares",
        )
    chosen = list(shares.values())[: first.threshold]
    secret = b"".join(
        Shamir.combine([(share.number, share.halves[half]) for share in chosen], ssss=False)
        for half in (0, 1)
    )
    key = MasterKey(secret)
    if key.id != first.master_id:
        raise ShareRefused("these shares do not make the key that they name")
    return key


def read_share(text: str) -> Share:
    """Take a share apart, however it was spaced or typed; raises `ShareRefused`."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not plain.startswith(_PREFIX):
        raise ShareRefused("a share begins with atesta1")
    letters = plain.removeprefix(_PREFIX).translate(_LOOKALIKES)
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        data = b""
    body, check = data[:-_CHECK_SIZE], data[-_CHECK_SIZE:]
    if len(data) != _SIZE or _compute_check(body) != check:
        raise ShareRefused(
            "a share is not complete or has a wrong letter", next_step="compare it with the paper"
        )
    set_id, rest = body[:_SET_SIZE], body[_SET_SIZE:]
    master_id, halves = rest[3 : 3 + MASTER_ID_SIZE], rest[3 + MASTER_ID_SIZE :]
    return Share(
        set_id=set_id,
        threshold=rest[0],
        count=rest[1],
        number=rest[2],
        master_id=master_id,
        halves=(halves[:_HALF], halves[_HALF:]),
    )


def _write(share: Share) -> str:
    body = b"".join(
        (
            share.set_id,
            bytes((share.threshold, share.count, share.number)),
            share.master_id,
            *share.halves,
        )
    )
    letters = base64.b32encode(body + _compute_check(body)).decode().rstrip("=")
    groups = [letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP)]
    return "-".join((_PREFIX.lower(), *groups))


def _compute_check(body: bytes) -> bytes:
    return hashlib.sha256(b"atesta-share-1" + body).digest()[:_CHECK_SIZE]
