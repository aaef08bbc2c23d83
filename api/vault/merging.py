"""Merging: saying that two records of persons mean one, which takes two officers.

A wrong match shows one person's data as another's, so nobody does it alone. One officer proposes
that a handle shall mean a person, with a reason; a different one approves or refuses. Both are
written down, with what stood there before, so that a merge can be reversed, again by two.

The journal has two parts. In the table `merges` stands who did what and when; what is said of
persons (handle, reference, reason, the records before) is a sealed material of the merge. Nothing
of it goes on the chain: there a merge would itself be a fact about one person.

The order of an approval: the decision is noted in one transaction that only the first can win; the
records that stood before are kept; the change is made; the merge is marked as applied. Whoever
approved may send the approval again after a crash, and the rest is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from atesta_client.envelopes import seal_envelope
from sqlalchemy import Connection, Row, insert, select, update

from api.databases import Database
from api.errors import NotFound, UserFault
from api.vault.materials import Material, Materials
from api.vault.subjects import Subject, SubjectConflict, Subjects
from api.vault.tables import MERGES

MERGE_ROLE: Final = "subject_merge"
"""Role of what a merge says of persons; its reference is the handle."""

_KIND: Final = "subject-merge"

_PERSON: Final = "person:"
"""Before the journal's name of a person; no label begins so and means one."""


