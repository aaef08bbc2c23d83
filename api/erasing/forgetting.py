"""Carrying the erasure list to the outboxes, one for each ledger.

The list is the vault's, and the vault's commands erase too; the outboxes are databases of their
own. So this looks at the whole list once a process, then at what is new on it.
"""

from collections.abc import Sequence

from api.rest.services import NoVault, RestServices


class Forgetting:
    """Takes from an agency's outboxes what requests said of erased records."""

    def __init__(self, services: RestServices) -> None:
        """Work on the services of a node with a vault; raises `NoVault`."""
        if services.maybe_keyring is None:
            raise NoVault
        self._services = services
        self._keyring = services.maybe_keyring
        self._done: set[bytes] = set()

    async def turn(self) -> int:
        """Forget what is on the list by now; returns how many operations that concerned."""
        await self._keyring.look()
        pending = [uid for uid in list(self._keyring.erasures.erased) if uid not in self._done]
        count = await self.forget(pending)
        self._done.update(pending)
        return count

    async def forget(self, uids: Sequence[bytes]) -> int:
        """Forget what requests said of these records; returns how many operations did."""
        count = 0
        if uids:
            for one in self._services.ledgers:
                count += await one.outbox.forget_bodies(uids)
        return count
