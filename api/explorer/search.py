"""Finding a thing by any identifier that a person may hold in hand.

A height, 32 bytes (block, transaction, attestation, batch, schema or agency), 20 bytes (an
account) or the label of an agency or jurisdiction. What is typed never reaches a log.
"""

import re
from typing import Any, Final

from sqlalchemy import Connection, select

from api.explorer.chain import ChainReader
from api.explorer.facts import Hit
from api.index.index import Index
from api.index.law_queries import get_law_record
from api.index.tables import ATTESTATIONS, BATCHES, SCHEMAS
from contracts.labels import format_identifier

MAX_QUERY: Final = 100
"""Characters of a search."""

_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]+)\Z")
_TABLES: Final = (("attestation", ATTESTATIONS), ("batch", BATCHES), ("schema", SCHEMAS))


async def find(chain: ChainReader, index: Index, query: str) -> tuple[Hit, ...]:
    """Return everything that `query` names; empty if nothing."""
    text = query.strip()
    if not text or len(text) > MAX_QUERY:
        return ()
    hits: list[Hit] = []
    if text.isascii() and text.isdecimal() and len(text) < 16:
        hits.extend(await _find_height(chain, int(text)))
    match = _HEX.match(text)
    if match and len(match[1]) == 64:
        hits.extend(await _find_hash(chain, index, match[1].lower()))
    elif match and len(match[1]) == 40:
        hits.append(await _find_account(chain, "0x" + match[1].lower()))
    else:
        hits.extend(await _find_label(chain, text))
    return tuple(hits)


async def _find_height(chain: ChainReader, height: int) -> list[Hit]:
    if height > await chain.get_head():
        return []
    return [Hit(kind="block", id=str(height), label=str(height))]


async def _find_hash(chain: ChainReader, index: Index, digits: str) -> list[Hit]:
    text = "0x" + digits
    value = bytes.fromhex(digits)
    block, transaction = await chain.raw.batch(
        [("eth_getBlockByHash", (text, False)), ("eth_getTransactionByHash", (text,))]
    )
    hits: list[Hit] = []
    if block is not None:
        height = str(int(block["number"], 16))
        hits.append(Hit(kind="block", id=height, label=height))
    if transaction is not None:
        hits.append(Hit(kind="transaction", id=text, label=text))

    def read(connection: Connection) -> list[Hit]:
        found: list[Any] = [
            (kind, connection.execute(select(table.c.uid).where(table.c.uid == value)).first())
            for kind, table in _TABLES
        ]
        hits = [Hit(kind=kind, id=text, label=text) for kind, row in found if row is not None]
        if get_law_record(connection, value) is not None:
            hits.append(Hit(kind="record", id=text, label=text))
        return hits

    hits.extend(await index.read(read))
    registry = await chain.get_registry()
    if value in registry.agencies:
        hits.append(Hit(kind="agency", id=text, label=format_identifier(value)))
    return hits


async def _find_account(chain: ChainReader, address: str) -> Hit:
    party = (await chain.get_registry()).get_party(address)
    label = chain.book.find_name(bytes.fromhex(address[2:])) or party.agency_label or address
    return Hit(kind="account", id=address, label=label)


async def _find_label(chain: ChainReader, text: str) -> list[Hit]:
    wanted = text.casefold()
    registry = await chain.get_registry()
    return [
        Hit(kind="agency", id="0x" + agency.id.hex(), label=agency.label)
        for agency in registry.agencies.values()
        if wanted in agency.label.casefold()
        or wanted == format_identifier(agency.jurisdiction).casefold()
    ]
