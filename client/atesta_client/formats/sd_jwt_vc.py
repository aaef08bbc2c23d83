"""SD-JWT VC: a credential as a token whose fields its holder can show one by one.

The export keeps the salt of every field as the salt of its disclosure, so that the whole token and
the credential file are two spellings of the same thing: reading an export gives the file again, and
the file's commitment still proves it against the ledger.

==================  ============================================================================
claim               what
==================  ============================================================================
``iss``             ``urn:atesta:<chain id>:agency:<agency id>``
``vct``             ``urn:atesta:<chain id>:schema:<schema uid>``
``iat``, ``exp``    when it was exported; the record's end of validity, if it has one
``cnf``             the holder's key, if the document has one: the value of its field ``/cnf``
``status``          ``{"atesta_ledger": …}``: the record whose state on the ledger counts
``atesta``          the record as the credential file has it, with the schema's fields in order
``_sd``             one digest per top-level field of the schema, and one more
==================  ============================================================================

An object or array that the schema splits is a disclosure that holds digests again. A field that the
document lacks is a decoy, so that the number of digests tells nothing. The one more is
``atesta_salts``: the salts of fields without a disclosure of their own, which only the whole
credential needs.

What SD-JWT cannot say exactly is refused with the field's pointer: a document that is one field; a
field whose name SD-JWT VC gives a meaning of its own; an element of an array that is a field by
itself, because a hidden element moves those after it; a value with a member ``_sd`` or ``...``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.base64url import decode_base64url, encode_base64url
from atesta_client.commitments import SALT_SIZE, RandomBytes
from atesta_client.credentials import Credential, RecordReference, format_record, read_record
from atesta_client.formats.jose import (
    IssuerKey,
    Token,
    read_token,
    refuse_claim,
    refuse_token,
    sign_token,
    verify_token,
)
from atesta_client.formats.sd_jwt import (
    ALGORITHM,
    DIGESTS,
    ELEMENT,
    HASH_NAME,
    Disclosure,
    OpenedClaims,
    SdJwt,
    decode_sd_jwt,
    make_disclosure,
    open_claims,
)
from atesta_client.holder_keys import HOLDER_KEY_POINTER, HolderPublicKey
from atesta_client.pointers import JsonValue, format_pointer, parse_pointer
from atesta_client.schemas import Schema
from atesta_client.wire import ObjectReader, format_digest

MEDIA_TYPE: Final = "dc+sd-jwt"
"""The ``typ`` of an SD-JWT VC."""

MEDIA_TYPES: Final = (MEDIA_TYPE, "vc+sd-jwt")
"""The types read: drafts before November 2024 used the second."""

RECORD_CLAIM: Final = "atesta"
"""The claim that holds the ledger's record."""

SALTS_CLAIM: Final = "atesta_salts"
"""The disclosure that holds the salts of fields without one of their own."""

STATUS_NAME: Final = "atesta_ledger"
"""The member of ``status`` that says where the state is read."""

RESERVED: Final = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "vct", "vct#integrity", "cnf", "status"}
    | {RECORD_CLAIM, SALTS_CLAIM, ALGORITHM}
)
"""Claims that mean something to every reader of a token, so no field may have these names."""

FindKey = Callable[[Token, RecordReference], HolderPublicKey]
"""Returns the key with which this record's issuer must have signed this token.

It may raise :class:`FormatRefused`. The header's own key is no answer unless it was looked up.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedToken:
    """An export of ours, checked against its issuer's key."""

    record: RecordReference
    """The ledger's record that it names."""
    issued_at_s: int
    """When it was signed, in seconds since 1970."""
    opened: OpenedClaims
    """What is shown."""
    sd_jwt: SdJwt
    """The token with its disclosures."""

    @property
    def holder_key(self) -> HolderPublicKey | None:
        """The holder's key, ``None`` where the document has none."""
        field = self.opened.claims.get("cnf")
        return None if field is None else HolderPublicKey.from_field(field)


