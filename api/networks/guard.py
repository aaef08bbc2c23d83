"""Whether the network behind the API is the one that the deployment file is of.

An address says nothing by itself: on another chain it may belong to anybody. So before anything is
read or sent, chain id and block 0 are compared, and the code at every address. An implementation
that a vote of the agencies replaced since is no fault: the proxy's own code allows no other way.
`api.networks.checked` says when it is done again.
"""

from dataclasses import dataclass
from typing import Final

import structlog
from eth_utils.crypto import keccak

from api.errors import UpstreamFault
from api.networks.checked import CheckedRpc
from api.web3_provider import RawCall, RawRpc
from contracts.addresses import IMPLEMENTATION_SLOT
from contracts.deployment import Deployment

log = structlog.get_logger(__name__)

_NEXT_STEP: Final = "the operator checks which network and which deployment file the API is given"


class WrongNetwork(UpstreamFault):
    """The network is not the one that the deployment file is of; no answer of it can be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code="wrong_network", next_step=_NEXT_STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCheck:
    """What was found beside what had to be."""

    upgraded: tuple[str, ...]
    """Contracts whose implementation was replaced by vote."""


async def check_network(raw: RawRpc, deployment: Deployment) -> NetworkCheck:
    """Compare a network with a deployment; raises WrongNetwork, or UpstreamFault if it is away."""
    await check_chain(raw, deployment)
    if not deployment.is_complete:
        raise WrongNetwork("the deployment is not complete: the founding is still open")
    placement = deployment.placement
    proxies = list(placement.book.by_name.items())
    slots: list[RawCall] = [
        ("eth_getStorageAt", ("0x" + proxy.hex(), hex(IMPLEMENTATION_SLOT), "latest"))
        for _, proxy in proxies
    ]
    current = [bytes.fromhex(word[2:]).rjust(32, b"\0")[12:] for word in await raw.batch(slots)]
    upgraded = tuple(
        name
        for (name, _), implementation in zip(proxies, current, strict=True)
        if implementation != placement.implementations[name]
    )
    expected = {
        address: digest
        for address, digest in deployment.code_hashes.items()
        if address not in {placement.implementations[name] for name in upgraded}
    }
    calls: list[RawCall] = [
        ("eth_getCode", ("0x" + address.hex(), "latest")) for address in expected
    ]
    for code, (address, digest) in zip(await raw.batch(calls), expected.items(), strict=True):
        if keccak(bytes.fromhex(code[2:])) != digest:
            what = "no code" if code == "0x" else "other code than was deployed"
            raise WrongNetwork(f"there is {what} at 0x{address.hex()}")
    return NetworkCheck(upgraded=upgraded)


async def check_chain(raw: RawRpc, deployment: Deployment) -> None:
    """Compare chain id and block 0; raises WrongNetwork."""
    chain_id = int(await raw.call("eth_chainId"), 16)
    if chain_id != deployment.chain_id:
        raise WrongNetwork(
            f"the network's chain id is {chain_id}; the deployment is on {deployment.chain_id}"
        )
    genesis = await raw.call("eth_getBlockByNumber", "0x0", False)
    if genesis is None or bytes.fromhex(genesis["hash"][2:]) != deployment.genesis_hash:
        raise WrongNetwork("the network begins with another block 0 than that of the deployment")


class GuardedRpc(CheckedRpc):
    """`RawRpc` that answers only while the network behind it is the right one.

    Calls raise `WrongNetwork` while it is another.
    """

    def __init__(self, inner: RawRpc, deployment: Deployment) -> None:
        super().__init__(inner)
        self._deployment = deployment

    async def _check(self) -> bool:
        found = await check_network(self.inner, self._deployment)
        if found.upgraded:
            log.info("contracts upgraded by vote", contracts=found.upgraded)
        return True
