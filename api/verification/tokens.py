"""Checking a token: an SD-JWT VC or a W3C Verifiable Credential 2.0 that an agency exported.

An account key of the issuer signed it. The registry says whose key that is, and the token's own
time must lie within the key's. A whole token gives back the credential file, and then the file's
commitment counts; where only some fields are shown, their values rest on the issuer's signature.
Either way the record that the token names must stand on the ledger.

A key that has ended still proves what was signed while it lived. The time is the token's own, so
whoever stole such a key can date a token back. The thief cannot make a record; of a record that
exists, only a token that is not whole can misstate fields.
"""

import asyncio

from atesta_client.credentials import Credential, RecordReference
from atesta_client.errors import FormatRefused, MaterialRefused, ReasonCode
from atesta_client.formats.jose import Token
from atesta_client.formats.named import NamedToken, TokenFormat
from atesta_client.formats.sd_jwt_vc import SALTS_CLAIM, import_sd_jwt_vc, open_sd_jwt_vc
from atesta_client.formats.showing import list_values, validate_shown
from atesta_client.formats.vc_jwt import import_vc_jwt
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.presentations import MAX_CLOCK_SKEW_S, HolderCheck

from api.records import Records
from api.verification.check import Check
from api.verification.files import check_credential
from api.verification.occasions import Occasions
from contracts.codes import Role


class IssuerKeys:
    """The account keys that the registry lists, asked as the keys of tokens."""

    def __init__(self, records: Records) -> None:
        """Ask `records`."""
        self._records = records

    async def is_issuers(self, named: NamedToken, *, block: int, now_s: int) -> bool:
        """Return whether the key in a token's header was its issuer's when it was signed."""
        address = named.address
        found = None if address is None else await self._records.get_key(address, block)
        return (
            found is not None
            and found.agency == named.record.issuer
            and Role.ISSUE in found.roles
            # An agency's clock may differ from the chain's, by which the key's life is counted.
            and found.valid_from_s - MAX_CLOCK_SKEW_S <= named.issued_at_s
            and (not found.valid_until_s or named.issued_at_s < found.valid_until_s)
            and named.issued_at_s <= now_s + MAX_CLOCK_SKEW_S
        )


class Tokens:
    """Checks exports for one agency."""

    def __init__(self, *, keys: IssuerKeys, occasions: Occasions, max_age_s: int) -> None:
        """Look issuers up in `keys`; a holder's signature may be `max_age_s` old."""
        self._keys = keys
        self._occasions = occasions
        self._max_age_s = max_age_s

    async def check(self, check: Check, text: str, named: NamedToken) -> None:
        """Check who signed a token, what it shows, and who presents it; the record comes after."""
        if not await self._keys.is_issuers(named, block=check.head.number, now_s=check.now_s):
            check.refuse("issuer_key_unknown")
            return
        try:
            if _is_whole(named):
                check_credential(check, await asyncio.to_thread(read_export, text, named))
            else:
                await self._check_shown(check, text, named)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            # A nonce is spent only by a signature that holds.
            check.challenge = None

    async def _check_shown(self, check: Check, text: str, named: NamedToken) -> None:
        assert named.sd_jwt is not None, "the other format is always whole"
        occasion = await self._occasions.find(check, named.sd_jwt.key_binding)
        if occasion is None:
            check.open(list_values(await asyncio.to_thread(open_sd_jwt_vc, text, find_header_key)))
            return
        shown = await asyncio.to_thread(
            validate_shown,
            text,
            find_header_key,
            occasion=occasion,
            now_s=check.now_s,
            max_age_s=self._max_age_s,
        )
        check.open(shown.values)
        check.holder_checked = shown.holder is HolderCheck.PROVED
        if not check.holder_checked:
            check.challenge = None


def read_export(text: str, named: NamedToken) -> Credential:
    """Read a whole export back into its credential file; its key is known to be the issuer's.

    Raises `MaterialRefused`.
    """
    if named.format is TokenFormat.SD_JWT_VC:
        return import_sd_jwt_vc(text, find_header_key)
    return import_vc_jwt(text, find_header_key)


def find_header_key(token: Token, _record: RecordReference) -> HolderPublicKey:
    """Return the key in a token's header, once the registry has said whose it is."""
    key = token.find_key()
    if key is None:
        raise FormatRefused(ReasonCode.ISSUER_SIGNATURE_INVALID, "the token names no key")
    return key


def _is_whole(named: NamedToken) -> bool:
    """Return whether a token is meant as the whole credential, not as some fields of it."""
    if named.sd_jwt is None:
        return True
    return named.sd_jwt.key_binding is None and any(
        disclosure.name == SALTS_CLAIM for disclosure in named.sd_jwt.disclosures
    )
