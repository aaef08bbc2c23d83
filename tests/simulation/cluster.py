"""A whole network in one process, driven by one seed."""

from collections.abc import Callable, Iterable

from consensus.genesis_config import QbftConfig
from consensus.header_rules import HeaderRules
from consensus.signatures import ValidatorKey
from tests.simulation.clockwork import Clockwork
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.model_chain import PLAIN, ModelChain, SimChain
from tests.simulation.network import Network, Packet
from tests.simulation.properties import Monitor
from tests.simulation.simulated_node import SimNode
from tests.simulation.traitor import Traitor
from tests.simulation.world import World


class Cluster:
    """Validators `v1` to `vn`, spare validators that may join later, observers `o1` ..."""

    def __init__(
        self,
        *,
        validators: int,
        seed: int = 0,
        config: QbftConfig | None = None,
        spares: int = 0,
        observers: int = 0,
        byzantine: Iterable[int] = (),
        is_real: bool = False,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        """Make a network that is not running yet; `byzantine` are numbers of validators, from 1.

        With `is_real` blocks are executed by the real chain on py-evm; the contract of a config in
        contract mode is then the registry at its real address.
        """
        self.is_real = is_real
        self._translate: Callable[[bytes], tuple[bytes, ...]] = lambda transaction: (transaction,)
        if is_real:
            from tests.simulation.real_votes import RealVotes  # slow to import, rarely needed

            self._translate = RealVotes(validators).translate
        self.clockwork = Clockwork(seed)
        self.network = Network(self.clockwork)
        self.network.deliver = self._deliver
        faulty = {f"v{number}" for number in byzantine}
        keys = KEYS[:validators]
        self.monitor = Monitor(
            frozenset(key.address for i, key in enumerate(keys, 1) if f"v{i}" in faulty)
        )
        self.world = World(self.clockwork, self.network, self.monitor, trace=trace)
        config = config or QbftConfig(validator_contract=CONTRACT)
        self.rules = HeaderRules(config=config)
        self.founders = [key.address for key in keys]
        self.nodes: dict[str, SimNode] = {}
        for number, key in enumerate(KEYS[: validators + spares], 1):
            node = self.add_node(f"v{number}", key)
            node.is_honest = node.name not in faulty
        for number in range(1, observers + 1):
            self.add_node(f"o{number}", None)

    @property
    def honest(self) -> tuple[SimNode, ...]:
        return tuple(node for node in self.nodes.values() if node.is_honest)

    @property
    def height(self) -> int:
        """The highest head of an honest node."""
        return max(node.head for node in self.honest)

    def add_node(self, name: str, key: ValidatorKey | None) -> SimNode:
        chain = self.make_chain()
        node = SimNode(name, key, chain, self.world)
        self.nodes[name] = node
        self._introduce()
        return node

    def make_chain(self) -> SimChain:
        if self.is_real:
            from tests.simulation.real_chain import RealChain  # slow to import, rarely needed

            return RealChain.create(self.rules, self.founders)
        return ModelChain.create(self.rules, self.founders)

    def make_traitor(self, number: int, tactics: frozenset[str]) -> None:
        """Turn validator `number` Byzantine; the tactic `twin` adds a second node with its key."""
        name = f"v{number}"
        is_twin = "twin" in tactics
        for each in (name, f"{name}'") if is_twin else (name,):
            chain = self.make_chain()
            traitor = Traitor(each, KEYS[number - 1], chain, self.world, tactics - {"twin"})
            if each != name:
                for transaction in self._translate(PLAIN + b"only the twin knows"):
                    chain.add_transaction(transaction)
            self.nodes[each] = traitor
        self._introduce()
        if is_twin:
            others = [node.name for node in self.honest]
            self.clockwork.random.shuffle(others)
            half = len(others) // 2
            for each, part in ((name, others[half:]), (f"{name}'", others[:half])):
                twin = self.nodes[each]
                assert isinstance(twin, Traitor)
                twin.targets = tuple(part)

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Split the network; twins, spares and observers go with the first group."""
        named = [tuple(group) for group in groups]
        placed = {name for group in named for name in group}
        rest = [name for name in self.nodes if name not in placed]
        self.network.partition([(*named[0], *rest), *named[1:]])

    def start(self) -> None:
        for node in self.nodes.values():
            node.start()

    def submit(self, transaction: bytes) -> None:
        """Give a transaction to all nodes, to each when gossip gets there."""
        transactions = self._translate(transaction)
        for node in self.nodes.values():
            delay_ms = self.clockwork.random.randint(0, 50)
            self.clockwork.call_later(delay_ms, node.submit, transactions)

    def run_for(self, duration_ms: int) -> None:
        self.clockwork.run_until(self.clockwork.now_ms + duration_ms)

    def run_until_height(self, height: int, limit_ms: int = 60_000) -> bool:
        """Run until every honest node that is up has `height`; False at the limit."""

        world, last_changes = self.world, -1

        def is_done() -> bool:
            nonlocal last_changes
            if world.changes == last_changes:
                return False
            last_changes = world.changes
            return all(node.head >= height for node in self.honest if node.is_up)

        return self.clockwork.run_until(self.clockwork.now_ms + limit_ms, is_done)

    def _introduce(self) -> None:
        for node in self.nodes.values():
            node.peers = tuple(other for other in self.nodes if other != node.name)

    def _deliver(self, source: str, target: str, packet: Packet) -> None:
        self.nodes[target].receive(source, packet)
