"""Methods about the node itself, and the refusals that protect keys."""

from collections.abc import Mapping
from typing import Any, Final

from eth_hash.auto import keccak

from api.access.callers import Role
from api.errors import RPC_METHOD_NOT_SUPPORTED, InvalidField, NotFound, UserFault
from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data, write_optional_data, write_quantity
from api.jsonrpc.methods import RpcMark, RpcMethod, rpc
from api.jsonrpc.params import Params
from api.ports import Evidence, PeerStatus

MODULES: Final = ("atesta", "eth", "net", "qbft", "rpc", "txpool", "web3")

SIGNING_METHODS: Final = (
    "eth_sendTransaction",
    "eth_sign",
    "eth_signTransaction",
    "eth_signTypedData",
    "eth_signTypedData_v4",
    "personal_ecRecover",
    "personal_importRawKey",
    "personal_listAccounts",
    "personal_listWallets",
    "personal_lockAccount",
    "personal_newAccount",
    "personal_sendTransaction",
    "personal_sign",
    "personal_signTransaction",
    "personal_unlockAccount",
)
"""Asked for by old tools; all of them would need the node to hold its callers' keys."""

MAX_EVIDENCE: Final = 1_000


class NodeMethods:
    """The node, its peers, and what it saw others do wrong."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node

    @rpc("web3_clientVersion", "")
    async def client_version(self, params: Params) -> str:
        """Return program, version and platform."""
        params.check_count(0)
        return self._node.identity.client_version

    @rpc("web3_sha3", "data")
    async def sha3(self, params: Params) -> str:
        """Return keccak-256 of the data."""
        params.check_count(1)
        return write_data(keccak(params.data(0)))

    @rpc("net_version", "")
    async def net_version(self, params: Params) -> str:
        """Return the chain id in decimal digits."""
        params.check_count(0)
        return str(self._node.identity.chain_id)

    @rpc("net_listening", "")
    async def listening(self, params: Params) -> bool:
        """Return true: a running node takes connections."""
        params.check_count(0)
        return True

    @rpc("net_peerCount", "")
    async def peer_count(self, params: Params) -> str:
        """Return how many peers are connected."""
        params.check_count(0)
        return write_quantity(len(await self._node.get_peers()))

    @rpc("rpc_modules", "")
    async def modules(self, params: Params) -> dict[str, str]:
        """Return the families of methods with their versions."""
        params.check_count(0)
        return dict.fromkeys(MODULES, "1.0")

    @rpc("eth_syncing", "")
    async def syncing(self, params: Params) -> dict[str, str] | bool:
        """Return false, or how far catching up has come."""
        params.check_count(0)
        status = await self._node.get_sync_status()
        if status is None:
            return False
        return {
            "startingBlock": write_quantity(status.starting_height),
            "currentBlock": write_quantity(status.current_height),
            "highestBlock": write_quantity(status.highest_height),
        }

    @rpc("eth_accounts", "")
    async def accounts(self, params: Params) -> list[str]:
        """Return an empty list: the node holds no caller's keys."""
        params.check_count(0)
        return []

    @rpc("eth_coinbase", "")
    async def coinbase(self, params: Params) -> str | None:
        """Return the address this node seals blocks with."""
        params.check_count(0)
        return write_optional_data(self._node.identity.validator)

    @rpc("eth_mining", "")
    async def mining(self, params: Params) -> bool:
        """Return whether this node takes part in sealing blocks."""
        params.check_count(0)
        return (await self._node.get_consensus_status()).is_signing

    @rpc("eth_protocolVersion", "")
    async def protocol(self, params: Params) -> str:
        """Return the consensus protocol, for people."""
        params.check_count(0)
        return "qbft/1"

    @rpc("atesta_status", "")
    async def status(self, params: Params) -> dict[str, Any]:
        """Return identity, head, consensus, pool and peers of this node at a glance."""
        params.check_count(0)
        identity = self._node.identity
        head = await self._node.get_head()
        consensus = await self._node.get_consensus_status()
        pool = await self._node.get_mempool_status()
        return {
            "chainId": write_quantity(identity.chain_id),
            "genesisHash": write_data(identity.genesis_hash),
            "clientVersion": identity.client_version,
            "validator": write_optional_data(identity.validator),
            "validatorSetBy": "contract" if identity.contract_mode else "header votes",
            "blockPeriodSeconds": identity.block_period_s,
            "head": {
                "number": write_quantity(head.number),
                "hash": write_data(hash_of(head)),
                "timestamp": write_quantity(head.timestamp),
            },
            "consensus": {
                "height": write_quantity(consensus.height),
                "round": write_quantity(consensus.round),
                "proposer": write_optional_data(consensus.proposer),
                "validators": [write_data(address) for address in consensus.validators],
                "quorum": write_quantity(consensus.quorum),
                "signing": consensus.is_signing,
                "note": consensus.note,
            },
            "pool": {
                "pending": write_quantity(pool.pending),
                "queued": write_quantity(pool.queued),
                "bytes": write_quantity(pool.size_bytes),
            },
            "peers": len(await self._node.get_peers()),
            "syncing": await self.syncing(Params([])),
        }

    @rpc("atesta_peers", "", role=Role.AUDITOR)
    async def peers(self, params: Params) -> list[dict[str, Any]]:
        """Return the connected peers."""
        params.check_count(0)
        return [_write_peer(peer) for peer in await self._node.get_peers()]

    @rpc("atesta_evidence", "limit = 100", role=Role.AUDITOR)
    async def evidence(self, params: Params) -> list[dict[str, Any]]:
        """Return what this node holds as proof of others' misbehaviour, newest first."""
        params.check_count(1)
        limit = params.raw(0)
        if limit is None:
            limit = 100
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_EVIDENCE:
            raise InvalidField("params[0]", f"expected a number from 1 to {MAX_EVIDENCE}")
        return [_write_evidence(item) for item in await self._node.get_evidence(limit=limit)]

    @rpc("atesta_exportEvidence", "id", role=Role.AUDITOR)
    async def export_evidence(self, params: Params) -> Mapping[str, Any]:
        """Return the file that proves an act to anybody; `atesta evidence verify` checks it."""
        params.check_count(1)
        found = await self._node.export_evidence(params.hash(0))
        if found is None:
            raise NotFound(
                "this node holds no evidence with this id",
                field="params[0]",
                code="evidence_not_found",
            )
        return found

    @rpc("atesta_exportSnapshot", "block = latest", role=Role.ADMIN)
    async def export_snapshot(self, params: Params) -> Mapping[str, Any]:
        """Write the state after a final block to a file on the node's machine and say where."""
        params.check_count(1)
        header = await self._context.get_header(params.block(0), "params[0]")
        return await self._node.export_snapshot(int(header.number))