class MergeState(StrEnum):
    """How far a merge is."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    APPROVED = "approved"
    """Decided, and not carried out yet: the process died. Approving again carries it out."""
    APPLIED = "applied"


class MergeConflict(UserFault):
    """A merge is not in a state for this."""

    status = 409

    def __init__(self, reason: str, *, code: str, next_step: str) -> None:
        super().__init__(reason, code=code, field="uid", next_step=next_step)


class SameOfficer(UserFault):
    """Who decides may be who proposed."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "another officer than the one who proposed a merge decides it",
            code="same_officer",
            next_step=(
                "let another officer decide; where the operator says who acts by the one's token,"
                " the other's must say it too"
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge as the journal has it, without what it says of persons."""

    sequence: int
    uid: bytes
    state: MergeState
    proposer: str
    proposed_s: int
    decider: str | None
    decided_s: int | None
    reverses: bytes | None
    """The merge that it takes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who proposes or decides."""

    label: str
    """The caller's; one person may have several."""
    person: str | None = None
    """Who acts by it, where the operator said."""

    @property
    def name(self) -> str:
        """Under what the journal knows the officer."""
        return self.label if self.person is None else f"{_PERSON}{self.person}"

    def may_be(self, name: str) -> bool:
        """Return whether the journal's name may mean this officer, who comes by several labels.

        Two persons are told apart by their numbers, two labels as labels; of a person and a label
        nobody knows.
        """
        return name == self.name or (self.person is None) is name.startswith(_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeContent:
    """What a merge says of persons."""

    subject: Subject
    """What the handle shall mean; of a reversal, what it means until then."""
    reason: str
    before: tuple[Subject, ...] | None
    """The records whose place was taken; None until it is approved."""


class Merges:
    """The merges of one agency."""

    def __init__(
        self, database: Database, materials: Materials, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._materials = materials
        self._subjects = Subjects(materials, random_bytes)
        self._random_bytes = random_bytes

    async def propose(
        self,
        subject: Subject,
        *,
        reason: str,
        proposer: Officer,
        now_s: int,
        reverses: bytes | None = None,
    ) -> Merge:
        """Propose that a handle shall mean a person; changes no matching record."""
        if reverses is None and await self._subjects.find(subject.handle) == subject:
            raise SubjectConflict(
                "the handle means this person already",
                field="handle",
                next_step="nothing is to be merged",
            )
        uid = self._random_bytes(32)
        await self._keep(uid, MergeContent(subject=subject, reason=reason, before=None), now_s)

        def add(connection: Connection) -> None:
            connection.execute(
                insert(MERGES).values(
                    uid=uid,
                    state=MergeState.PROPOSED,
                    proposer=proposer.name,
                    proposed_s=now_s,
                    reverses=reverses,
                )
            )

        await self._database.write(add)
        return await self.get(uid)

    async def reverse(self, uid: bytes, *, reason: str, proposer: Officer, now_s: int) -> Merge:
        """Propose to take back a merge that was applied; raises `MergeConflict`."""
        merge = await self.get(uid)
        if merge.state is not MergeState.APPLIED or merge.reverses is not None:
            raise MergeConflict(
                "only a merge that was applied can be taken back",
                code="merge_not_applied",
                next_step="propose a new merge instead",
            )
        content = await self.open(uid)
        return await self.propose(
            content.subject, reason=reason, proposer=proposer, now_s=now_s, reverses=uid
        )

    async def decide(self, uid: bytes, *, approve: bool, decider: Officer, now_s: int) -> Merge:
        """Approve and carry out a merge, or refuse it.

        Raises `SameOfficer` for whoever proposed it, `MergeConflict` for one that is decided, and
        `SubjectConflict` for a reversal of what has changed since.
        """
        merge = await self.get(uid)
        if decider.may_be(merge.proposer):
            raise SameOfficer
        if approve and merge.reverses is not None and merge.state is MergeState.PROPOSED:
            await self._check_unchanged(merge.reverses)
        wanted = MergeState.APPROVED if approve else MergeState.REFUSED
        taken = await self._database.write(
            lambda c: (
                c.execute(
                    update(MERGES)
                    .where(MERGES.c.uid == uid, MERGES.c.state == MergeState.PROPOSED)
                    .values(state=wanted, decider=decider.name, decided_s=now_s)
                ).rowcount
            )
        )
        merge = await self.get(uid)
        is_same = merge.decider == decider.name
        if not taken and (merge.state is not wanted or not is_same):
            if merge.state is MergeState.APPLIED and approve and is_same:
                return merge
            raise MergeConflict(
                "this merge is decided",
                code="merge_decided",
                next_step="read it; to change it, propose another or its reversal",
            )
        if merge.state is MergeState.APPROVED:
            await self._apply(merge, now_s)
        return await self.get(uid)

    async def get(self, uid: bytes) -> Merge:
        """Return a merge; raises `NotFound`."""
        row = await self._database.read(
            lambda c: c.execute(select(MERGES).where(MERGES.c.uid == uid)).one_or_none()
        )
        if row is None:
            raise NotFound("this vault has no such merge", field="uid", code="merge_not_found")
        return _read(row)

    async def open(self, uid: bytes) -> MergeContent:
        """Return what a merge says of persons; raises `NotFound`, also once it was erased."""
        envelope = await self._materials.find(uid, MERGE_ROLE)
        if envelope is None:
            raise NotFound(
                "what this merge says of persons was erased", field="uid", code="merge_not_found"
            )
        body: dict[str, Any] = dict(envelope.body)
        before = body["before"]
        return MergeContent(
            subject=_decode(body["subject"]),
            reason=body["reason"],
            before=None if before is None else tuple(map(_decode, before)),
        )

    async def get_page(
        self, *, state: MergeState | None, limit: int, before: int | None
    ) -> list[Merge]:
        """Return merges, newest first, without what they say of persons."""
        query = select(MERGES).order_by(MERGES.c.sequence.desc()).limit(limit)
        if state is not None:
            query = query.where(MERGES.c.state == state)
        if before is not None:
            query = query.where(MERGES.c.sequence < before)
        return await self._database.read(lambda c: [_read(row) for row in c.execute(query)])

    async def _apply(self, merge: Merge, now_s: int) -> None:
        content = await self.open(merge.uid)
        if content.before is None:
            content = MergeContent(
                subject=content.subject,
                reason=content.reason,
                before=await self._find_before(content.subject),
            )
            await self._keep(merge.uid, content, now_s)
        assert content.before is not None, "it was kept just now"
        if merge.reverses is None:
            for earlier in content.before:
                if earlier.handle != content.subject.handle:
                    await self._subjects.drop(earlier.handle)
            await self._subjects.assign((content.subject,), now_s=now_s)
        else:
            restored = (await self.open(merge.reverses)).before
            assert restored is not None, "an applied merge says what stood before"
            if all(one.handle != content.subject.handle for one in restored):
                await self._subjects.drop(content.subject.handle)
            await self._subjects.assign(restored, now_s=now_s)
        query = update(MERGES).where(MERGES.c.uid == merge.uid)

        def mark(connection: Connection) -> None:
            connection.execute(query.values(state=MergeState.APPLIED))

        await self._database.write(mark)

    async def _find_before(self, subject: Subject) -> tuple[Subject, ...]:
        """Return the records that a merge takes the place of."""
        found = (
            await self._subjects.find(subject.handle),
            *await self._subjects.list_by_reference(subject.counterparty, subject.reference),
        )
        return tuple(dict.fromkeys(one for one in found if one is not None))

    async def _check_unchanged(self, uid: bytes) -> None:
        subject = (await self.open(uid)).subject
        if await self._subjects.find(subject.handle) != subject:
            raise SubjectConflict(
                "the handle has been given another meaning since",
                field="handle",
                next_step="propose a new merge instead of taking this one back",
            )

    async def _keep(self, uid: bytes, content: MergeContent, now_s: int) -> None:
        body = {
            "subject": _encode(content.subject),
            "reason": content.reason,
            "before": None if content.before is None else list(map(_encode, content.before)),
        }
        material = Material(
            uid=uid,
            role=MERGE_ROLE,
            envelope=seal_envelope(_KIND, body, self._random_bytes),
            reference=content.subject.handle.hex(),
        )
        await self._materials.put((material,), now_s=now_s)


def _encode(subject: Subject) -> dict[str, str]:
    return {
        "handle": subject.handle.hex(),
        "counterparty": subject.counterparty.hex(),
        "reference": subject.reference,
    }


def _decode(body: dict[str, str]) -> Subject:
    return Subject(
        handle=bytes.fromhex(body["handle"]),
        counterparty=bytes.fromhex(body["counterparty"]),
        reference=body["reference"],
    )


def _read(row: Row[Any]) -> Merge:
    return Merge(
        sequence=row.sequence,
        uid=bytes(row.uid),
        state=MergeState(row.state),
        proposer=row.proposer,
        proposed_s=row.proposed_s,
        decider=row.decider,
        decided_s=row.decided_s,
        reverses=None if row.reverses is None else bytes(row.reverses),
    )
