"""A thousand residents go through D1, D2 and D8; then somebody tries to find them on the chain.

    scripts/demo population [--residents N] [--seed S] [--keep] [--database postgresql]

Five agencies with a node each attest a health certificate and a proof of life for every resident,
take a consent that the resident's own key signed, and exchange an income band. The identity number
is everywhere: it is how agencies file a person, part of the case number, a field of every
certificate. Then two attacks, with everything that is public and with whatever agencies keep and
send, but without the keys of the vaults: a search for every value and for plain hashes of whatever
can be guessed, and an attempt to link two records of the same person, by what stands in them
(`population_linkage`) and by when they came (`population_order`). Each attack must find what was
planted for it. At last one agency audits the others for what is in its
own vault (`population_auditing`), and its signed report is verified.

Ends with ``demo: ok`` and exit code 0, or ``demo: failed: <reason>`` and exit code 1.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence

from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import LawStage
from scripts.demos.population_acts import Population
from scripts.demos.population_attacks import link_by_order, link_records, search_stores
from scripts.demos.population_auditing import audit_agency
from scripts.demos.population_people import make_people
from scripts.demos.population_reading import read_chain
from scripts.demos.population_scene import HEALTH, PARTIES, SUPERVISOR, lay_ground
from scripts.demos.stage import require

SUMMARY = "A thousand residents go through D1, D2 and D8; then somebody tries to find them."
_MOST = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo population",
        description=SUMMARY,
        epilog="--keep, --database and --network as in the other demonstrations.",
    )
    parser.add_argument(
        "--residents",
        type=_read_count,
        default=1_000,
        metavar="N",
        help="how many residents (default 1000)",
    )
    parser.add_argument(
        "--seed", type=int, default=None, metavar="S", help="of the residents (default: random)"
    )
    options, rest = parser.parse_known_args(arguments)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed

    async def tell(stage: LawStage) -> None:
        await _tell(stage, residents=options.residents, seed=seed)

    return run(Story(name="demo", summary=SUMMARY, parties=PARTIES, tell=tell), rest)


async def _tell(stage: LawStage, *, residents: int, seed: int) -> None:
    narrator = stage.narrator
    people = make_people(residents, seed)
    narrator.say(f"{residents:,} residents; the same ones again: --seed {seed}")
    population = Population(stage, await lay_ground(stage), people, seed)
    await population.live()
    narrator.confirm(f"{population.checks:,} checks of documents, all valid")
    with narrator.step("Somebody reads the whole chain, as any member can"):
        chain = await read_chain(stage, SUPERVISOR, population.last_block)
        expected = {name for one in population.residents for name in one.transactions}
        require(expected <= chain.keys(), "the chain lacks transactions that were final")
        size = sum(len(piece) for pieces in chain.values() for piece in pieces)
        narrator.confirm(
            f"{population.last_block:,} blocks, {len(chain):,} transactions with their events, "
            f"{size / 1e6:.1f} MB; {len(expected):,} of them are about residents"
        )
    link_records(narrator, population.residents, chain)
    link_by_order(narrator, population.residents, chain)
    await search_stores(stage, people)
    await audit_agency(stage, HEALTH)


def _read_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= _MOST:
        raise argparse.ArgumentTypeError(f"1 to {_MOST:,}, not {text}")
    return count


if __name__ == "__main__":
    sys.exit(main())
