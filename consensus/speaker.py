"""The only place where this validator's key signs messages, behind the sign state.

To speak is to ask the guard, sign, and advance the guard; the record of it precedes the message in
the effects, so the host writes before it sends. What was said in the current round is remembered
for re-broadcasting.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from consensus.certificate import PreparedCertificate
from consensus.effects import Broadcast, Effect, PersistSignState
from consensus.messages import (
    Commit,
    Message,
    Prepare,
    Proposal,
    RoundChange,
    decode_message,
    encode_message,
)
from consensus.payloads import (
    MessageCode,
    PayloadT,
    Signed,
    compute_signing_hash,
    encode_payload,
    get_code,
    sign_payload,
)
from consensus.sign_state import CODE_OF_STEP, STEP_OF_CODE, SignRecord, SignState
from consensus.signatures import ValidatorKey
from consensus.types import Address, Hash32, Height

MessageT = TypeVar("MessageT", Proposal, Prepare, Commit, RoundChange)


class Speaker:
    """One validator's voice on one chain."""

    def __init__(self, key: ValidatorKey, sign_state: SignState) -> None:
        assert sign_state.record.identity.validator == key.address, "a sign state of another key"
        self._key = key
        self._sign_state = sign_state
        self._said: dict[MessageCode, Broadcast] = {}

    @property
    def address(self) -> Address:
        """Our validator address."""
        return self._key.address

    def seal(self, digest: Hash32) -> bytes:
        """Return our commit seal; it leaves only inside a commit that `say` has recorded."""
        return self._key.sign(digest)

    def say(
        self,
        payload: PayloadT,
        wrap: Callable[[Signed[PayloadT]], MessageT],
        *,
        prepared: PreparedCertificate | None,
        effects: list[Effect],
    ) -> MessageT:
        """Sign `payload`, append the record and the broadcast to `effects`, return the message.

        The very message said before is returned if this is a repetition. Raises SigningRefused.
        """
        code = get_code(payload)
        payload_rlp = encode_payload(payload)
        digest = compute_signing_hash(code, payload_rlp)
        step = STEP_OF_CODE[code]
        stored = self._sign_state.find_stored(
            height=payload.height, round_number=payload.round, step=step, digest=digest
        )
        if stored is not None:
            self._remember(Broadcast(code=code, payload=stored), effects)
            return cast("MessageT", decode_message(code, stored))
        message = wrap(sign_payload(payload, self._key, payload_rlp))
        encoded = encode_message(message)
        record = self._sign_state.advance(
            height=payload.height,
            round_number=payload.round,
            step=step,
            digest=digest,
            message=encoded,
            prepared=prepared,
        )
        effects.append(PersistSignState(record=record))
        self._remember(Broadcast(code=code, payload=encoded), effects)
        return message

    def recall(self, height: Height, effects: list[Effect]) -> tuple[SignRecord, Message] | None:
        """Return what was last said for `height` before a restart, and say it again."""
        record = self._sign_state.record
        if record.height != height or record.is_floor:
            return None
        code = CODE_OF_STEP[record.step]
        self._remember(Broadcast(code=code, payload=record.message), effects)
        return record, decode_message(code, record.message)

    def repeat(self) -> tuple[Broadcast, ...]:
        """Return what was said in the current round, to be sent once more."""
        return tuple(self._said.values())

    def forget(self) -> None:
        """Drop what was said before: a new round begins."""
        self._said.clear()

    def _remember(self, broadcast: Broadcast, effects: list[Effect]) -> None:
        self._said[broadcast.code] = broadcast
        effects.append(broadcast)
