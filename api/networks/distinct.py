"""Whether each ledger of an API is the one that its settings mean, and none is served twice.

Documents and vault name a ledger by its block 0. Two ledgers of one API with the same block 0 could
not be told apart, and an address that was meant for the shared ledger but leads to the own one
would let everything be sent to the wrong one. So a ledger answers only after its block 0 was
compared with that of the settings, where they name one, and with those of all others;
`api.networks.checked` says when it is done again.
"""

from collections.abc import Sequence

from api.errors import UpstreamFault
from api.networks.checked import CheckedRpc
from api.networks.guard import WrongNetwork
from api.web3_provider import RawRpc


class WrongLedger(WrongNetwork):
    """Another ledger answers than the one meant.

    `setting` is the member of `[[api.ledgers]]` to correct.
    """

    def __init__(self, reason: str, *, setting: str) -> None:
        super().__init__(reason)
        self.setting = setting


class DistinctRpc(CheckedRpc):
    """`RawRpc` of a further ledger that answers only while it is the right one.

    Calls raise `WrongLedger` while it is another.
    """

    def __init__(self, inner: RawRpc, own: RawRpc, *, name: str, expected: bytes | None) -> None:
        """Guard `inner`; `expected` is the hash of its block 0, None to take any but another's."""
        super().__init__(inner)
        self.name = name
        self.others: Sequence[DistinctRpc] = ()
        """The other further ledgers; set once all of them are known."""
        self._own = own
        self._expected = expected

    async def _check(self) -> bool:
        genesis = await _read_genesis(self.inner)
        if self._expected is not None and genesis != self._expected:
            raise WrongLedger(
                f"the ledger {self.name} begins with block 0 0x{genesis.hex()}, the settings say "
                f"0x{self._expected.hex()}",
                setting="genesis_hash",
            )
        for other in self.others:
            try:
                found = await _read_genesis(other.inner)
            except UpstreamFault:
                # It makes the same comparison once it is back.
                continue
            if found == genesis:
                raise self._refuse_twin(other.name)
        try:
            own = await _read_genesis(self._own)
        except UpstreamFault:
            # The own ledger compares nothing itself, so this one has to, once that is back.
            return False
        if own == genesis:
            raise self._refuse_twin("the own ledger")
        return True

    def _refuse_twin(self, other: str) -> WrongLedger:
        return WrongLedger(
            f"the ledger {self.name} is the same as {other}: both begin with the same block 0",
            setting="rpc_url",
        )


async def _read_genesis(raw: RawRpc) -> bytes:
    genesis = await raw.call("eth_getBlockByNumber", "0x0", False)
    if genesis is None:
        raise UpstreamFault("the ledger node has no block 0", code="block_missing")
    return bytes.fromhex(genesis["hash"][2:])
