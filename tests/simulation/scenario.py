"""Plays scenario files: see tests/scenarios/README.md for their language."""

from collections.abc import Callable

from consensus.genesis_config import QbftConfig
from tests.simulation.cluster import Cluster
from tests.simulation.keys import CONTRACT
from tests.simulation.model_chain import PLAIN

RULE = "----"


def play(text: str) -> str:
    """Return the scenario with what happens now written under each paragraph of commands."""
    player = _Player()
    parts = []
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.split("\n")
        commands = lines[: lines.index(RULE)] if RULE in lines else lines
        wanted = [line for line in commands if not line.startswith("#")]
        if not wanted:
            parts.append("\n".join(commands))
            continue
        for command in wanted:
            player.do(command)
        parts.append("\n".join([*commands, RULE, *player.take()]))
    return "\n\n".join(parts) + "\n"


class _Player:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._cluster: Cluster | None = None

    @property
    def cluster(self) -> Cluster:
        assert self._cluster is not None, "a scenario begins with `cluster N`"
        return self._cluster

    def do(self, command: str) -> None:
        word, *arguments = command.split()
        if word == "cluster":
            self._make(arguments)
            return
        if word.startswith("run") and self.cluster.clockwork.steps == 0:
            self.cluster.start()
        duties: dict[str, Callable[[list[str]], None]] = {
            "run": lambda args: self.cluster.run_for(int(args[0])),
            "run-to": self._run_to,
            "crash": self._crash,
            "wipe": lambda args: self.cluster.nodes[args[0]].wipe(self.cluster.make_chain()),
            "restart": lambda args: self.cluster.nodes[args[0]].start(),
            "partition": self._partition,
            "heal": lambda _args: self.cluster.network.cut.clear(),
            "delay": self._delay,
            "execution": self._execution,
            "disk": self._disk,
            "tear": lambda args: self._tear(args[0]),
            "clock": self._clock,
            "submit": lambda args: self.cluster.submit(PLAIN + args[0].encode()),
            "twin": lambda args: self._twin(args[0]),
            "heads": lambda _args: self._print_heads(),
            "evidence": lambda _args: self._print_evidence(),
        }
        duties[word](arguments)

    def take(self) -> list[str]:
        lines, self._lines = _merge(self._lines), []
        return lines

    def _make(self, arguments: list[str]) -> None:
        options = dict(argument.split("=") for argument in arguments[1:])
        config = QbftConfig(
            validator_contract=CONTRACT,
            block_period_s=int(options.get("period", 1)),
            empty_block_period_s=int(options.get("empty", 0)),
            request_timeout_s=int(options.get("timeout", 1)),
        )
        self._cluster = Cluster(validators=int(arguments[0]), config=config, trace=self._note)
        self._delay(["10"])

    def _note(self, line: str) -> None:
        self._lines.append(line)

    def _run_to(self, arguments: list[str]) -> None:
        if not self.cluster.run_until_height(int(arguments[0]), limit_ms=20_000):
            self._lines.append(f"  not reached: height {arguments[0]}")

    def _crash(self, arguments: list[str]) -> None:
        node = self.cluster.nodes[arguments[0]]
        if len(arguments) > 1:
            node.temper.crash_in_persist = arguments[1]
        else:
            node.crash()

    def _partition(self, arguments: list[str]) -> None:
        self.cluster.partition([group.split() for group in " ".join(arguments).split("|")])

    def _delay(self, arguments: list[str]) -> None:
        quality = self.cluster.network.quality
        quality.min_delay_ms = quality.max_delay_ms = int(arguments[0])

    def _execution(self, arguments: list[str]) -> None:
        self.cluster.nodes[arguments[0]].temper.execution_ms = int(arguments[1])

    def _disk(self, arguments: list[str]) -> None:
        self.cluster.nodes[arguments[0]].temper.disk_ms = int(arguments[1])

    def _tear(self, name: str) -> None:
        self.cluster.nodes[name].disk.tears = True

    def _clock(self, arguments: list[str]) -> None:
        self.cluster.nodes[arguments[0]].temper.clock_offset_ms = int(arguments[1])

    def _twin(self, name: str) -> None:
        self.cluster.network.has_relays = True
        self.cluster.make_traitor(int(name[1:]), frozenset({"twin"}))

    def _print_heads(self) -> None:
        for node in self.cluster.nodes.values():
            block_hash = node.chain.entries[-1].block_hash.hex()[:8]
            state = "up" if node.is_up else "down"
            self._lines.append(f"  {node.name} {state} head {node.head} {block_hash}")

    def _print_evidence(self) -> None:
        names = {
            node.key.address: node.name.strip("'")
            for node in self.cluster.nodes.values()
            if node.key is not None
        }
        for node in self.cluster.honest:
            for proof in node.evidence:
                self._lines.append(
                    f"  {node.name} has two {proof.code.name} of {names[proof.author]} "
                    f"at height {proof.height} round {proof.round}"
                )


def _merge(lines: list[str]) -> list[str]:
    """Put nodes that do the same thing at the same moment into one line."""
    merged: list[tuple[str, list[str], str]] = []
    for line in lines:
        words = line.split()
        if len(words) < 3 or not words[0].isdigit():
            merged.append(("", [], line))
            continue
        time, name, rest = words[0], words[1], " ".join(words[2:])
        last = next((m for m in reversed(merged) if m[0] == time and m[2] == rest), None)
        if last is not None:
            last[1].append(name)
        else:
            merged.append((time, [name], rest))
    return [f"{time:>7} {' '.join(names)} {rest}" if time else rest for time, names, rest in merged]
