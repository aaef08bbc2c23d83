"""What the node says of itself: consensus, peers, sync, metrics, in the API's terms.

Everything here is called on the event loop and answers from memory.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator

import structlog

from api.ports import ConsensusStatus, Evidence, Metric, PeerStatus, SyncStatus, Vote
from consensus.evidence import Evidence as ConsensusEvidence
from consensus.extra_data import VoteType
from consensus.header import BlockHeader
from consensus.proposer import select_proposer
from consensus.quorum import compute_quorum
from consensus.resilience import compute_resilience, describe_resilience
from consensus.types import Address, Height, Round
from node.daemon.evidence_desk import describe_contradiction, describe_intrusion
from node.daemon.intruders import Intrusion
from node.evidence.naming import KINDS
from node.network.network import Network
from node.validator.host import ValidatorHost
from node.validator.pending_votes import PendingVotes

_log = structlog.get_logger(__name__)

_COUNTERS_HELP = {
    "blocks_imported_total": "Blocks made final at this node since its start.",
    "transactions_imported_total": "Transactions in these blocks.",
    "rounds_total": "Consensus rounds entered.",
    "messages_rejected_total": "Consensus messages that broke a rule.",
    "signing_skipped_total": "Messages of ours that the sign state forbade.",
    "block_jobs_failed_total": "Failed attempts to build, validate or import a block.",
}


class NodeObserver:
    """Counts and logs what happens in consensus; the validator's `Observer`."""

    def __init__(self, blame: Callable[[str | None, Address, str], None] | None = None) -> None:
        """Begin at zero; `blame` hears of every message that broke a rule, as `on_rejected`."""
        self._blame = blame
        self._counters: Counter[str] = Counter()
        self._evidence: Counter[str] = Counter()
        self.proposer: Address | None = None
        """Whose turn it is in the current round."""

    def on_round(self, height: Height, round_number: Round, proposer: Address) -> None:
        """Note that a round began."""
        self.proposer = proposer
        self._counters["rounds_total"] += 1
        if round_number > 0:
            _log.info("round_started", height=height, round=round_number, proposer=proposer)

    def on_rejected(self, source: str | None, author: Address, reason: str) -> None:
        """Note that a message broke a rule; `source` is the peer that brought it, if known."""
        self._counters["messages_rejected_total"] += 1
        _log.debug("message_rejected", peer_id=source, signer=author, reason=reason)
        if self._blame is not None:
            self._blame(source, author, reason)

    def on_signing_skipped(self, reason: str) -> None:
        """Note that the sign state forbade one of our messages."""
        self._counters["signing_skipped_total"] += 1
        _log.info("signing_skipped", reason=reason)

    def on_evidence(self, evidence: ConsensusEvidence) -> None:
        """Note that a validator contradicted itself."""
        self._on_act(describe_contradiction(evidence))

    def on_intrusions(self, intrusions: tuple[Intrusion, ...]) -> None:
        """Note that a proposer let in senders who are not permitted."""
        for item in intrusions:
            self._on_act(describe_intrusion(item))

    def on_trouble(self, job: str, error: BaseException) -> None:
        """Note that a block job failed."""
        self._counters["block_jobs_failed_total"] += 1
        _log.warning("block_job_failed", kind=job, exc_info=error)

    def on_block(self, transactions: int) -> None:
        """Note a final block."""
        self._counters["blocks_imported_total"] += 1
        self._counters["transactions_imported_total"] += transactions

    def get_metrics(self) -> Iterator[Metric]:
        """Yield the counters."""
        for name, text in _COUNTERS_HELP.items():
            yield Metric(name=name, kind="counter", help=text, value=self._counters[name])
        for kind in KINDS:  # also those never seen, so that an alert can watch them
            yield Metric(
                name="evidence_total",
                kind="counter",
                help="Acts of others kept as evidence since the start.",
                value=self._evidence[kind],
                labels=(("kind", kind),),
            )

    def _on_act(self, evidence: Evidence) -> None:
        self._evidence[evidence.kind] += 1
        _log.warning(
            "evidence",
            evidence=evidence.id,
            kind=evidence.kind,
            height=evidence.height,
            round=evidence.round,
            offender=evidence.offender,
        )


