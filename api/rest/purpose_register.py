"""Which purposes the ledger has, for those who open personal data for one of them."""

from collections import OrderedDict
from typing import Final

from api.access.purposes import PURPOSE_WORDS, refuse_unknown
from api.ledger import Ledger
from contracts import codec
from contracts.addresses import CATALOGUE_NAME
from contracts.codes import RecordKind

MAX_KNOWN: Final = 1_000
"""Purposes whose being on the ledger is remembered."""


class PurposeRegister:
    """Which purposes the ledger has; one that was published stays so for ever."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[str, None] = OrderedDict()

    async def check(self, purpose: str) -> None:
        """Raise `PurposeRefused` for a uid of which the last final block knows no purpose."""
        if purpose in PURPOSE_WORDS or purpose in self._known:
            return
        uid = bytes.fromhex(purpose.removeprefix("0x"))
        output = await self._ledger.call(
            self._ledger.book.get_address(CATALOGUE_NAME),
            codec.encode_call(CATALOGUE_NAME, "text", (uid,)),
        )
        record = codec.decode_output(CATALOGUE_NAME, "text", output)
        if record["state"] == 0 or record["kind"] != RecordKind.PURPOSE:
            raise refuse_unknown()
        self._known[purpose] = None
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
