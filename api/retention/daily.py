"""Pruning every day, and closing what is retained, inside the API's service.

Of several processes that share a vault one does it, whoever leads (`api.leadership`). It looks once
a minute. A day is done when its report is on disk: a process that was down at the hour makes up for
it when it comes back, and one that dies in the middle begins again, which finds the rest, because
pruning may be repeated. A report in another process's folder is not seen; then pruning happens
twice, and the second finds nothing.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import structlog

from api.background import run_beside
from api.durable_files import PUBLIC, replace_file
from api.errors import ApiError
from api.leadership import Leadership
from api.rest.services import RestServices
from api.retention.job import RetentionJob
from api.retention.pruning import prune
from api.retention.report import RETENTION_REPORT
from api.retention.withdrawals import RetainedWithdrawals

log = structlog.get_logger(__name__)

TURN_S: Final = 60.0
"""Pause between two looks at the clock and at the ledger."""


class DailyRetention:
    """What retention does by itself, on one API's ledgers and vault."""

    def __init__(self, services: RestServices, job: RetentionJob | None) -> None:
        """Prune as the job says; never where it is None."""
        self._services = services
        self._job = job
        self._withdrawals = [RetainedWithdrawals(one) for one in services.ledgers]

    async def turn(self) -> Path | None:
        """Close what is retained, and prune if the day's hour has come; returns a new report.

        Raises `ApiError`; the next turn tries again.
        """
        for withdrawals in self._withdrawals:
            closed = await withdrawals.turn()
            if closed:
                log.info("records restricted", count=closed)
        return await self._prune()

    async def _prune(self) -> Path | None:
        services, job = self._services, self._job
        if job is None or services.maybe_keyring is None:
            return None
        now_s = int(services.now())
        path = job.place(job.find_day(now_s))
        if await asyncio.to_thread(path.exists):
            return None
        report = await prune(
            services.maybe_keyring, services.retention, now_s=now_s, is_dry_run=False
        )
        log.info(
            "vault pruned",
            ordered=report.ordered,
            erased=report.erased,
            kept=report.findings.kept,
        )
        key = next(iter(services.issuer_keys.items()), None)
        if key is None:
            log.warning("report not signed", reason="the API has no account")
            return None
        address, signer = key
        signed = await asyncio.to_thread(
            RETENTION_REPORT.sign, report.encode(), address, signer.sign
        )
        await asyncio.to_thread(_write, path, signed)
        return path


@contextlib.asynccontextmanager
async def run_retention(services: RestServices, job: RetentionJob | None) -> AsyncIterator[None]:
    """Do it for as long as the context lasts; a node without a vault has nothing to do."""
    if services.maybe_keyring is None:
        yield
        return
    daily = DailyRetention(services, job)
    lead = Leadership(services.maybe_keyring.database, "retention")
    async with lead.run(lambda: run_beside(_loop(daily), "retention")):
        yield


async def _loop(daily: DailyRetention) -> None:
    while True:
        try:
            await daily.turn()
        except ApiError as error:
            log.warning("retention waits", reason=error.reason, code=error.code)
        except Exception:
            log.exception("retention fails")
        await asyncio.sleep(TURN_S)


def _write(path: Path, report: dict[str, Any]) -> None:
    """Write a report whole or not at all; the day counts as done once it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, (json.dumps(report, indent=1) + "\n").encode(), mode=PUBLIC)
