"""The agency's own audit of the population: `atesta audit privacy`, and the check of its report.

The attacks of the story know its people. An agency knows what is in its vault, and nothing else;
so one of them opens its vault, searches what all others keep, and signs the answer. Whoever gets
the report checks the signature with a command of their own.
"""

import asyncio
import json
import sys
from typing import Any, Final

from api.errors import InvalidField
from api.firewall.audit.report import read_report
from contracts.development import DevelopmentAgency
from scripts.demos.law_stage import LawStage
from scripts.demos.stage import require

_REPORT: Final = "audit.json"


async def audit_agency(stage: LawStage, agency: DevelopmentAgency) -> None:
    """Let an agency whose node stands still audit all others, and check what it signed."""
    report = stage.folder / _REPORT
    node = stage.get_node(agency)
    folders = [
        f"--folder={other.name}={other.folder}" for other in stage.nodes if other.name != node.name
    ]
    with stage.narrator.step(f"{agency.name} audits all others for what is in its vault"):
        await _run(
            *("audit", "privacy", "--config", str(node.settings_file), "--out", str(report)),
            *("--no-own", "--pattern-limit", "0", *folders),
        )
        told = await _run("audit", "verify", str(report))
    content = json.loads(report.read_text(encoding="utf-8"))
    require("and not changed since" in told, f"the report was not verified: {told[-300:]}")
    _check_change(content)
    needles, chance = content["needles"], content["chance"]
    require(needles["values"] > 0, "the audit found nothing in the vault to look for")
    stage.narrator.confirm(
        f"{needles['values']:,} values of {needles['rows']:,} rows and "
        f"{content['guesses']['digests']:,} digests: nothing found, "
        f"{content['controls']['planted']:,} of as many controls found; {chance['expected_hits']} "
        f"hits expected by chance; {content['megabytes_per_s']} MB/s. The report is signed and "
        "verified, and one changed by a letter is refused"
    )


def _check_change(content: dict[str, Any]) -> None:
    """Change a report and see that it is refused."""
    changed = {**content, "further_hits": 1, "is_clean": False}
    try:
        read_report(json.dumps(changed).encode())
    except InvalidField as error:
        require(error.field == "signature", f"a changed report fails at {error.field}")
        return
    require(False, "a changed report was taken for the signed one")


async def _run(*command: str) -> str:
    """Run the command line of `atesta`; fail with its last words unless it ends well."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli", *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    told = out.decode(errors="replace")
    words = (told.strip() or err.decode(errors="replace"))[-600:]
    ended = f"atesta {command[0]} {command[1]} ended with {process.returncode}"
    require(process.returncode == 0, f"{ended}: {words}")
    return told
