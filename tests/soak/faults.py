"""What goes wrong and when, from a seed: a soak is a row of episodes with calm between them.

An episode has a few faults that begin within its first seconds and may overlap: processes killed
and started again, processes stopped for a while, lines parted or slowed. It ends when the last of
them is over; then everything is healed, and the network has to come back within a bound. Some
episodes leave a quorum at work, some do not, and now and then every process dies at once.

The same seed, number and nodes make the same episode, however the network behaves meanwhile. The
nodes that two process faults of one episode concern are different ones, and there is at most one
fault of the lines at a time, so that the end of one never heals another.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from consensus.quorum import compute_quorum

HOWS = ("cut", "freeze", "stall")
"""How lines part: reset, bytes lost, bytes held back (see `tests.integration.faulty_links`)."""
SHAPES = ("halves", "one alone", "all alone", "bridge", "ring")

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """SIGKILL at one moment, and a start after a time."""

    nodes: tuple[int, ...]
    start_s: float
    """After the episode's beginning."""
    length_s: float
    """Until it is started again."""
    again_s: float | None = None
    """Killed and started once more so long after that start, while it recovers; None: not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """SIGSTOP, and SIGCONT after a time."""

    nodes: tuple[int, ...]
    start_s: float
    length_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Nodes that share no group do not hear each other."""

    shape: str
    groups: Groups
    how: str
    start_s: float
    length_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowLinks:
    """Some pairs of nodes have a bad line."""

    pairs: tuple[tuple[int, int], ...]
    latency_ms: int
    bytes_per_s: int | None
    start_s: float
    length_s: float


Fault = Kill | Pause | Partition | SlowLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Calm, then faults, then all is healed."""

    number: int
    calm_s: float
    faults: tuple[Fault, ...]
    has_quorum: bool
    """Whether at every moment enough nodes run and reach each other, if need be through others,
    which pass on what they hear."""

    def describe(self) -> str:
        return f"episode {self.number}: " + "; ".join(map(describe, self.faults))


def plan_episode(seed: int, number: int, nodes: Sequence[int]) -> Episode:
    """Return the episode of a number, from 0, of a network of these nodes."""
    rng = Random(f"soak {seed} {number}")
    calm_s = round(rng.uniform(3, 8), 1)
    count = rng.choices((0, 1, 2), (1, 4, 2))[0]
    has_lines = len(nodes) > 1
    with_lines = has_lines and (count == 0 or rng.random() < 0.6)
    free = rng.sample(nodes, len(nodes))
    faults: list[Fault] = []
    for _ in range(count if with_lines else max(1, count)):
        size = min(rng.choices((1, 2, len(nodes)), (6, 2, 1))[0], len(free))
        if size:
            faults.append(_plan_process_fault(rng, tuple(sorted(free[:size]))))
            del free[:size]
    if with_lines:
        faults.append(_plan_line_fault(rng, nodes))
    return Episode(
        number=number,
        calm_s=calm_s,
        faults=tuple(faults),
        has_quorum=_has_quorum_throughout(faults, nodes),
    )


def describe(fault: Fault) -> str:
    """Return a fault in words, with its seconds."""
    when = f"from {fault.start_s} s for {fault.length_s} s"
    match fault:
        case Kill():
            again = "" if fault.again_s is None else f", again {fault.again_s} s after its start"
            return f"kill {_join(fault.nodes)} {when}{again}"
        case Pause():
            return f"pause {_join(fault.nodes)} {when}"
        case Partition():
            groups = " | ".join(map(_join, fault.groups))
            return f"{fault.how} {fault.shape} ({groups}) {when}"
        case SlowLinks():
            pairs = " ".join(f"{one}-{other}" for one, other in fault.pairs)
            speed = "" if fault.bytes_per_s is None else f", {fault.bytes_per_s} bytes/s"
            return f"slow {pairs} ({fault.latency_ms} ms{speed}) {when}"


def _plan_process_fault(rng: Random, nodes: tuple[int, ...]) -> Fault:
    start_s = round(rng.uniform(0, 5), 1)
    if rng.random() < 0.55:
        again_s = round(rng.uniform(0.2, 6), 1) if rng.random() < 0.25 else None
        length_s = round(rng.uniform(0.1, 12), 1)
        return Kill(nodes=nodes, start_s=start_s, length_s=length_s, again_s=again_s)
    return Pause(nodes=nodes, start_s=start_s, length_s=round(rng.uniform(1, 15), 1))


def _plan_line_fault(rng: Random, nodes: Sequence[int]) -> Fault:
    start_s, length_s = round(rng.uniform(0, 5), 1), round(rng.uniform(3, 20), 1)
    if rng.random() < 0.3:
        pairs = list(itertools.combinations(sorted(nodes), 2))
        chosen = rng.sample(pairs, rng.randint(1, len(pairs)))
        return SlowLinks(
            pairs=tuple(sorted(chosen)),
            latency_ms=rng.randint(50, 800),
            bytes_per_s=rng.choice((None, rng.randint(10_000, 200_000))),
            start_s=start_s,
            length_s=length_s,
        )
    shape = rng.choices(SHAPES, (3, 3, 1, 2, 2))[0]
    return Partition(
        shape=shape,
        groups=_make_groups(shape, rng.sample(nodes, len(nodes))),
        how=rng.choice(HOWS),
        start_s=start_s,
        length_s=length_s,
    )


def _make_groups(shape: str, nodes: list[int]) -> Groups:
    """Return who still hears whom; `nodes` in an order of chance."""
    middle = len(nodes) // 2
    match shape:
        case "halves":
            groups = [nodes[:middle], nodes[middle:]]
        case "one alone":
            groups = [nodes[:1], nodes[1:]]
        case "all alone":
            groups = [[node] for node in nodes]
        case "bridge":
            groups = [nodes[: middle + 1], nodes[middle:]]
        case _:
            groups = [[node, nodes[place - 1]] for place, node in enumerate(nodes)]
    return tuple(tuple(sorted(set(group))) for group in groups)


def _has_quorum_throughout(faults: Iterable[Fault], nodes: Sequence[int]) -> bool:
    faults = list(faults)
    moments = {fault.start_s for fault in faults}  # what is whole then stays so until the next
    return all(_has_quorum(_list_active(faults, moment), nodes) for moment in moments)


def _list_active(faults: Iterable[Fault], moment_s: float) -> Iterator[Fault]:
    for fault in faults:
        length_s = fault.length_s
        if isinstance(fault, Kill) and fault.again_s is not None:
            length_s += fault.again_s
        if fault.start_s <= moment_s < fault.start_s + length_s:
            yield fault


def _has_quorum(active: Iterable[Fault], nodes: Sequence[int]) -> bool:
    working = set(nodes)
    groups: Groups = (tuple(nodes),)
    for fault in active:
        if isinstance(fault, Kill | Pause):
            working -= set(fault.nodes)
        elif isinstance(fault, Partition):
            groups = fault.groups
    return any(
        len(_find_reached(node, working, groups)) >= compute_quorum(len(nodes)) for node in working
    )


def _find_reached(node: int, working: set[int], groups: Groups) -> set[int]:
    """Return the working nodes that hear of what a node says."""
    reached, before = {node}, set[int]()
    while reached != before:
        before = set(reached)
        for group in groups:
            if reached & set(group):
                reached |= working & set(group)
    return reached


def _join(nodes: Iterable[int]) -> str:
    return "+".join(map(str, nodes))
