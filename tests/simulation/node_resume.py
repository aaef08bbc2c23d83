"""The resume procedure as a simulated node sees it: with heads that peers have announced."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from consensus.types import Height
from node.validator.resume import compute_resume_floor
from tests.simulation.keys import KEYS

if TYPE_CHECKING:
    from tests.simulation.simulated_node import SimNode


def find_floor(node: "SimNode", peer_heads: Mapping[str, int]) -> Height | None:
    """Return the height above which the node may sign again, None while that is unknown."""
    heads = {name: Height(head) for name, head in peer_heads.items() if name[1:].isdigit()}
    return compute_resume_floor(
        own=node.identity.validator,
        own_head=node.chain.head.number,
        highest_known=node.sign_store.get_highest_known(),
        validators=node.chain.validators,
        reports={KEYS[int(name[1:]) - 1].address: head for name, head in heads.items()},
    )
