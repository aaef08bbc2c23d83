"""The values that may enter a transaction: one type for each kind of thing, all of fixed size.

A value of these types can only be made from bytes or a number that fits the kind; `of` raises
`InvalidField` with the name of the field, and never repeats what it was given. There is no type for
text. A label of an agency, a jurisdiction or a language is public, and is one of those the ledger
knows (`transactions` asks the registry).
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from api.errors import InvalidField
from api.firewall.chance import WIDTH, find_disguise, refuse_disguise
from contracts.labels import LABEL_PATTERN

MAX_TIME_S: Final = 2**33
"""The year 2242: beyond every end of validity, and short of every number of a person."""
MAX_COUNT: Final = 2**53
"""Numbers that every JSON reader keeps whole."""
MAX_AMOUNT: Final = 2**128
_NO_BYTES = bytes(WIDTH)
_NUMBER: Final = re.compile(rb"[0-9](?:-?[0-9]){5}")
_SCRIPTS: Final = (
    "Adlm|Arab|Armn|Beng|Bopo|Cans|Cher|Cyrl|Deva|Ethi|Geor|Grek|Gujr|Guru|Hang|Hani|Hans|Hant|Hebr"
    "|Hira|Hrkt|Java|Jpan|Kana|Khmr|Knda|Kore|Laoo|Latn|Mlym|Mong|Mymr|Nkoo|Orya|Sinh|Syrc|Taml"
    "|Telu|Tfng|Thaa|Thai|Tibt|Yiii"
)
_VARIANTS: Final = "pinyin|wadegile|tongyong|jyutping|hepburn|monoton|polyton|tarask|valencia"
_LANGUAGE: Final = re.compile(
    rf"[a-z]{{2,3}}(-({_SCRIPTS}))?(-([A-Z]{{2}}|[0-9]{{3}}))?(-({_VARIANTS}))?"
)
"""Scripts of ISO 15924 in use today and variants of IANA's registry: free letters spell names."""


@dataclass(frozen=True, slots=True)
class Value:
    """The root of the typed values."""

    data: Any
    """Bytes or a number, as the ABI takes it."""
    may_be_strict: ClassVar[bool] = False
    """Whether the commitment rule has a stricter measure for it, unopened."""

    @classmethod
    def of(cls, value: Any, field: str, *, is_strict: bool = False) -> "Value":
        """Check a value; raises `InvalidField` that names the field."""
        cls.check(value, field, is_strict=is_strict and cls.may_be_strict)
        return cls(value)

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:
        """Raise `InvalidField` unless a value is of this kind."""
        raise NotImplementedError


class Digest(Value):
    """32 bytes that look like chance, or nothing (zeros)."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:
        """Apply the commitment rule."""
        if not isinstance(value, bytes) or len(value) != WIDTH:
            raise InvalidField(field, f"must be {WIDTH} bytes")
        if value == _NO_BYTES:
            return
        what = find_disguise(value, is_strict=is_strict)
        if what is not None:
            raise refuse_disguise(field, what)


class Commitment(Digest):
    """A salted commitment, or the root over such."""

    __slots__ = ()
    may_be_strict: ClassVar[bool] = True


class Uid(Digest):
    """The random name of a record."""

    __slots__ = ()


class PublicHash(Digest):
    """The hash of something that may be read by everybody: a text, a decision, a certificate."""

    __slots__ = ()


class PublicName(Value):
    """The identifier of an agency or a jurisdiction: a label, or 32 bytes that look like chance."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:
        """Check the form; whether the ledger knows the name is asked of the registry."""
        if not isinstance(value, bytes) or len(value) != WIDTH:
            raise InvalidField(field, f"must be {WIDTH} bytes")
        try:
            text = value.rstrip(b"\0").decode("ascii")
        except UnicodeDecodeError:
            text = ""
        if not text or LABEL_PATTERN.fullmatch(text) is None:
            Digest.check(value, field, is_strict=is_strict)


class AgencyName(PublicName):
    """An agency of the ledger."""

    __slots__ = ()