def build_refusals() -> tuple[RpcMethod, ...]:
    """Return a refusal for every method that would make the node sign for a caller."""

    async def refuse(_params: Params) -> None:
        raise UserFault(
            "the node never signs for callers",
            code="method_not_supported",
            next_step="sign in your own program and send with eth_sendRawTransaction",
            status=422,
            rpc_code=RPC_METHOD_NOT_SUPPORTED,
        )

    return tuple(
        RpcMethod(
            mark=RpcMark(
                name=name,
                arguments="",
                summary="Refused: the node never signs for callers.",
                role=Role.READER,
            ),
            handler=refuse,
        )
        for name in SIGNING_METHODS
    )


def _write_peer(peer: PeerStatus) -> dict[str, Any]:
    return {
        "id": peer.peer_id,
        "address": peer.address,
        "inbound": peer.inbound,
        "validator": write_optional_data(peer.validator),
        "head": None if peer.head_number is None else write_quantity(peer.head_number),
        "connectedSeconds": round(peer.connected_s, 1),
        "score": round(peer.score, 1),
        "roundTripMs": _round_ms(peer.round_trip_ms),
        "clockOffsetMs": _round_ms(peer.clock_offset_ms),
    }


def _round_ms(duration_ms: float | None) -> int | None:
    return None if duration_ms is None else round(duration_ms)


def _write_evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": write_data(evidence.id),
        "kind": evidence.kind,
        "height": write_quantity(evidence.height),
        "round": None if evidence.round is None else write_quantity(evidence.round),
        "offender": write_optional_data(evidence.offender),
        "details": dict(evidence.details),
    }
