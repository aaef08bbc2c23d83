"""What an export of ours says of itself, before anything of it is proved.

Whoever checks a token needs the issuer's key first, and to find the key on the ledger it must know
which record the token names, which account is said to have signed it, and when. That much is read
here from either format. None of it may be relied on until :func:`open_sd_jwt_vc` or
:func:`import_vc_jwt` has checked the signature with the key that was found.
"""

from dataclasses import dataclass
from enum import StrEnum

from atesta_client.credentials import RecordReference, read_record
from atesta_client.formats.jose import Token, compute_address, read_token, refuse_claim
from atesta_client.formats.sd_jwt import SdJwt, decode_sd_jwt
from atesta_client.formats.sd_jwt_vc import MEDIA_TYPES as SD_JWT_VC_TYPES
from atesta_client.formats.sd_jwt_vc import RECORD_CLAIM
from atesta_client.formats.vc_jwt import MEDIA_TYPE as VC_JWT_TYPE
from atesta_client.formats.vc_jwt import read_issue_time
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.wire import ObjectReader


class TokenFormat(StrEnum):
    """A format that others read."""

    SD_JWT_VC = "sd-jwt-vc"
    """SD-JWT VC: fields can be shown one by one."""
    VC_JWT = "vc-jwt"
    """W3C Verifiable Credential 2.0 as ``vc+jwt``: always shown whole."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """The ``typ`` of its tokens, the one written first."""
        return SD_JWT_VC_TYPES if self is TokenFormat.SD_JWT_VC else (VC_JWT_TYPE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedToken:
    """What a token says of itself; nothing of it is proved."""

    format: TokenFormat
    """Its format, as its outer form tells."""
    record: RecordReference
    """The ledger's record that it names."""
    issued_at_s: int
    """When it says that it was signed, in seconds since 1970."""
    key: HolderPublicKey | None
    """The key in its header, ``None`` where it has none."""
    sd_jwt: SdJwt | None
    """The token with its disclosures; ``None`` for a Verifiable Credential 2.0."""

    @property
    def address(self) -> bytes | None:
        """The address of the account whose key the header holds; ``None`` if it is no account's."""
        return None if self.key is None else compute_address(self.key)


def read_named_token(text: str) -> NamedToken:
    """Read what a token says of itself.

    Raises :class:`FormatRefused` when it is malformed or, with the pointer ``/atesta``, when it
    names no record of a ledger; :class:`CredentialRefused` when that record is malformed.
    """
    text = text.strip()
    form, sd_jwt, token = _take_apart(text)
    if RECORD_CLAIM not in token.claims:
        raise refuse_claim(f"/{RECORD_CLAIM}", "is missing: this is no export of a ledger's record")
    record = read_record(ObjectReader(token.claims[RECORD_CLAIM], f"token.{RECORD_CLAIM}"))
    issued_at_s = (
        ObjectReader(token.claims, "token").get_integer("iat")
        if form is TokenFormat.SD_JWT_VC
        else read_issue_time(token.claims)
    )
    return NamedToken(
        format=form, record=record, issued_at_s=issued_at_s, key=token.find_key(), sd_jwt=sd_jwt
    )


def find_format(text: str) -> TokenFormat:
    """Return the format that a token's outer form tells: only an SD-JWT has a tilde."""
    return TokenFormat.SD_JWT_VC if "~" in text else TokenFormat.VC_JWT


def is_export(text: str) -> bool:
    """Return whether a token names a record of a ledger; nothing else of it is looked at.

    Raises :class:`FormatRefused` when it is malformed.
    """
    return RECORD_CLAIM in _take_apart(text.strip())[2].claims


def _take_apart(text: str) -> tuple[TokenFormat, SdJwt | None, Token]:
    form = find_format(text)
    sd_jwt = decode_sd_jwt(text) if form is TokenFormat.SD_JWT_VC else None
    return form, sd_jwt, read_token(text if sd_jwt is None else sd_jwt.token)
