"""Development ledgers of one to ten agencies, all with published test keys.

The first four are the parties of the first demonstration: a Macao laboratory that issues
certificates, the Macao health bureau that owns their schema, a Guangdong health commission that
verifies them on its own side, and an auditor that reads and, on so small a
ledger, is the data-protection authority as well. With fewer agencies they share nodes: the
bureau issues as well, the commission audits as well. Further agencies are there to fill the room.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_typing import Hash32

from contracts.codes import Role
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec, QbftSpec
from contracts.labels import encode_label
from contracts.testkeys import AGENCIES, get_address, get_tls_pin

CHAIN_ID: Final = 20_260
"""Not taken by a public chain that we know of."""

MEMBER: Final = Role.ADMIN | Role.GOVERN
SHARER: Final = MEMBER | Role.ISSUE | Role.EXCHANGE | Role.DECIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentAgency:
    """One fictional agency."""

    label: str
    """Its readable identifier."""
    jurisdiction: str
    """ISO 3166 code."""
    name: str
    """What people call it."""
    roles: Role


LABORATORY: Final = DevelopmentAgency(
    label="mo-health-laboratory",
    jurisdiction="MO",
    name="Public Health Laboratory, Macao",
    roles=SHARER,
)
BUREAU: Final = DevelopmentAgency(
    label="mo-health-bureau",
    jurisdiction="MO",
    name="Health Bureau, Macao",
    roles=SHARER | Role.SCHEMA | Role.DEPLOY,
)
COMMISSION: Final = DevelopmentAgency(
    label="gd-health-commission",
    jurisdiction="CN-GD",
    name="Health Commission, Guangdong",
    roles=SHARER | Role.SCHEMA,
)
AUDITOR: Final = DevelopmentAgency(
    label="mo-audit-office",
    jurisdiction="MO",
    name="Audit Office, Macao",
    roles=MEMBER | Role.AUDIT | Role.SUPERVISE,
)
FURTHER: Final = (
    ("gd-transport-department", "CN-GD", "Transport Department, Guangdong"),
    ("mo-identification-bureau", "MO", "Identification Bureau, Macao"),
    ("gd-civil-affairs-department", "CN-GD", "Civil Affairs Department, Guangdong"),
    ("mo-financial-bureau", "MO", "Financial Services Bureau, Macao"),
    ("gd-market-administration", "CN-GD", "Market Administration, Guangdong"),
    ("mo-housing-institute", "MO", "Housing Institute, Macao"),
)


def list_development_agencies(count: int) -> tuple[DevelopmentAgency, ...]:
    """List the agencies of a development ledger, 1 to 10; agency n has published keys n + 1."""
    if not 1 <= count <= AGENCIES:
        raise ValueError(f"a development ledger has 1 to {AGENCIES} agencies, not {count}")
    both = replace(BUREAU, roles=BUREAU.roles | LABORATORY.roles)
    reader = replace(COMMISSION, roles=COMMISSION.roles | AUDITOR.roles)
    if count == 1:
        return (replace(both, roles=both.roles | reader.roles),)
    if count == 2:
        return (both, reader)
    if count == 3:
        return (LABORATORY, BUREAU, reader)
    further = tuple(
        DevelopmentAgency(
            label=label,
            jurisdiction=jurisdiction,
            name=name,
            roles=SHARER | Role.SCHEMA,
        )
        for label, jurisdiction, name in FURTHER
    )
    return (LABORATORY, BUREAU, COMMISSION, AUDITOR, *further)[:count]


def build_development_spec(
    count: int = 4,
    *,
    parties: Sequence[DevelopmentAgency] = (),
    is_header_vote: bool = False,
    qbft: QbftSpec | None = None,
    chain_id: int = CHAIN_ID,
    first_key: int = 1,
) -> GenesisSpec:
    """Specify a development ledger of agencies with one validator each.

    They are the first `count` of the list, or the given parties; keys are published ones, by place,
    from number `first_key` on, so that ledgers side by side need not share any.
    """
    return GenesisSpec(
        chain_id=chain_id,
        qbft=qbft or QbftSpec(),
        is_header_vote=is_header_vote,
        agencies=tuple(
            _specify(number, agency)
            for number, agency in enumerate(
                parties or list_development_agencies(count), start=first_key
            )
        ),
    )


def _specify(number: int, agency: DevelopmentAgency) -> AgencySpec:
    accounts = [AccountSpec(address=get_address(number, "account"), roles=agency.roles)]
    if Role.ISSUE in agency.roles:
        accounts.append(AccountSpec(address=get_address(number, "clerk"), roles=Role.ISSUE))
    if Role.DEPLOY in agency.roles:
        accounts.append(AccountSpec(address=get_address(number, "deployer"), roles=Role.DEPLOY))
    return AgencySpec(
        agency_id=encode_label(agency.label),
        jurisdiction=encode_label(agency.jurisdiction),
        profile_hash=Hash32(bytes(32)),
        roles=agency.roles,
        accounts=tuple(accounts),
        validators=(get_address(number, "validator"),),
        tls_pins=(Hash32(get_tls_pin(number)),),
    )
