"""Reading a record's provenance back, in both forms.

The JSON must name the record and all that it rests on. The PROV-JSON must be read by the ``prov``
package, which is not ours, and mean the same: the same records and agents, each agent with a name
that a person can read.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from atesta_client import requests
from atesta_client.answers import Provenance
from atesta_client.rest import AsyncClient
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity

from scripts.demos.stage import require


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProvenance:
    """A record's provenance, as JSON, and how much of it the ``prov`` package read back."""

    told: Provenance
    entities: int
    activities: int
    agents: int

    @property
    def sentence(self) -> str:
        """What was read, for the narrator."""
        return (
            f"{len(self.told.activities)} acts on {len(self.told.entities)} records; as PROV-JSON, "
            f"read back by the prov package: {self.entities} entities, {self.activities} "
            f"activities, {self.agents} agents"
        )


async def read_provenance(
    client: AsyncClient, uid: str, *, rests_on: Iterable[str] = ()
) -> ReadProvenance:
    """Ask for a record's provenance in both forms; `StoryFailed` if one lacks what it rests on."""
    named = (uid, *rests_on)
    told = await client.send(requests.get_provenance(uid))
    require(
        set(named) <= {entity.id for entity in told.entities},
        f"the provenance of {uid} does not name everything on which it rests",
    )
    written = await client.send(requests.get_prov_document(uid))
    document = ProvDocument.deserialize(content=json.dumps(written), format="json")
    text = document.get_provn()
    require(
        all(name[2:] in text for name in named),
        "the PROV-JSON does not name everything on which the record rests",
    )
    agents = list(document.get_records(ProvAgent))
    require(
        {agent.id for agent in told.agents}
        == {"0x" + str(agent.identifier).rpartition("-0x")[2] for agent in agents},
        "the two forms of provenance name different agents",
    )
    require(
        all(agent.name for agent in told.agents if not _is_resident(agent.id)),
        "an agency of the provenance has no name that a person can read",
    )
    counts = [len(list(document.get_records(kind))) for kind in (ProvEntity, ProvActivity)]
    require(all(counts) and bool(agents), "the PROV-JSON lacks entities, activities or agents")
    return ReadProvenance(told=told, entities=counts[0], activities=counts[1], agents=len(agents))


def _is_resident(agent: str) -> bool:
    """Tell the key of a resident, an address with zeros in front, from an agency."""
    return agent.startswith("0x" + "00" * 12)
