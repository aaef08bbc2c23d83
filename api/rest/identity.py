"""Who this node acts for: its accounts, and the agency that the registry lists them under.

Nothing of it is configured twice: the registry says to which agency an account belongs and what it
may do. A node that joins learns it as soon as it has the block that admitted its agency.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from eth_typing import Address

from api.errors import UserFault
from api.ledger import Ledger
from api.records import Records
from contracts.codes import Role

REFRESH_S: Final = 30.0
"""How long an account's roles are remembered; the contracts check them in any case."""


class NoAccount(UserFault):
    """This node has no account, so it writes nothing."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "this node has no account key, so it only reads",
            code="no_account",
            next_step="the operator sets api.account_key_files",
        )


class AgencyUnknown(UserFault):
    """The registry does not list this node's accounts (yet)."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "the registry lists none of this node's accounts, so it acts for no agency yet",
            code="agency_unknown",
            next_step="wait until this node has caught up; then ask for admission of its account",
        )


class Identity:
    """The agency behind this node."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        records: Records,
        accounts: Sequence[Address],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._accounts = tuple(accounts)
        self._monotonic = monotonic
        self._agency: bytes | None = None
        self._roles: dict[Address, Role] = {}
        self._read_at = float("-inf")

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The accounts that this node signs with."""
        return self._accounts

    async def find_agency(self) -> bytes | None:
        """Return the agency's id; None while the registry lists none of the accounts."""
        if self._agency is None:
            await self._refresh()
        return self._agency

    async def get_agency(self) -> bytes:
        """Return the agency's id; raises `NoAccount` or `AgencyUnknown`."""
        if not self._accounts:
            raise NoAccount
        agency = await self.find_agency()
        if agency is None:
            raise AgencyUnknown
        return agency

    async def get_account(self, role: Role) -> Address:
        """Return an account with a role, or the first, whose refusal says what it lacks.

        Raises `NoAccount`.
        """
        if not self._accounts:
            raise NoAccount
        if self._monotonic() - self._read_at > REFRESH_S:
            await self._refresh()
        for account in self._accounts:
            if self._roles.get(account, Role(0)) & role:
                return account
        return self._accounts[0]

    async def _refresh(self) -> None:
        head = await self._ledger.get_head()
        for account in self._accounts:
            key = await self._records.get_key(account, head.number)
            if key is None:
                continue
            is_live = key.valid_from_s <= head.time_s < (key.valid_until_s or head.time_s + 1)
            self._roles[account] = key.roles if is_live else Role(0)
            if self._agency is None:
                self._agency = key.agency
        if self._agency is not None:
            self._read_at = self._monotonic()
