"""What a simulated node has noticed: rounds, rejected messages, evidence."""

from collections.abc import Callable

from consensus.evidence import Evidence
from consensus.types import Address, Height, Round
from tests.simulation.world import World


class NodeJournal:
    """The observer and the evidence store of a node's core; survives its crashes."""

    def __init__(self, name: str, world: World, is_honest: Callable[[], bool]) -> None:
        self.evidence: list[Evidence] = []
        self.rejected: list[str] = []
        self.rounds_seen: dict[int, int] = {}
        """By height, the highest round."""
        self._name = name
        self._world = world
        self._is_honest = is_honest

    def keep(self, evidence: Evidence) -> None:
        self.evidence.append(evidence)

    def on_round(self, height: Height, round_number: Round, proposer: Address) -> None:
        self.rounds_seen[height] = max(self.rounds_seen.get(height, 0), round_number)
        if self._is_honest():
            self._world.monitor.on_round(self._name, height, round_number)
        if self._world.is_traced:
            self._world.say(f"{self._name} enters height {height} round {round_number}")

    def on_rejected(self, source: str | None, author: Address, reason: str) -> None:
        self.rejected.append(reason)
        if self._world.is_traced:
            self._world.say(f"{self._name} rejects from {source}: {reason}")

    def on_signing_skipped(self, reason: str) -> None:
        self._world.say(f"{self._name} does not sign: {reason}")

    def on_evidence(self, evidence: Evidence) -> None:
        self._world.say(f"{self._name} keeps evidence against {evidence.author.hex()[:8]}")