def export_sd_jwt_vc(
    credential: Credential, key: IssuerKey, *, now_s: int, random_bytes: RandomBytes
) -> str:
    """Write a credential as an SD-JWT VC with everything disclosed, for its holder.

    ``now_s`` is the present time in seconds since 1970. Raises :class:`FormatRefused` with the
    pointer of the first field that cannot be mapped, and what :meth:`Credential.commit` raises.
    """
    credential.commit()
    record, document, holder = credential.record, credential.document, credential.holder_key
    root = _build_tree(record.schema)
    writer = _Writer(credential=credential, random_bytes=random_bytes)
    members = dict(document)
    members.pop("cnf", None)
    payload = writer.conceal_object(members, root)
    left = make_disclosure(writer.draw_salt(), SALTS_CLAIM, writer.get_left_salts())
    payload[DIGESTS] = sorted([*payload[DIGESTS], left.digest])
    claims = {
        **build_claims(
            record,
            issued_at_s=now_s,
            holder=None if holder is None else holder.to_field(),
        ),
        **payload,
        ALGORITHM: HASH_NAME,
    }
    token = sign_token(claims, key, media_type=MEDIA_TYPE)
    return SdJwt(token=token, disclosures=(*writer.disclosures, left)).encode()


def import_sd_jwt_vc(text: str, find_key: FindKey) -> Credential:
    """Read a whole export back into the credential that it was made of.

    Raises :class:`FormatRefused` when it is malformed, not signed by the issuer, or leaves a field
    hidden, and what :meth:`Credential.commit` raises when it contradicts its commitment.
    """
    token = open_sd_jwt_vc(text, find_key)
    if token.sd_jwt.key_binding is not None:
        raise refuse_token("it is a presentation, signed by the holder, and no whole credential")
    claims, places = dict(token.opened.claims), token.opened.places
    left = claims.pop(SALTS_CLAIM, None)
    if not isinstance(left, dict):
        raise refuse_claim(f"/{SALTS_CLAIM}", "is not shown; a whole credential has it")
    schema = token.record.schema
    salts = [
        places[pointer].salt if pointer in places else left.get(pointer)
        for pointer in schema.pointers
    ]
    for pointer, salt in zip(schema.pointers, salts, strict=True):
        if salt is None:
            raise refuse_claim(pointer, "is not shown; a whole credential shows every field")
    names = {parse_pointer(pointer)[0] for pointer in schema.pointers}
    document = {name: value for name, value in claims.items() if name in names}
    credential = Credential(
        record=token.record,
        document=document,
        salts=tuple(_read_salt(salt) for salt in salts),
    )
    credential.commit()
    return credential


def open_sd_jwt_vc(text: str, find_key: FindKey) -> OpenedToken:
    """Check an export of ours, whole or in part: the issuer's signature and that its claims agree.

    Raises :class:`FormatRefused`, or :class:`CredentialRefused` for a malformed record.
    """
    sd_jwt = decode_sd_jwt(text)
    token = read_token(sd_jwt.token)
    record = _read_record(token.claims)
    verify_token(token, find_key(token, record), media_types=MEDIA_TYPES)
    opened = open_claims(token.claims, sd_jwt.disclosures)
    issued_at_s = ObjectReader(token.claims, "token").get_integer("iat")
    expected = build_claims(record, issued_at_s=issued_at_s, holder=token.claims.get("cnf"))
    for name in sorted({*expected, *token.claims} - {DIGESTS, ALGORITHM}):
        if name not in expected or token.claims.get(name) != expected[name]:
            raise refuse_claim(f"/{name}", "does not belong to the record that the token names")
    known = {*expected, SALTS_CLAIM, *(parse_pointer(p)[0] for p in record.schema.pointers if p)}
    for name in sorted(set(opened.claims) - known):
        raise refuse_claim(f"/{name}", "is no field of the schema that the token names")
    return OpenedToken(record=record, issued_at_s=issued_at_s, opened=opened, sd_jwt=sd_jwt)


def build_claims(
    record: RecordReference, *, issued_at_s: int, holder: JsonValue
) -> dict[str, JsonValue]:
    """Return the claims that are always shown."""
    claims: dict[str, JsonValue] = {
        "iss": format_agency(record),
        "vct": format_schema(record),
        "iat": issued_at_s,
        "status": {STATUS_NAME: format_status(record)},
        RECORD_CLAIM: format_record(record),
    }
    if record.valid_until_s:
        claims["exp"] = record.valid_until_s
    if holder is not None:
        claims["cnf"] = holder
    return claims


def format_agency(record: RecordReference) -> str:
    """Return the URI of a record's issuer."""
    return f"urn:atesta:{record.ledger.chain_id}:agency:{record.issuer.hex()}"


def format_schema(record: RecordReference) -> str:
    """Return the URI of a record's schema."""
    return f"urn:atesta:{record.ledger.chain_id}:schema:{record.schema.uid.hex()}"


def format_status(record: RecordReference) -> dict[str, JsonValue]:
    """Return where on the ledger a record's state is read."""
    status: dict[str, JsonValue] = {
        "chain_id": record.ledger.chain_id,
        "genesis_hash": format_digest(record.ledger.genesis_hash),
        "uid": format_digest(record.uid),
    }
    if record.batch is not None:
        status["batch"] = {
            "uid": format_digest(record.batch.uid),
            "index": record.batch.index,
        }
    return status