class JurisdictionName(PublicName):
    """A jurisdiction of the ledger."""

    __slots__ = ()


class NewName(PublicName):
    """The name of an agency or a jurisdiction that the agencies shall vote on: public, new."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:
        """Check the form; nobody has admitted the name yet, so it may not be a person's number."""
        super().check(value, field, is_strict=is_strict)
        text = value.rstrip(b"\0")
        if LABEL_PATTERN.fullmatch(text.decode("latin-1")) and _NUMBER.search(text):
            raise refuse_disguise(field, "digits")


class Language(Value):
    """A language tag (BCP 47): language, known script, region, known variant; or nothing."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:  # noqa: ARG003
        """Check the tag; private and extension subtags could hold anything."""
        if not isinstance(value, bytes) or len(value) != WIDTH:
            raise InvalidField(field, f"must be {WIDTH} bytes")
        text = value.rstrip(b"\0").decode("ascii", "replace")
        if text and _LANGUAGE.fullmatch(text) is None:
            raise InvalidField(
                field,
                "is not a language as the ledger takes it",
                next_step="give language, script and region only, such as zh-Hant-MO",
            )


class AddressValue(Value):
    """The address of a key or a contract: the end of a hash; or nothing (zeros)."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:  # noqa: ARG003
        """Refuse 20 bytes that read as text or digits; the ledger's own addresses may pass."""
        if not isinstance(value, bytes) or len(value) != 20:
            raise InvalidField(field, "must be 20 bytes")
        if value[:16] == bytes(16):  # a fixed address, or none: room for four bytes
            return
        what = find_disguise(value)
        if what is not None:
            raise refuse_disguise(field, what)


class Number(Value):
    """A whole number below a bound."""

    __slots__ = ()
    bound: ClassVar[int] = 2**256

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:  # noqa: ARG003
        """Check type and bound."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidField(field, "must be a whole number")
        if not 0 <= value < cls.bound:
            raise InvalidField(field, f"must be from 0 to {cls.bound - 1}")


class Code(Number):
    """A number of a short table: a state, a reason, a kind."""

    __slots__ = ()
    bound: ClassVar[int] = 256


class Flag(Value):
    """Yes or no."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:  # noqa: ARG003
        """Check the type."""
        if not isinstance(value, bool):
            raise InvalidField(field, "must be true or false")


class Roles(Number):
    """A set of roles of keys."""

    __slots__ = ()
    bound: ClassVar[int] = 512


class Time(Number):
    """A moment or a length of time in seconds; zero for none."""

    __slots__ = ()
    bound: ClassVar[int] = MAX_TIME_S


class Count(Number):
    """How many; an index; a number for one use."""

    __slots__ = ()
    bound: ClassVar[int] = MAX_COUNT


class Amount(Number):
    """The limit of a power, in the unit of its list."""

    __slots__ = ()
    bound: ClassVar[int] = MAX_AMOUNT


class FieldMask(Number):
    """One bit for each field of a dataset, or each act of a list."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:
        """Refuse bits that read as text or packed digits; a mask is mostly runs of bits."""
        super().check(value, field, is_strict=is_strict)
        data = value.to_bytes(WIDTH, "big").strip(b"\0")
        # Seven bytes and more hold a number of a person; fewer are as good as any set of fields.
        if len(data) >= 7 and (
            all(0x20 <= byte <= 0x7E for byte in data)
            or (len(set(data)) > 2 and all(byte >> 4 <= 9 and byte & 15 <= 9 for byte in data))
        ):
            raise refuse_disguise(field, "text or digits")


class Signature(Value):
    """A recoverable signature: r, s, v."""

    __slots__ = ()

    @classmethod
    def check(cls, value: Any, field: str, *, is_strict: bool) -> None:  # noqa: ARG003
        """Check the size, and that neither half reads as text."""
        if not isinstance(value, bytes) or len(value) != 65:
            raise InvalidField(field, "must be 65 bytes")
        for half in (value[:WIDTH], value[WIDTH : 2 * WIDTH]):
            what = find_disguise(half)
            if what is not None:
                raise refuse_disguise(field, what)
