"""What nodes ever called final, remembered by somebody who never dies.

A node that loses a final block in a crash may have it again, or another one, when all is compared
at the end. So each answer of each node is held against every earlier answer of every node.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.soak.findings import Finding, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBlock:
    """A block as a node told it."""

    height: int
    block_hash: str
    transactions: tuple[str, ...]


@dataclass(slots=True)
class Chronicle:
    """All final blocks that were ever seen."""

    findings: list[Finding]
    """Contradictions are added to these."""
    hashes: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Height to hash and the node that told it first."""
    heads: dict[int, int] = field(default_factory=dict)
    """Node to the last head it told."""
    finals: dict[int, set[str]] = field(default_factory=dict)
    """Node to the transactions that it has told as final."""

    @property
    def height(self) -> int:
        """Return the highest final block that any node told; -1 at first."""
        return max(self.hashes, default=-1)

    def note_head(self, node: int, height: int) -> None:
        """Note the height of a node's head; what was final stays final."""
        before = self.heads.get(node, -1)
        if height < before:
            text = f"node {node} told block {before} as final and later only block {height}"
            self.findings.append(Finding(kind=Kind.LOST, text=text))
        self.heads[node] = height

    def note_blocks(self, node: int, blocks: Iterable[SeenBlock]) -> None:
        """Note final blocks that a node told."""
        finals = self.finals.setdefault(node, set())
        for block in blocks:
            known, teller = self.hashes.setdefault(block.height, (block.block_hash, node))
            if known != block.block_hash:
                text = (
                    f"block {block.height}: node {teller} told {known}, "
                    f"node {node} {block.block_hash}"
                )
                self.findings.append(Finding(kind=Kind.FORKED, text=text))
            finals.update(block.transactions)
