"""Everything that can go wrong in this library, sorted by who has to act.

One root, :class:`ClientError`, and three branches. *Refusals* concern material that somebody
handed in: a document, a schema, a file, a proof, a signature. They carry a stable ``code`` for
programs and a sentence for people. *Answers* are what a node said over REST, as RFC 9457 problem
documents. *Silences* are what a node did not say: no connection, no answer in time.

Programming mistakes (a salt of the wrong length made by our own code, an index out of range) are
assertions or ``ValueError`` and never belong to this tree.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ReasonCode(StrEnum):
    """Why material was refused. The values are part of the interface and do not change."""

    POINTER_MALFORMED = "pointer_malformed"
    SCHEMA_INVALID = "schema_invalid"
    DOCUMENT_MALFORMED = "document_malformed"
    FIELD_OUTSIDE_SCHEMA = "field_outside_schema"
    FIELD_MISMATCH = "field_mismatch"
    FIELD_MISSING = "field_missing"
    SALT_MALFORMED = "salt_malformed"
    COMMITMENT_MISMATCH = "commitment_mismatch"
    BATCH_PATH_MISMATCH = "batch_path_mismatch"
    FILE_MALFORMED = "file_malformed"
    VERSION_UNSUPPORTED = "version_unsupported"
    HOLDER_KEY_MALFORMED = "holder_key_malformed"
    HOLDER_NOT_PROVED = "holder_not_proved"
    HOLDER_SIGNATURE_INVALID = "holder_signature_invalid"
    WRONG_VERIFIER = "wrong_verifier"
    WRONG_PURPOSE = "wrong_purpose"
    WRONG_NONCE = "wrong_nonce"
    PRESENTATION_STALE = "presentation_stale"
    FORMAT_UNMAPPABLE = "format_unmappable"
    ISSUER_SIGNATURE_INVALID = "issuer_signature_invalid"


class ClientError(Exception):
    """The root of all errors of this library."""


class MaterialRefused(ClientError):
    """Something that was handed in cannot be used: a document, a file, a proof or a signature."""

    def __init__(self, code: ReasonCode, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        """The stable reason, for programs."""
        self.message = message
        """The reason as a sentence; it never quotes a field's value."""
        self.pointer = pointer
        """The JSON pointer of the field concerned, if it concerns one."""


class PointerMalformed(MaterialRefused):
    """A text is not an RFC 6901 JSON pointer."""

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(ReasonCode.POINTER_MALFORMED, message, pointer=pointer)


class SchemaInvalid(MaterialRefused):
    """An ordered list of pointers cannot serve as a schema."""

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(ReasonCode.SCHEMA_INVALID, message, pointer=pointer)


class DocumentRefused(MaterialRefused):
    """A document is not JSON in the sense of RFC 8785, or does not fit its schema."""


class CredentialRefused(MaterialRefused):
    """A credential file is malformed or contradicts itself."""


class ProofRefused(MaterialRefused):
    """A disclosed field or a batch path does not lead to the commitment."""


class PresentationRefused(MaterialRefused):
    """A presentation is malformed, not signed by the holder, or was made for another occasion."""


class FormatRefused(MaterialRefused):
    """A credential of another format is malformed, not signed, or says what cannot be mapped."""


class WebhookRefused(ClientError):
    """A message to a webhook is malformed, old, or not signed with the webhook's secret."""


class LedgerRefused(ClientError):
    """No ledger at hand fits a record's parties, or holds the record that a credential names."""

    def __init__(self, code: str, message: str, *, field: str, next_step: str) -> None:
        super().__init__(message)
        self.code = code
        """The stable reason, for programs, such as ``own_ledger_missing``."""
        self.message = message
        """The reason as a sentence."""
        self.field = field
        """The field concerned: a party, ``ledger`` or ``parties``."""
        self.next_step = next_step
        """What to do."""


class RestError(ClientError):
    """The root of what can go wrong between this library and a node's REST interface."""


class RestRefused(RestError):
    """The node or the ledger refused: at once, or in the block. ``problem`` says why.

    It is a problem document (RFC 9457); members beyond those below are kept in ``problem``.
    """

    def __init__(self, problem: Mapping[str, Any], message: str) -> None:
        self.problem = dict(problem)
        super().__init__(message)

    @property
    def type(self) -> str:
        """The problem's type, a URI reference; ``about:blank`` when the node gave none."""
        return str(self.problem.get("type") or "about:blank")

    @property
    def code(self) -> str:
        """The stable code for programs, such as ``consent_not_live``; empty when there is none."""
        return str(self.problem.get("code") or "")

    @property
    def detail(self) -> str | None:
        """What is wrong, in a sentence."""
        return self._get_text("detail")

    @property
    def field(self) -> str | None:
        """The field concerned, as a dotted path."""
        return self._get_text("field")

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields concerned: those that do not go together, or else the one."""
        named = self.problem.get("fields")
        if isinstance(named, list):
            return tuple(str(name) for name in named)
        return () if self.field is None else (self.field,)

    @property
    def rule(self) -> str | None:
        """The rule of the ledger that refuses it, as the contract states it."""
        return self._get_text("rule")

    @property
    def legal_reference(self) -> Mapping[str, Any] | None:
        """The law behind it: ``hash`` and ``text`` of the basis, ``laws`` by jurisdiction."""
        value = self.problem.get("legal_reference")
        return value if isinstance(value, Mapping) else None

    @property
    def next_step(self) -> str | None:
        """What to do."""
        return self._get_text("next_step")

    def _get_text(self, name: str) -> str | None:
        value = self.problem.get(name)
        return value if isinstance(value, str) else None


class RestProblem(RestRefused):
    """The node answered with an RFC 9457 problem document: the request was understood and refused.

    ``status`` is the HTTP status; ``problem`` the whole document, whose members beyond the standard
    ones are kept for the caller. ``retry_after_s`` is how long the node asks to wait, in seconds,
    ``None`` where it does not say.
    """

    def __init__(
        self, status: int, problem: Mapping[str, Any], *, retry_after_s: float | None = None
    ) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        title = str(problem.get("title") or f"HTTP status {status}")
        detail = problem.get("detail")
        super().__init__(problem, f"{title}: {detail}" if detail else title)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later without being changed."""
        return self.status in {408, 425, 429, 502, 503, 504}


class OperationFailed(RestRefused):
    """A write was accepted, and refused in its block: something had changed in between.

    ``operation`` is its identifier and ``kind`` what it was to do. Nothing was changed on the
    ledger; another write needs an idempotency key of its own.
    """

    def __init__(
        self, operation: str, kind: str, error: str | None, refusal: Mapping[str, Any] | None
    ) -> None:
        self.operation = operation
        self.kind = kind
        problem = {"rule": error, "detail": error} if refusal is None else refusal
        super().__init__(problem, f"{kind} failed: {problem.get('detail') or error}")


class RestUnreachable(RestError):
    """The node could not be reached or did not answer in time; nothing is known of the outcome."""


class RestAnswerMalformed(RestError):
    """The node answered with something that this library does not understand."""
