"""An agency's REST in a process of its own, to be killed; the ledger is behind an URL.

`ledger URL, folder of the vault's key, addresses of index, outbox and vault`.
"""

import asyncio
import sys
from pathlib import Path

from api.app import Services, build_app
from api.outbox.account import build_account
from api.rest.app import build_rest_surface
from api.rest.opening import RestSettings, open_services
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import connect_http
from contracts.testkeys import get_private_key


async def main(ledger_url: str, folder: Path, index: str, outbox: str, vault: str) -> None:
    connection = connect_http(ledger_url)
    services = open_services(
        RestSettings(
            index=index,
            outbox=outbox,
            vault=vault,
            vault_key_file=folder / "vault.key",
        ),
        raw=connection.raw,
        accounts=[build_account(get_private_key(1, "account"))],
    )
    settings = ApiSettings(port=0)
    app = build_app(Services(surfaces=(build_rest_surface(services),)), settings)
    async with services.run(), serve(app, settings) as url:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