class _Writer:
    """Hides a document along its schema and collects the disclosures."""

    def __init__(self, *, credential: Credential, random_bytes: RandomBytes) -> None:
        self.disclosures: list[Disclosure] = []
        self._schema = credential.record.schema
        self._salts = credential.salts
        self._random_bytes = random_bytes
        self._disclosed: set[int] = set()

    def conceal_object(self, members: Mapping[str, JsonValue], node: "_Node") -> dict[str, Any]:
        """Return an object that holds one digest for each field of the schema in it."""
        digests = []
        for token, child in node.children.items():
            if token in {DIGESTS, ELEMENT}:
                raise refuse_claim(child.pointer, "has a name that SD-JWT keeps for itself")
            if token not in members:
                digests.append(encode_base64url(self._random_bytes(SALT_SIZE)))
            else:
                digests.append(self._disclose(token, members[token], child).digest)
        # The order of the digests must not tell which claim each belongs to.
        return {DIGESTS: sorted(digests)}

    def draw_salt(self) -> str:
        """Draw the salt of a disclosure that is no field."""
        return encode_base64url(self._random_bytes(SALT_SIZE))

    def get_left_salts(self) -> dict[str, JsonValue]:
        """Return the salts of the fields that have no disclosure of their own, by pointer."""
        return {
            pointer: encode_base64url(self._salts[index])
            for index, pointer in enumerate(self._schema.pointers)
            if index not in self._disclosed
        }

    def _disclose(self, name: str, value: JsonValue, node: "_Node") -> Disclosure:
        if node.index is not None:
            _check_value(value, node.pointer)
            self._disclosed.add(node.index)
            made = make_disclosure(encode_base64url(self._salts[node.index]), name, value)
        else:
            made = make_disclosure(self.draw_salt(), name, self._conceal(value, node))
        self.disclosures.append(made)
        return made

    def _conceal(self, value: JsonValue, node: "_Node") -> JsonValue:
        """Return what a split object or array holds in place of its fields."""
        if isinstance(value, dict):
            return self.conceal_object(value, node)
        elements = []
        for place, element in enumerate(value):
            child = node.children[str(place)]
            if child.index is not None:
                raise refuse_claim(
                    child.pointer,
                    "is one element of an array; hiding it would move those after it",
                )
            elements.append(self._conceal(element, child))
        return elements


@dataclass(slots=True, kw_only=True)
class _Node:
    """A place in documents of a schema: a field, or what the schema splits."""

    pointer: str
    index: int | None
    children: dict[str, "_Node"]


def _build_tree(schema: Schema) -> _Node:
    """Arrange a schema's fields by name; raises for those that no claim can stand for."""
    root = _Node(pointer="", index=None, children={})
    for index, pointer in enumerate(schema.pointers):
        tokens = parse_pointer(pointer)
        if not tokens:
            raise refuse_claim(pointer, "is the whole document, which has no name as a claim")
        if pointer == HOLDER_KEY_POINTER:
            continue
        if tokens[0] in RESERVED:
            raise refuse_claim(pointer, "has a name to which SD-JWT VC gives another meaning")
        node = root
        for depth, token in enumerate(tokens, start=1):
            made = _Node(pointer=format_pointer(tokens[:depth]), index=None, children={})
            node = node.children.setdefault(token, made)
        node.index = index
    return root


def _check_value(value: JsonValue, pointer: str) -> None:
    members: Iterable[JsonValue] = ()
    if isinstance(value, dict):
        if DIGESTS in value or ELEMENT in value:
            raise refuse_claim(pointer, "holds a member that SD-JWT keeps for itself")
        members = value.values()
    elif isinstance(value, list):
        members = value
    for member in members:
        _check_value(member, pointer)


def _read_record(claims: Mapping[str, JsonValue]) -> RecordReference:
    if RECORD_CLAIM not in claims:
        raise refuse_claim(f"/{RECORD_CLAIM}", "is missing: this is no export of a ledger's record")
    reader = ObjectReader(claims[RECORD_CLAIM], f"token.{RECORD_CLAIM}")
    record = read_record(reader)
    reader.finish()
    return record


def _read_salt(text: JsonValue) -> bytes:
    salt = decode_base64url(text)
    if salt is None or len(salt) != SALT_SIZE:
        raise refuse_token(f"a salt is not {SALT_SIZE} bytes in base64url")
    return salt
