"""A schedule: everything that will happen to one cluster, written down before it runs.

One seed makes one schedule. The faults are a list, so that a failing schedule can be shrunk by
leaving faults out, and each is a line of text, so that a person can read what went wrong.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from consensus.genesis_config import QbftConfig
from consensus.quorum import compute_faulty
from contracts.addresses import REGISTRY
from tests.simulation.keys import CONTRACT
from tests.simulation.simulated_disk import CRASH_MOMENTS, TORN_MOMENTS
from tests.simulation.traitor import TACTICS

FAULT_TIME_MS = 8_000
"""Faults happen in this time; then everything heals."""

CLOCKS_OFF_MS = (-10_000, -900, -300, 300, 900, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens at one moment."""

    at_ms: int
    kind: str
    targets: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    value: float = 0.0
    text: str = ""

    def __str__(self) -> str:
        parts = [f"{self.at_ms:>6} {self.kind}", *self.targets]
        parts.extend("[" + " ".join(group) + "]" for group in self.groups)
        if self.value:
            parts.append(f"{self.value:g}")
        if self.text:
            parts.append(self.text)
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A cluster and its faults."""

    seed: int
    validators: int
    spares: int = 0
    observers: int = 0
    traitors: tuple[tuple[int, frozenset[str]], ...] = ()
    """Numbers of the Byzantine validators with their tactics; `twin` makes two of one."""
    config: QbftConfig
    has_relays: bool = False
    """Whether nodes pass on consensus messages of others, as the real network does."""
    is_real: bool = False
    """Whether blocks are executed on py-evm."""
    faults: tuple[Fault, ...] = ()
    fault_time_ms: int = FAULT_TIME_MS
    """When everything heals."""

    def describe(self) -> str:
        mode = "contract" if self.config.is_contract_mode else "header votes"
        period = (
            f"{self.config.block_period_ms} ms"
            if self.config.block_period_ms
            else f"{self.config.block_period_s} s"
        )
        head = (
            f"seed {self.seed}: {self.validators} validators, {self.spares} spare, "
            f"{self.observers} observers, {mode}, period {period}, "
            f"empty {self.config.empty_block_period_s} s{', on py-evm' if self.is_real else ''}"
        )
        lines = [head]
        lines.extend(f"  traitor v{n}: {' '.join(sorted(t))}" for n, t in self.traitors)
        lines.extend(f"  {fault}" for fault in self.faults)
        return "\n".join(lines)


NETWORK_FAULTS = ("halves", "halves", "ring", "bridge", "one-way", "lossy", "slow", "heal")
PROFILES = ("mixed", "calm", "network", "crashes", "byzantine", "sets", "timing", "small")


def make_schedule(seed: int, profile: str = "mixed") -> Schedule:
    """Return the schedule of a seed; the same one for ever, as long as this file is the same."""
    chance = random.Random(f"{profile} {seed}")
    if profile == "small":
        count = chance.choice((1, 2, 3))
    else:
        count = chance.choices(range(1, 11), (2, 2, 4, 40, 12, 12, 14, 3, 1, 1))[0]
    is_in = _choose_sides(chance, profile)
    is_real = count <= 5 and chance.random() < 0.05
    if is_real and profile == "mixed":
        is_in["sets"] = chance.random() < 0.5
    config = _make_config(chance, is_in)
    if is_real and config.is_contract_mode:
        config = replace(config, validator_contract=REGISTRY)
    spares = chance.randint(1, 2) if is_in["sets"] and count < 9 else 0
    names = [f"v{number}" for number in range(1, count + 1)]
    traitors = _choose_traitors(chance, count) if is_in["byzantine"] else ()
    faults: list[Fault] = []
    if is_in["network"]:
        faults.extend(_make_network_faults(chance, names))
    if is_in["crashes"]:
        honest = [name for name in names if name not in {f"v{n}" for n, _ in traitors}]
        # A node that has lost its disk does not sign for a while: it counts as a faulty one.
        may_wipe = not spares and compute_faulty(count) > len(traitors)
        # One copy torn of three is enough to know what was signed, also where f is 0.
        may_tear = may_wipe or (not spares and count <= 3)
        faults.extend(_make_crashes(chance, honest, may_wipe=may_wipe, may_tear=may_tear))
    if is_in["timing"]:
        faults.extend(_make_timing_faults(chance, names))
    if spares:
        # Fewer validators bear fewer traitors; a set that bears too few proves nothing.
        may_drop = count >= 4 and compute_faulty(count - 1) >= len(traitors)
        faults.extend(_make_set_changes(chance, count, spares, may_drop=may_drop))
    faults.extend(_make_work(chance))
    faults.sort(key=lambda fault: fault.at_ms)
    return Schedule(
        seed=seed,
        validators=count,
        spares=spares,
        observers=1 if chance.random() < 0.1 else 0,
        traitors=traitors,
        config=config,
        is_real=is_real,
        has_relays=count <= 5 and chance.random() < 0.4,
        faults=tuple(faults),
    )


def without(schedule: Schedule, index: int) -> Schedule:
    """Return the schedule with one fault left out."""
    return replace(schedule, faults=schedule.faults[:index] + schedule.faults[index + 1 :])


def _choose_sides(chance: random.Random, profile: str) -> dict[str, bool]:
    shares = {"network": 0.6, "crashes": 0.6, "byzantine": 0.5, "sets": 0.2, "timing": 0.4}
    if profile in shares:
        return {side: side == profile for side in shares}
    if profile == "calm":
        return dict.fromkeys(shares, False)
    return {side: chance.random() < share for side, share in shares.items()}


def _make_config(chance: random.Random, is_in: dict[str, bool]) -> QbftConfig:
    is_odd = is_in["timing"] and chance.random() < 0.5
    return QbftConfig(
        validator_contract=None if is_in["sets"] and chance.random() < 0.5 else CONTRACT,
        epoch_length=chance.choice((3, 5, 1_000)),
        block_period_ms=chance.choice((250, 500)) if is_odd else None,
        empty_block_period_s=chance.choice((3, 6)) if is_in["timing"] and not is_odd else 0,
        request_timeout_s=chance.choice((1, 2)),
    )


def _choose_traitors(chance: random.Random, count: int) -> tuple[tuple[int, frozenset[str]], ...]:
    faulty = compute_faulty(count)
    chosen = chance.sample(range(1, count + 1), chance.randint(min(1, faulty), faulty))
    traitors = []
    for number in chosen:
        if chance.random() < 0.4:
            tactics = frozenset({"twin"})
        else:
            tactics = frozenset(chance.sample(TACTICS, chance.randint(1, 3)))
        traitors.append((number, tactics))
    return tuple(traitors)


def _make_network_faults(chance: random.Random, names: list[str]) -> list[Fault]:
    faults = []
    for _ in range(chance.randint(1, 4)):
        at_ms = chance.randrange(FAULT_TIME_MS)
        kind = chance.choice(
            ("halves", "halves", "ring", "bridge", "one-way", "lossy", "slow", "heal")
        )
        shuffled = chance.sample(names, len(names))
        cut = chance.randint(1, max(1, len(names) - 1))
        match kind:
            case "halves":
                groups: tuple[tuple[str, ...], ...] = (
                    tuple(shuffled[:cut]),
                    tuple(shuffled[cut:]),
                )
                faults.append(Fault(at_ms=at_ms, kind="partition", groups=groups))
            case "ring":
                pairs = zip(shuffled, shuffled[1:] + shuffled[:1], strict=True)
                faults.append(Fault(at_ms=at_ms, kind="partition", groups=tuple(pairs)))
            case "bridge":
                bridge = shuffled[0]
                groups = ((bridge, *shuffled[1:cut]), (bridge, *shuffled[cut:]))
                faults.append(Fault(at_ms=at_ms, kind="partition", groups=groups))
            case "one-way":
                how = chance.choice(("mute", "deafen"))
                faults.append(Fault(at_ms=at_ms, kind=how, targets=tuple(shuffled[:1])))
            case "lossy":
                faults.append(
                    Fault(at_ms=at_ms, kind="lossy", value=chance.choice((0.05, 0.2, 0.5)))
                )
            case "slow":
                faults.append(
                    Fault(at_ms=at_ms, kind="slow", value=chance.choice((200, 900, 2_500)))
                )
            case _:
                faults.append(Fault(at_ms=at_ms, kind="heal"))
    return faults


def _make_crashes(
    chance: random.Random, names: list[str], *, may_wipe: bool, may_tear: bool
) -> list[Fault]:
    faults = []
    if may_tear and chance.random() < 0.5:
        (name,) = chance.sample(names, 1)
        at_ms = chance.randrange(1_000, FAULT_TIME_MS - 1_000)
        if may_wipe and chance.random() < 0.5:
            faults.append(Fault(at_ms=at_ms, kind="wipe", targets=(name,)))
        else:
            faults.extend(_make_tearing(chance, name, at_ms))
        faults.append(Fault(at_ms=at_ms + 300, kind="restart", targets=(name,)))
    for _ in range(chance.randint(1, 2 + len(names) // 2)):
        at_ms = chance.randrange(FAULT_TIME_MS - 1_000)
        is_all = chance.random() < 0.1
        targets = tuple(names) if is_all else (chance.choice(names),)
        how = chance.choice(("now", *CRASH_MOMENTS))
        faults.append(Fault(at_ms=at_ms, kind="crash", targets=targets, text=how))
        back_ms = min(FAULT_TIME_MS, at_ms + chance.choice((50, 400, 1_500, 4_000)))
        faults.append(Fault(at_ms=back_ms, kind="restart", targets=targets))
    return faults


def _make_tearing(chance: random.Random, name: str, at_ms: int) -> list[Fault]:
    """Let a disk that tears files lose power, in a slow write or around a quick one."""
    faults = [Fault(at_ms=0, kind="tear", targets=(name,))]
    if chance.random() < 0.5:
        how = "now"
        slow_ms = chance.choice((100, 600))
        faults.append(Fault(at_ms=at_ms - 1_000, kind="disk", targets=(name,), value=slow_ms))
    else:
        how = chance.choice(TORN_MOMENTS)
        at_ms -= 600
    return [*faults, Fault(at_ms=at_ms, kind="crash", targets=(name,), text=how)]


def _make_timing_faults(chance: random.Random, names: list[str]) -> list[Fault]:
    makers: tuple[Callable[[str, int], Fault], ...] = (
        lambda name, at_ms: Fault(
            at_ms=at_ms, kind="clock", targets=(name,), value=chance.choice(CLOCKS_OFF_MS)
        ),
        lambda name, at_ms: Fault(
            at_ms=at_ms, kind="drift", targets=(name,), value=chance.choice((-0.01, 0.01))
        ),
        lambda name, at_ms: Fault(
            at_ms=at_ms, kind="execution", targets=(name,), value=chance.choice((100, 450, 3_000))
        ),
        lambda name, at_ms: Fault(
            at_ms=at_ms, kind="disk", targets=(name,), value=chance.choice((5, 60, 400))
        ),
    )
    return [
        chance.choice(makers)(chance.choice(names), chance.randrange(FAULT_TIME_MS))
        for _ in range(chance.randint(1, 4))
    ]


def _make_set_changes(
    chance: random.Random, count: int, spares: int, *, may_drop: bool
) -> list[Fault]:
    faults = [
        Fault(at_ms=chance.randrange(4_000), kind="add", targets=(f"v{number}",))
        for number in range(count + 1, count + spares + 1)
    ]
    if may_drop and chance.random() < 0.6:
        name = f"v{chance.randint(1, count)}"
        faults.append(Fault(at_ms=chance.randrange(4_000), kind="drop", targets=(name,)))
    return faults


def _make_work(chance: random.Random) -> list[Fault]:
    return [
        Fault(at_ms=chance.randrange(FAULT_TIME_MS), kind="submit", text=f"work{number}")
        for number in range(chance.randint(0, 5))
    ]
