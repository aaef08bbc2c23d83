"""What the vault tells a monitor: numbers of keys, records and erasures, nothing else."""

import asyncio

from sqlalchemy import Connection, func, select

from api.ports import Metric
from api.vault.keyring import Keyring, KeyringStatus
from api.vault.tables import MATERIALS, RECORDS


async def measure_vault(keyring: Keyring | None) -> tuple[Metric, ...]:
    """Return the vault's samples; none for a node without a vault."""
    if keyring is None:
        return ()
    status = await asyncio.to_thread(keyring.get_status)
    records, materials = await keyring.database.read(_count)
    return _build(status, records, materials)


def _count(connection: Connection) -> tuple[int, int]:
    # Not how many rows there are: counting a million takes a second.
    return (
        connection.execute(select(func.max(RECORDS.c.sequence))).scalar_one() or 0,
        connection.execute(select(func.max(MATERIALS.c.sequence))).scalar_one() or 0,
    )


def _build(status: KeyringStatus, records: int, materials: int) -> tuple[Metric, ...]:
    return (
        Metric(
            name="vault_last_record",
            kind="gauge",
            help="Row number of the newest credential in the vault.",
            value=records,
        ),
        Metric(
            name="vault_last_material",
            kind="gauge",
            help="Row number of the newest envelope in the vault.",
            value=materials,
        ),
        Metric(
            name="vault_erased_records_total",
            kind="counter",
            help="Records on the erasure list.",
            value=status.erased,
        ),
        Metric(
            name="vault_epochs",
            kind="gauge",
            help="Erasure epochs whose keys exist.",
            value=status.epochs,
        ),
        Metric(
            name="vault_closing_epochs",
            kind="gauge",
            help="Epochs of erased records whose keys are still to be destroyed; 0 at rest.",
            value=status.closing,
        ),
    )
