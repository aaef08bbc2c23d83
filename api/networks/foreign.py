"""A network that is not a node of ours, as an operator names it."""

from dataclasses import dataclass, field

from api.finality import Finality, report
from api.networks.fees import FeePolicy
from api.networks.network import Network
from contracts.deployment import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignNetwork:
    """A network that is not a node of ours."""

    deployment: Deployment
    """What was deployed there; complete."""
    finality: Finality = field(default_factory=lambda: report("finalized"))
    fees: FeePolicy = field(default_factory=FeePolicy)
    poll_s: float = 0.5

    def describe(self) -> Network:
        """Return it as the API's parts know it."""
        return Network(
            book=self.deployment.book,
            finality=self.finality,
            first_block=self.deployment.first_block,
            poll_s=self.poll_s,
            fees=self.fees,
        )
