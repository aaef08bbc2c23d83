"""Subjects: the handle by which two agencies mean the same person.

For each person and each pair of agencies there is one random handle, made at first contact by
either side. Both keep a *matching record* in their vaults: the handle and the agency's own
reference of the person, such as a file number. The reference never leaves the vault; the handle
goes to the other side inside envelopes, and on the ledger it is only in salted commitments. So two
agencies can speak of a person without any number that a third one knows.

A matching record is found by handle and by reference, and whoever has the database without the
vault's key reads neither of them.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from atesta_client.envelopes import Envelope, seal_envelope

from api.errors import UserFault
from api.vault.materials import Material, Materials, ReferenceTaken

MATCH_ROLE: Final = "subject_match"
"""Role of a matching record; its reference is the pair of counterparty and own reference."""

_KIND: Final = "subject-match"
_HANDLE_SIZE: Final = 32
_TRIES: Final = 4
"""The second finds what the first one met, unless that is merged or erased at this very time."""

Result = TypeVar("Result")


class SubjectConflict(UserFault):
    """A matching record contradicts one that the vault has."""

    status = 409

    def __init__(self, reason: str, *, field: str, next_step: str) -> None:
        super().__init__(reason, code="subject_conflict", field=field, next_step=next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person as this agency and one other know it."""

    handle: bytes
    """32 random bytes, the same in both vaults."""
    counterparty: bytes
    """The id of the other agency."""
    reference: str
    """This agency's own reference of the person; it stays in the vault."""


async def look_again(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Do what notes a person once more if another one noted the same person meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return await attempt()
        except ReferenceTaken:
            continue
    return await attempt()


class Subjects:
    """The matching records of one agency, kept among its materials."""

    def __init__(
        self, materials: Materials, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._materials = materials
        self._random_bytes = random_bytes

    async def find(self, handle: bytes) -> Subject | None:
        """Return who a handle means; None if this vault does not know it."""
        return await self._read(self.get_place(handle))

    async def find_by_reference(self, counterparty: bytes, reference: str) -> Subject | None:
        """Return the subject of a person between this agency and another; None at first contact."""
        places = await self._materials.list_by_reference(
            MATCH_ROLE, _write_pair(counterparty, reference), limit=1
        )
        return await self._read(places[0]) if places else None

    async def list_by_reference(self, counterparty: bytes, reference: str) -> tuple[Subject, ...]:
        """Return all subjects of a person with another agency, the first one first.

        There is one at most, but for vaults in which two first contacts met before `take` kept
        them apart.
        """
        places = await self._materials.list_by_reference(
            MATCH_ROLE, _write_pair(counterparty, reference)
        )
        found = [await self._read(place) for place in places]
        return tuple(subject for subject in found if subject is not None)

    async def take(self, counterparty: bytes, reference: str, *, now_s: int) -> Subject:
        """Return the subject of a person, with a new handle at first contact; durable on return.

        Where two first contacts meet, the handle that is written first counts for both.
        """

        async def look() -> Subject:
            found = await self.find_by_reference(counterparty, reference)
            if found is not None:
                return found
            subject, material = self.propose(counterparty, reference)
            await self._materials.put((material,), now_s=now_s)
            # Opened, not just returned: the record of reads says who was told the handle.
            return await self.find(subject.handle) or subject

        return await look_again(look)

    async def match(
        self, handle: bytes, counterparty: bytes, reference: str, *, now_s: int
    ) -> Subject:
        """Note that a handle of another agency belongs to a person of this one.

        Only where neither is known yet: what contradicts a record is a merge of two persons, which
        takes two officers (`api.vault.merging`). Raises `SubjectConflict`.
        """
        return await look_again(partial(self._match, handle, counterparty, reference, now_s=now_s))

    async def _match(
        self, handle: bytes, counterparty: bytes, reference: str, *, now_s: int
    ) -> Subject:
        subject = Subject(handle=handle, counterparty=counterparty, reference=reference)
        known = await self.find(handle)
        if known == subject:
            return subject
        if known is not None:
            raise SubjectConflict(
                "this handle belongs to another person or another agency here",
                field="handle",
                next_step="ask the other agency which person it means; then propose a merge",
            )
        if await self.find_by_reference(counterparty, reference) is not None:
            raise SubjectConflict(
                "this person has another handle with this agency",
                field="reference",
                next_step=(
                    "agree on one handle: tell the other agency yours, or propose a merge with"
                    " POST /v1/subjects/merges, which another officer approves"
                ),
            )
        await self._materials.put((self._seal(subject, is_first=True),), now_s=now_s)
        return subject

    async def assign(self, subjects: Sequence[Subject], *, now_s: int) -> None:
        """Write matching records, each in place of what its handle meant before."""
        await self._materials.put(tuple(map(self._seal, subjects)), now_s=now_s)

    async def drop(self, handle: bytes) -> None:
        """Forget what a handle means."""
        await self._materials.discard(self.get_place(handle))

    def propose(self, counterparty: bytes, reference: str) -> tuple[Subject, Material]:
        """Return a subject with a new handle, and the matching record to keep; stores nothing.

        Keeping it raises `ReferenceTaken` if the person has got another handle meanwhile: whoever
        does so uses `look_again`.
        """
        handle = self._random_bytes(_HANDLE_SIZE)
        subject = Subject(handle=handle, counterparty=counterparty, reference=reference)
        return subject, self._seal(subject, is_first=True)

    def get_place(self, handle: bytes) -> bytes:
        """Return the uid under which a handle's record stands; it does not tell the handle."""
        return self._materials.derive_salt(_KIND, handle.hex())

    def _seal(self, subject: Subject, *, is_first: bool = False) -> Material:
        body = {
            "handle": "0x" + subject.handle.hex(),
            "counterparty": "0x" + subject.counterparty.hex(),
            "reference": subject.reference,
        }
        envelope: Envelope = seal_envelope(_KIND, body, self._random_bytes)
        return Material(
            uid=self.get_place(subject.handle),
            role=MATCH_ROLE,
            envelope=envelope,
            reference=_write_pair(subject.counterparty, subject.reference),
            is_lasting=True,
            is_first=is_first,
        )

    async def _read(self, place: bytes) -> Subject | None:
        envelope = await self._materials.find(place, MATCH_ROLE)
        if envelope is None:
            return None
        return Subject(
            handle=bytes.fromhex(str(envelope.body["handle"])[2:]),
            counterparty=bytes.fromhex(str(envelope.body["counterparty"])[2:]),
            reference=str(envelope.body["reference"]),
        )


def _write_pair(counterparty: bytes, reference: str) -> str:
    return f"{counterparty.hex()}:{reference}"
