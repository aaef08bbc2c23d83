"""The other direction: Guangdong issues a converted attestation, and Macao checks it.

The commission has checked a Macao certificate and gives its holder a health code of its own, under
its own schema. The new document names the record that it was converted from; that reference is one
of its fields, under a salt, so that on the chain the two records of one person share nothing.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from atesta_client import requests
from atesta_client.credentials import decode_credential

from scripts.demos.residents import check
from scripts.demos.stage import Stage, require

CONVERTED_TITLE: Final = "Converted health code"
CONVERTED_POINTERS: Final = ("/status", "/converted_from", "/issued_on", "/cnf")
CONVERTED_SHOWN: Final = ("/status", "/issued_on")
CONVERTED_PURPOSE: Final = "health-code"
_REFERENCE: Final = ("/converted_from",)
_VALIDITY: Final = timedelta(days=7)


async def convert(stage: Stage) -> None:
    """Issue a converted attestation to a resident and have it checked in Macao."""
    network, narrator = stage.network, stage.narrator
    with narrator.step("Guangdong issues a converted health code; Macao checks it"):
        resident = stage.residents[0]
        commission = await stage.get_verifier()
        bureau = await network.get_client(network.bureau)
        schema_uid = stage.converted_uid
        own_id = (await commission.send(requests.get_status())).agency
        assert own_id is not None, "the commission is a member"
        await stage.settle(
            commission,
            requests.create_schema(
                uid=schema_uid,
                title=CONVERTED_TITLE,
                pointers=CONVERTED_POINTERS,
                reference=_REFERENCE,
            ),
        )
        await stage.settle(commission, requests.accredit(schema_uid, own_id))
        if network.auditor != network.commission:
            await stage.hand_over_schema(
                await network.get_client(network.auditor),
                schema_uid,
                title=CONVERTED_TITLE,
                pointers=CONVERTED_POINTERS,
                reference=_REFERENCE,
            )
        stage.require_valid(await check(commission, await resident.prepare(commission)), resident)
        document = {
            "status": "green",
            "converted_from": resident.uid,
            "issued_on": datetime.now(UTC).date().isoformat(),
        }
        made = await commission.send(
            requests.create_credential(
                schema_uid=schema_uid,
                document=document,
                holder_key=resident.key.public_key,
                valid_until=datetime.now(UTC) + _VALIDITY,
            )
        )
        require(made.credential is not None, "the commission returned no credential file")
        assert made.credential is not None
        await stage.settle(commission, requests.attest_credential(made.uid))
        narrator.confirm("attested by Guangdong; on the chain nothing ties it to the first record")
        await stage.wait_seen(bureau, made.uid)
        carried = replace(resident, credential=decode_credential(made.credential))
        shown = await carried.prepare(bureau, pointers=CONVERTED_SHOWN, purpose=CONVERTED_PURPOSE)
        answer = await check(bureau, shown)
        require(
            answer.result == "valid" and answer.holder_checked,
            f"Macao's answer to the converted code was {answer.result}",
        )
        narrator.confirm(f"{network.bureau.name} checked it on its own node: valid")
