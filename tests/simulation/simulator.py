"""Runs one schedule and says whether every property held."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from consensus.extra_data import VoteType
from tests.simulation.cluster import Cluster
from tests.simulation.keys import KEYS
from tests.simulation.model_chain import ADD_VALIDATOR, DROP_VALIDATOR, PLAIN
from tests.simulation.properties import SafetyViolation
from tests.simulation.schedule import Fault, Schedule
from tests.simulation.traitor import Traitor

LIVENESS_BOUND_MS = 120_000
"""After everything has healed, all honest nodes have two more blocks within this virtual time."""

NEW_BLOCKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a schedule."""

    schedule: Schedule
    violation: str = ""
    """Which safety property broke, and how; empty if none did."""
    stall: str = ""
    """What was missing at the end; empty if the network came back to life."""
    height: int = 0
    recovery_ms: int = 0
    """Virtual time from healing until liveness."""

    @property
    def is_good(self) -> bool:
        return not self.violation and not self.stall

    @property
    def failure(self) -> str:
        return self.violation or self.stall


def simulate(schedule: Schedule, trace: Callable[[str], None] | None = None) -> Outcome:
    """Run `schedule` to its end or to the first broken property."""
    run = _Run(schedule, trace)
    try:
        return run.execute()
    except SafetyViolation as violation:
        return Outcome(schedule=schedule, violation=str(violation), height=run.cluster.height)


class _Run:
    def __init__(self, schedule: Schedule, trace: Callable[[str], None] | None) -> None:
        self.schedule = schedule
        self.cluster = Cluster(
            validators=schedule.validators,
            seed=schedule.seed,
            config=schedule.config,
            spares=schedule.spares,
            observers=schedule.observers,
            byzantine=[number for number, _ in schedule.traitors],
            is_real=schedule.is_real,
            trace=trace,
        )
        self.cluster.network.has_relays = schedule.has_relays
        for number, tactics in schedule.traitors:
            self.cluster.make_traitor(number, tactics)

    def execute(self) -> Outcome:
        cluster = self.cluster
        cluster.start()
        for fault in self.schedule.faults:
            cluster.clockwork.call_later(fault.at_ms, self.apply, fault)
        cluster.run_for(self.schedule.fault_time_ms)
        self.heal()
        healed_ms, height = cluster.clockwork.now_ms, cluster.height
        is_alive = cluster.run_until_height(height + NEW_BLOCKS, LIVENESS_BOUND_MS)
        stall = ""
        if not is_alive:
            heads = " ".join(f"{node.name}:{node.head}" for node in cluster.honest)
            stall = f"liveness: {height + NEW_BLOCKS} not reached by all, heads {heads}"
        return Outcome(
            schedule=self.schedule,
            stall=stall,
            height=cluster.height,
            recovery_ms=cluster.clockwork.now_ms - healed_ms,
        )

    def heal(self) -> None:
        cluster = self.cluster
        cluster.world.say("everything heals")
        cluster.network.heal()
        for node in cluster.nodes.values():
            node.temper.crash_in_persist = None
            node.temper.clock_offset_ms = 0
            node.temper.clock_drift = 0.0
            node.temper.execution_ms = 5
            node.temper.disk_ms = 0
            if node.key is not None:
                node.disk.tears = False
            if isinstance(node, Traitor):
                node.targets = None
            if not node.is_up:
                node.start()

    def apply(self, fault: Fault) -> None:
        cluster = self.cluster
        cluster.world.say(f"fault: {fault}")
        match fault.kind:
            case "partition":
                cluster.partition(fault.groups)
            case "mute":
                (name,) = fault.targets
                cluster.network.cut |= {(name, peer) for peer in cluster.nodes if peer != name}
            case "deafen":
                cluster.network.cut |= {
                    (peer, name) for name in fault.targets for peer in cluster.nodes if peer != name
                }
            case "reconnect":
                cluster.network.cut = set()
            case "delay":
                cluster.network.quality.min_delay_ms = int(fault.value)
                cluster.network.quality.max_delay_ms = int(fault.value)
            case "lossy":
                cluster.network.quality.drop = fault.value
                cluster.network.quality.duplicate = fault.value
            case "slow":
                cluster.network.quality.max_delay_ms = int(fault.value)
            case "heal":
                cluster.network.heal()
            case "submit":
                cluster.submit(PLAIN + fault.text.encode())
            case "add" | "drop":
                self._change_set(fault)
            case _:
                self._apply_to_nodes(fault)

    def _apply_to_nodes(self, fault: Fault) -> None:
        for name in fault.targets:
            node = self.cluster.nodes[name]
            match fault.kind:
                case "crash" if node.is_up and fault.text == "now":
                    node.crash()
                case "crash" if node.is_up:
                    node.temper.crash_in_persist = fault.text
                case "wipe" if node.is_up:
                    node.crash()
                    node.wipe(self.cluster.make_chain())
                case "tear":
                    node.disk.tears = True
                case "restart" if not node.is_up:
                    node.start()
                case "clock":
                    node.temper.clock_offset_ms = int(fault.value)
                case "drift":
                    node.temper.clock_drift = fault.value
                case "execution":
                    node.temper.execution_ms = int(fault.value)
                case "disk":
                    node.temper.disk_ms = int(fault.value)

    def _change_set(self, fault: Fault) -> None:
        (name,) = fault.targets
        address = KEYS[int(name[1:]) - 1].address
        is_add = fault.kind == "add"
        if self.schedule.config.is_contract_mode:
            self.cluster.submit((ADD_VALIDATOR if is_add else DROP_VALIDATOR) + address)
            return
        for node in self.cluster.nodes.values():
            node.votes.propose(address, VoteType.ADD if is_add else VoteType.DROP)


def simulate_seeds(schedules: Iterable[Schedule], on_outcome: Callable[[Outcome], None]) -> None:
    """Run schedules one after the other."""
    for schedule in schedules:
        on_outcome(simulate(schedule))
