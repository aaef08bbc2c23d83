"""Which purposes and legal bases the ledger has, for those who open personal data for one of them.

A basis counts whatever its state: data are kept under it, and so read for it, after it has ended.
"""

from collections import OrderedDict
from typing import Any, Final

from api.access.purposes import PURPOSE_WORDS, refuse_unknown
from api.ledger import Ledger
from contracts import codec
from contracts.addresses import BASES_NAME, CATALOGUE_NAME
from contracts.codes import RecordKind

MAX_KNOWN: Final = 1_000
"""Purposes whose being on the ledger is remembered."""


class PurposeRegister:
    """Which purposes and bases the ledger has; one that was published stays so for ever."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[str, None] = OrderedDict()

    async def check(self, purpose: str) -> None:
        """Raise `PurposeRefused` for a uid of which the last final block knows neither."""
        if purpose in PURPOSE_WORDS or purpose in self._known:
            return
        uid = bytes.fromhex(purpose.removeprefix("0x"))
        text = await self._read(CATALOGUE_NAME, "text", uid)
        if text["state"] == 0 or text["kind"] != RecordKind.PURPOSE:
            basis = await self._read(BASES_NAME, "basis", uid)
            if basis["state"] == 0:
                raise refuse_unknown()
        self._known[purpose] = None
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    async def _read(self, contract: str, function: str, uid: bytes) -> Any:
        output = await self._ledger.call(
            self._ledger.book.get_address(contract), codec.encode_call(contract, function, (uid,))
        )
        return codec.decode_output(contract, function, output)