class NodeStatus:
    """Answers the API's questions about the node itself."""

    def __init__(
        self,
        *,
        host: ValidatorHost,
        network: Network,
        observer: NodeObserver,
    ) -> None:
        self._host = host
        self._network = network
        self._observer = observer
        self._head: BlockHeader | None = None
        self._validators: tuple[Address, ...] = ()

    def set_head(self, header: BlockHeader, validators: tuple[Address, ...]) -> None:
        """Remember the head and who may seal the block after it.

        Another number of validators is logged, with what it survives.
        """
        if validators and len(validators) != len(self._validators):
            said = describe_resilience(len(validators))
            if compute_resilience(len(validators)).faulty:
                _log.info("resilience", resilience=said)
            else:
                _log.warning("resilience", resilience=said)
        self._head = header
        self._validators = validators

    def get_consensus(self) -> ConsensusStatus:
        """Return where consensus stands."""
        host, head = self._host, self._head
        assert head is not None, "set_head comes first"
        proposer = None
        if self._validators:
            parent = head.coinbase if head.number else None
            proposer = select_proposer(parent, self._validators, host.round)
        return ConsensusStatus(
            height=head.number + 1,
            round=host.round,
            proposer=proposer,
            validators=self._validators,
            quorum=compute_quorum(len(self._validators)),
            is_signing=host.is_signing,
            note=host.note,
        )

    def get_peers(self) -> Iterator[PeerStatus]:
        """Yield the connected peers."""
        now_s = time.time()
        for peer in self._network.peers():
            yield PeerStatus(
                peer_id=peer.peer_id,
                address=str(peer.address),
                inbound=not peer.outbound,
                validator=peer.signer if peer.signer in self._validators else None,
                head_number=peer.head_number,
                connected_s=max(0.0, now_s - peer.connected_at_s),
                score=peer.score,
                round_trip_ms=peer.round_trip_ms,
                clock_offset_ms=peer.clock_offset_ms,
            )

    def get_sync(self) -> SyncStatus | None:
        """Return the progress of catching up; None when level with the peers."""
        progress = self._network.sync_progress
        if progress is None:
            return None
        return SyncStatus(
            starting_height=progress.start,
            current_height=progress.current,
            highest_height=progress.target,
        )

    def get_metrics(self) -> Iterator[Metric]:
        """Yield the samples of consensus and network."""
        host = self._host
        gauges = {
            "consensus_round": ("The current round.", float(host.round)),
            "consensus_signing": ("1 while this node signs.", float(host.is_signing)),
            "validators": ("Size of the validator set.", float(len(self._validators))),
        }
        for name, (text, value) in gauges.items():
            yield Metric(name=name, kind="gauge", help=text, value=value)
        yield from self._observer.get_metrics()
        for name, value in self._network.metrics.snapshot().items():
            yield Metric(
                name=f"network_{name}",
                kind="gauge",
                help="See node/network/metrics.py.",
                value=value,
            )


class HeaderVotes:
    """The standing votes of a network in header-vote mode, in the API's terms."""

    def __init__(self, votes: PendingVotes) -> None:
        self._votes = votes

    def get_votes(self) -> Iterator[Vote]:
        """Yield the votes that coming proposals carry."""
        for recipient, kind in self._votes.get_all().items():
            yield Vote(recipient=recipient, add=kind is VoteType.ADD)

    def propose(self, vote: Vote) -> None:
        """Vote in coming proposals."""
        self._votes.propose(vote.recipient, VoteType.ADD if vote.add else VoteType.DROP)

    def discard(self, recipient: Address) -> None:
        """Stop voting about `recipient`."""
        self._votes.discard(recipient)
