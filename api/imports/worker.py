"""The worker that turns waiting lines into promised acts and notes how they end.

A turn: settle what the ledger has decided; promise further groups until enough are under way; end
the import when no line is open. The worker knows nothing that is not in the database.

Each ledger of an API has a worker, which takes the imports for that ledger and signs with the
accounts there; what stops one stops no other.

Of several processes that share a vault one works for a ledger, whoever leads (`api.leadership`).
When it ends, however that is, another goes on within a second. Should two work for a moment,
nothing is done twice: a group is promised under a key of its own.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from api.access.purposes import RECORD
from api.access.reads import Reading
from api.acts.performing import build_ledger_act, check_body, open_context, prepare
from api.acts.placing import place_field
from api.background import run_beside
from api.errors import ApiError, UpstreamFault, UserFault
from api.imports.kinds import BUDGET_GAS, ImportKind, get_kind
from api.imports.parsing import Fault, describe
from api.imports.store import Group, ImportStore
from api.leadership import Leadership
from api.ledger import NO_REASON
from api.outbox.store import StoredOperation
from api.rest.refusals import translate_revert
from api.rest.services import RestServices
from api.rest.writes import build_request
from api.texts.store import store_texts

log = structlog.get_logger(__name__)

MAX_UNDER_WAY: Final = 64
"""Most groups promised and not yet final."""

TURN_S: Final = 0.5
PROBLEM_S: Final = 10.0
"""Pause after something that more lines would not mend, such as a node out of reach."""

_HOLDING: Final = {
    "account_not_live",
    "account_role_missing",
    "account_unknown",
    "agency_not_active",
    "agency_paused",
    "agency_unknown",
    "no_account",
}
"""Refusals that are about this node and no fault of a line: the import waits."""


@contextlib.asynccontextmanager
async def run_imports(services: RestServices) -> AsyncIterator[None]:
    """Work off a ledger's imports while the context lasts; a node without a vault has none."""
    if services.maybe_imports is None:
        yield
        return
    worker = ImportWorker(services, services.maybe_imports)
    is_own = services.ledger_name == services.ledgers.own.ledger_name
    name = "imports" if is_own else f"imports-{services.ledger_name}"
    lead = Leadership(services.maybe_imports.database, name)
    async with lead.run(worker.run):
        yield


class ImportHeld(Exception):
    """An import cannot go on for now; `reason` is told to whoever reads its progress."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImportWorker:
    """Works off the imports of one agency for one ledger."""

    def __init__(self, services: RestServices, store: ImportStore) -> None:
        self._services = services
        self._store = store
        self._name = secrets.token_hex(8)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Work for as long as the context lasts."""
        async with run_beside(self._loop(), "imports"):
            yield

    async def turn(self) -> bool:
        """Do one turn on the oldest running import; returns whether there is one.

        Raises `ImportHeld` where it cannot go on for now, and `UpstreamFault` while the ledger or
        the database is away.
        """
        now_s = int(self._services.now())
        import_id = await self._store.take(self._name, now_s=now_s)
        if import_id is None:
            return False
        stored = await self._store.find(import_id)
        assert stored is not None, "it was just taken"
        try:
            kind = get_kind(stored.act)
            await self._settle(import_id, kind)
            await self._promise_more(import_id, kind)
        except (ImportHeld, UpstreamFault) as held:
            await self._store.note_problem(import_id, held.reason)
            raise
        if stored.problem is not None:
            await self._store.note_problem(import_id, None)
        await self._store.finish(import_id, now_s=now_s)
        return True

    async def _loop(self) -> None:
        while True:
            self._store.added.clear()
            pause_s = PROBLEM_S
            try:
                pause_s = TURN_S if await self.turn() else PROBLEM_S
            except ImportHeld as held:
                log.warning("import waits", reason=held.reason)
            except ApiError as error:
                log.warning("import turn failed", reason=error.reason, code=error.code)
            except Exception:
                log.exception("import turn failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._store.added.wait(), pause_s)

    async def _settle(self, import_id: str, kind: ImportKind) -> None:
        finished = []
        for first, (reference, lines) in (await self._store.list_promised(import_id)).items():
            operation = await self._services.outbox.get(reference)
            assert operation is not None, "operations are never deleted"
            if operation.state == "final":
                finished.append(first)
            elif operation.state == "failed" and lines > 1:
                await self._store.split(import_id, first)
            elif operation.state == "failed":
                told = _place(kind, _describe_failure(operation))
                await self._store.reject(import_id, first, told)
        if finished:
            await self._store.mark_done(import_id, finished)

    async def _promise_more(self, import_id: str, kind: ImportKind) -> None:
        under_way = len(await self._store.list_promised(import_id))
        while under_way < MAX_UNDER_WAY:
            group = await self._store.take_group(import_id, kind.group, BUDGET_GAS)
            if group is None:
                return
            if await self._promise(kind, group):
                under_way += 1

    async def _promise(self, kind: ImportKind, group: Group) -> bool:
        """Promise a group; returns whether it is under way now."""
        outbox = self._services.outbox
        fingerprint = self._services.compute_body_fingerprint(group.key.encode())
        try:
            operation = await outbox.find(group.key, fingerprint)
            if operation is None:
                operation = await self._submit(kind, group, fingerprint)
        except UserFault as fault:
            if fault.code in _HOLDING:
                raise ImportHeld(fault.reason) from fault
            if len(group.bodies) > 1:
                await self._store.split(group.import_id, group.first)
            else:
                told = _place(kind, describe(fault))
                await self._store.reject(group.import_id, group.first, told)
            return False
        await self._store.mark_promised(group, operation.id)
        return True

    async def _submit(self, kind: ImportKind, group: Group, fingerprint: bytes) -> StoredOperation:
        act = kind.act
        reading = Reading(
            caller=group.import_id,
            method="import",
            operation=act.name,
            purpose=RECORD,
            request_id=group.import_id,
        )
        async with self._services.read_as(reading) as services:
            context = await open_context(services, None, {})
            body = check_body(act, kind.wrap(group.bodies))
            prepared = await prepare(act, context, body)
            ledger_act, keep = build_ledger_act(act, prepared, body, context)
            request = await build_request(
                services, ledger_act, key=group.key, fingerprint=fingerprint
            )
        return await services.outbox.submit(
            request,
            before=partial(keep, group.key),
            also=partial(store_texts, texts=prepared.texts, now_s=context.now_s),
        )


def _describe_failure(operation: StoredOperation) -> Fault:
    """Return why the ledger refused a line in its block."""
    refusal = translate_revert(operation.error or NO_REASON)
    assert isinstance(refusal, UserFault), "a contract's refusal is about the request"
    return describe(refusal)


def _place(kind: ImportKind, fault: Fault) -> Fault:
    """Return a fault of a line's act as one of the line, whose members have no list above them."""
    field = fault.field
    if fault.rule is not None:
        field = place_field(kind.act.name, fault.rule, field, None)
    if field is None:
        return fault
    return replace(fault, field=field.replace(".*.", ".0.", 1).removeprefix(kind.place))
