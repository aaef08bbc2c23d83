"""What the registry said: asked once, and again after an event that may have changed it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from api.databases import Database, open_database
from api.index.draft import Draft
from api.index.events import REGISTRY_CHANGES, REGISTRY_UPGRADES
from api.index.registry_memory import RegistryMemory
from api.index.tables import CURSOR, LOGS_PER_BLOCK, METADATA
from api.ledger import Ledger
from scripts.scaling.chain import MadeChain
from scripts.scaling.sizes import Plan, Sizes

AGENCIES = 3
PLAN = Plan(seed=7, sizes=Sizes(agencies=AGENCIES, datasets=3, entities=1, consents=4))
ISSUER = PLAN.get_agency(1)


class CountedChain(MadeChain):
    """A node that counts what the contracts are asked."""

    def __init__(self) -> None:
        super().__init__(PLAN)
        self.asked = 0

    async def call(self, method: str, *arguments: Any) -> Any:
        self.asked += method == "eth_call"
        return await super().call(method, *arguments)


@pytest.fixture
def chain() -> CountedChain:
    return CountedChain()


@pytest.fixture
def database(tmp_path: Path, chain: CountedChain) -> Iterator[Database]:
    opened = open_database(tmp_path / "index", METADATA)
    cursor = {"id": 1, "number": chain.last_block, "hash": bytes(32), "genesis_hash": bytes(32)}
    opened.write_now(lambda c: c.execute(insert(CURSOR).values(**cursor)))
    yield opened
    opened.close()


@pytest.fixture
def memory(chain: CountedChain, database: Database) -> RegistryMemory:
    return RegistryMemory(
        ledger=Ledger(chain),
        index=database,
        changes=REGISTRY_CHANGES,
        upgrades=REGISTRY_UPGRADES,
    )


def tell(database: Database, kind: str, agency: bytes, block: int) -> None:
    """Put an event of an agency into the index."""
    line = {"position": block * LOGS_PER_BLOCK, "kind": kind, "uid": agency, "agency": agency}

    def write(connection: Any) -> None:
        draft = Draft(connection)
        draft.add_line({**line, "block": block, "transaction_hash": bytes(32)})
        draft.write()

    database.write_now(write)


def follow(database: Database, block: int) -> None:
    """Let the index stand at a block."""
    database.write_now(lambda c: c.execute(update(CURSOR).values(number=block)))


async def read_all(memory: RegistryMemory) -> None:
    moment = await memory.get_moment()
    ids = await memory.get_ids(moment)
    agencies = await memory.get_agencies(ids, moment)
    assert [agency and agency.id for agency in agencies] == ids
    for number, agency_id in enumerate(ids):
        (key,) = await memory.get_keys(agency_id, moment)
        assert key.address == PLAN.get_key(number)
        assert await memory.get_key(key.address, moment) == key
    assert await memory.get_key(bytes(20), moment) is None


async def test_registry_is_asked_once_while_nothing_changes(
    chain: CountedChain, memory: RegistryMemory
) -> None:
    await read_all(memory)
    asked = chain.asked
    assert asked > AGENCIES
    await read_all(memory)
    assert chain.asked == asked


@pytest.mark.parametrize(
    ("kind", "agencies"),
    [("agency.key_revoked", 1), ("agency.roles", 1), ("proposal.executed", AGENCIES)],
)
async def test_change_of_the_registry_is_asked_for(
    chain: CountedChain, memory: RegistryMemory, database: Database, kind: str, agencies: int
) -> None:
    await read_all(memory)
    asked = chain.asked
    tell(database, kind, PLAN.get_agency(0), chain.last_block)
    await read_all(memory)
    # Of the others' keys nothing has changed: how many, which one, what of it.
    assert chain.asked == 2 * asked - 3 * (AGENCIES - agencies)


async def test_keys_of_residents_are_not_asked_for(
    chain: CountedChain, memory: RegistryMemory
) -> None:
    await read_all(memory)
    asked, moment = chain.asked, await memory.get_moment()
    for number in range(100):
        assert await memory.get_key(PLAN.address("holder", number), moment) is None
    assert chain.asked == asked


async def test_attestation_is_counted_for_its_issuer_alone(
    chain: CountedChain, memory: RegistryMemory, database: Database
) -> None:
    await read_all(memory)
    asked = chain.asked
    follow(database, chain.last_block + 1)
    tell(database, "attestation.created", ISSUER, chain.last_block + 1)
    await read_all(memory)
    assert chain.asked == asked + 3
    # What is not final at the moment of the answer belongs to a later answer.
    tell(database, "attestation.created", PLAN.get_agency(2), chain.last_block + 2)
    await read_all(memory)
    assert chain.asked == asked + 3
    # Only what came since is looked at: it tells of agency 2 and of no other.
    follow(database, chain.last_block + 2)
    for _ in range(2):
        await read_all(memory)
        assert chain.asked == asked + 6


async def test_copy_of_the_index_that_is_behind_hides_no_change(
    chain: CountedChain, memory: RegistryMemory, database: Database
) -> None:
    await read_all(memory)
    ids = await memory.get_ids(await memory.get_moment())
    follow(database, chain.last_block + 1)
    moment = await memory.get_moment()
    # The next questions meet a copy that has not got so far: nothing of the block is in it.
    follow(database, chain.last_block)
    await memory.get_agencies(ids, moment)
    tell(database, "attestation.created", ISSUER, chain.last_block + 1)
    follow(database, chain.last_block + 1)
    asked = chain.asked
    await memory.get_agencies(ids, moment)
    assert chain.asked == asked + 3


async def test_keys_of_a_copy_that_is_behind_are_not_remembered(
    chain: CountedChain, memory: RegistryMemory, database: Database
) -> None:
    await read_all(memory)
    follow(database, chain.last_block + 1)
    tell(database, "agency.key_added", ISSUER, chain.last_block + 1)
    moment = await memory.get_moment()
    follow(database, chain.last_block)
    await memory.get_keys(ISSUER, moment)
    follow(database, chain.last_block + 1)
    for again in (3, 0):
        asked = chain.asked
        await memory.get_keys(ISSUER, moment)
        assert chain.asked == asked + again


async def test_nothing_is_remembered_while_the_index_is_behind(
    chain: CountedChain, memory: RegistryMemory, database: Database
) -> None:
    await read_all(memory)
    follow(database, chain.last_block - 1)
    asked = chain.asked
    await read_all(memory)
    once = chain.asked - asked
    assert once >= asked
    await read_all(memory)
    assert chain.asked == asked + 2 * once
