"""Putting decisions to the vote of all agencies and voting on them, through a running node.

Every decision is a transaction of an agency's own account key with the GOVERN role. The key is
opened here and signs here; the node only gets signed bytes, because a node never signs for callers.
On another network it is the same registry at another address, the account pays, and "final" is what
the network reports (`node.cli.ledger_access`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.codec import decode_output, encode_call
from contracts.codes import AgencyStatus, ProposalStatus, Role
from contracts.decisions import PAYLOADS, DecisionKind, decode_payload, encode_payload
from contracts.errors import CodecError
from contracts.genesis_spec import AgencySpec
from contracts.labels import LABEL_PATTERN, encode_label, format_identifier
from contracts.refusals import find_refusal
from node.cli.devnet.rpc import NodeRpc, RpcError
from node.cli.ledger_access import LedgerAccess
from node.errors import OperationalFault, UserFault

GAS: Final = 3_000_000
_NO_ADDRESS: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """One proposal as an officer reads it."""

    number: int
    kind: str
    """What shall be done, such as `add-validator`."""
    parameters: Mapping[str, str]
    status: str
    """open, passed (waiting for its time), executed, withdrawn or expired."""
    proposer: str
    approvals: int
    rejections: int
    expires: int
    """Seconds since 1970."""
    ready: int
    """From when what has passed may be carried out, seconds since 1970; 0 while it has not."""
    document_hash: str


class Registry:
    """The registry contract, asked and told through one node's JSON-RPC."""

    def __init__(self, rpc: NodeRpc | LedgerAccess, private_key: bytes | None = None) -> None:
        """Take a connection and, to send, the private key of an account with the GOVERN role."""
        self._access = rpc if isinstance(rpc, LedgerAccess) else LedgerAccess(rpc=rpc)
        self._rpc = self._access.rpc
        self._address = self._access.network.book.get_address(AGENCY_REGISTRY_NAME)
        self._private_key = private_key

    @property
    def has_validators(self) -> bool:
        """Whether those whom it lists make the blocks; on another network they do not."""
        return self._access.network.finality.is_final

    @property
    def account(self) -> bytes:
        """The address, 20 bytes, of the key that signs; there must be one."""
        assert self._private_key is not None, "only a registry with a key has an account"
        return bytes.fromhex(Account.from_key(self._private_key).address[2:])

    def get_proposals(self) -> list[ProposalView]:
        """Return all proposals, the newest first."""
        count = self.ask("proposal_count")
        return [self.get_proposal(number) for number in range(count, 0, -1)]

    def get_proposal(self, number: int) -> ProposalView:
        """Return one proposal; UserFault if there is none of this number."""
        if not 0 < number <= self.ask("proposal_count"):
            raise UserFault("there is no such proposal", field=str(number))
        raw = self.ask("proposal", number)
        kind = DecisionKind(raw["kind"])
        return ProposalView(
            number=number,
            kind=format_kind(kind),
            parameters={
                name: format_parameter(name, value)
                for name, value in decode_payload(raw["kind"], raw["payload"]).items()
            },
            status=ProposalStatus(raw["status"]).name.lower(),
            proposer=format_identifier(raw["proposer"]),
            approvals=int(raw["approvals"]).bit_count(),
            rejections=int(raw["rejections"]).bit_count(),
            expires=raw["expires"],
            ready=raw["ready"],
            document_hash="0x" + bytes(raw["document_hash"]).hex(),
        )

    def propose(
        self, kind: DecisionKind, payload: bytes, *, document_hash: bytes, expires: int
    ) -> int:
        """Put a decision to the vote and return its number, once that is final."""
        self.act("propose", int(kind), payload, document_hash, expires)
        newest: int = self.ask("proposal_count")
        for number in range(newest, 0, -1):
            raw = self.ask("proposal", number)
            if (raw["kind"], raw["payload"], raw["expires"]) == (int(kind), payload, expires):
                return number
        raise OperationalFault("the proposal is made but the node does not show it")

    def vote(self, number: int, *, approve: bool) -> ProposalView:
        """Vote, wait until that is final, and return how the proposal then stands."""
        self.get_proposal(number)
        self.act("vote", number, approve)
        return self.get_proposal(number)

    def withdraw(self, number: int) -> ProposalView:
        """Withdraw a proposal of one's own agency."""
        self.get_proposal(number)
        self.act("withdraw_proposal", number)
        return self.get_proposal(number)

    def carry_out(self, number: int) -> ProposalView:
        """Carry out a decision that has passed and has waited for its time."""
        self.get_proposal(number)
        self.act("carry_out", number)
        return self.get_proposal(number)

    def read_validators(self) -> dict[bytes, bytes]:
        """Return the agency of each present validator, by its address of 20 bytes."""
        return {
            bytes(validator): bytes(self.ask("validator_agency", validator))
            for validator in self.ask("getValidators")
        }

    def read_jurisdictions(self) -> tuple[dict[bytes, bytes], set[bytes]]:
        """Return the jurisdiction of each agency ever admitted, and those of the active ones."""
        rows = [
            self.ask("agency", self.ask("agency_at", index))
            for index in range(self.ask("agency_count"))
        ]
        of_agencies = {bytes(row["agency_id"]): bytes(row["jurisdiction"]) for row in rows}
        active = {
            bytes(row["jurisdiction"]) for row in rows if row["status"] == AgencyStatus.ACTIVE
        }
        return of_agencies, active

    def ask(self, function: str, *args: Any) -> Any:
        """Ask the registry at this node's last final block, or at what is reported as such."""
        request = {
            "to": "0x" + self._address.hex(),
            "data": "0x" + encode_call(AGENCY_REGISTRY_NAME, function, args).hex(),
        }
        output = self._rpc.call("eth_call", request, self._access.network.finality.tag)
        return decode_output(AGENCY_REGISTRY_NAME, function, bytes.fromhex(output[2:]))

    def act(self, function: str, *args: Any) -> None:
        """Try the act, then send it and wait until it is final; refusals name the rule."""
        assert self._private_key is not None, "only a registry with a key can send"
        account = Account.from_key(self._private_key)
        data = "0x" + encode_call(AGENCY_REGISTRY_NAME, function, args).hex()
        to = "0x" + self._address.hex()
        try:
            self._rpc.call("eth_call", {"from": account.address, "to": to, "data": data}, "latest")
        except RpcError as error:
            raise refuse(error.message) from error
        fees = self._access.quote_fees(bytes.fromhex(account.address[2:]), gas=GAS)
        fields = {
            "type": 2,
            "chainId": int(self._rpc.call("eth_chainId"), 16),
            "nonce": int(self._rpc.call("eth_getTransactionCount", account.address, "pending"), 16),
            "gas": GAS,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
            "value": 0,
            "to": self._address,
            "data": data,
        }
        signed = Account.sign_transaction(fields, self._private_key)
        raw = "0x" + bytes(signed.raw_transaction).hex()
        receipt = self._access.await_receipt(self._rpc.call("eth_sendRawTransaction", raw))
        if receipt["status"] != "0x1":
            block = int(receipt["blockNumber"], 16)
            raise UserFault(f"the registry refused {function} at block {block}")


def parse_kind(name: str) -> DecisionKind:
    """Read a kind such as `add-validator`; UserFault lists the known ones."""
    try:
        return DecisionKind[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(format_kind(kind) for kind in DecisionKind)
        raise UserFault(f"is no decision; known are {known}", field=name) from None


def format_kind(kind: DecisionKind) -> str:
    """Return a kind as it is written on the command line."""
    return kind.name.lower().replace("_", "-")


def parse_payload(kind: DecisionKind, words: Sequence[str]) -> bytes:
    """Encode `name=value` words as the payload of a decision; UserFault names the parameter."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UserFault("is not name=value", field=word)
        given[name] = value
    types = dict(PAYLOADS[kind])
    for name in given:
        if name not in types:
            raise UserFault(f"is unknown; {format_kind(kind)} takes {', '.join(types)}", field=name)
    values = []
    for name, abi_type in types.items():
        if name not in given:
            raise UserFault(f"is needed for {format_kind(kind)}", field=name)
        values.append(_PARSERS[_find_parser(name, abi_type)](name, given[name]))
    try:
        return encode_payload(kind, values)
    except CodecError as error:
        raise UserFault(str(error)) from error


def parse_agency(text: str) -> bytes:
    """Read an agency's label or identifier, 32 bytes; UserFault if it is neither."""
    return _parse_label("agency", text)


def parse_roles(name: str, text: str) -> int:
    """Read roles such as `ADMIN,ISSUE` as a bit mask; UserFault lists the known ones."""
    roles = Role(0)
    for word in text.replace("+", ",").split(","):
        if word.upper() not in Role.__members__:
            known = ", ".join(Role.__members__)
            raise UserFault(f"{word!r} is no role; known are {known}", field=name)
        roles |= Role[word.upper()]
    return int(roles)


def parse_bytes(name: str, text: str, size: int) -> bytes:
    """Read 0x and hexadecimal digits for `size` bytes; UserFault names the parameter."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise UserFault(f"must be 0x and {2 * size} hexadecimal digits", field=name)
    return value


def make_admission(spec: AgencySpec) -> bytes:
    """Make the payload that admits an agency described by its agency.toml."""
    first_key = next((a.address for a in spec.accounts if a.roles & Role.ADMIN), bytes(20))
    first_pin = spec.tls_pins[0] if spec.tls_pins else bytes(32)
    values = [
        spec.agency_id,
        spec.jurisdiction,
        spec.profile_hash,
        int(spec.roles),
        first_key,
        first_pin,
    ]
    return encode_payload(DecisionKind.ADMIT_AGENCY, values)


def refuse(message: str) -> UserFault:
    """Return what the registry refuses, in words where the rule has some."""
    rule = message.removeprefix("execution reverted: ")
    known = find_refusal(rule)
    if known is None:
        return UserFault(f"the registry refuses: {message}")
    meaning = known.meaning.removesuffix(".")
    return UserFault(f"the registry refuses: {meaning} (rule: {rule})", next_step=known.next_step)


def read_document_hash(path: Path | None) -> bytes:
    """Return the keccak-256 of the document that gives the reasons; zeros without one."""
    from eth_hash.auto import keccak

    if path is None:
        return bytes(32)
    try:
        return keccak(path.read_bytes())
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(path)) from error


def format_parameter(name: str, value: Any) -> str:
    """Return a decoded parameter for the eye."""
    if name == "roles":
        return " ".join(str(role.name) for role in Role(value)) or _NO_ADDRESS
    if name in {"agency", "jurisdiction"}:
        return format_identifier(value)
    if isinstance(value, bytes):
        return "0x" + value.hex() if any(value) else _NO_ADDRESS
    return str(value)


def _find_parser(name: str, abi_type: str) -> str:
    if name in {"agency", "jurisdiction"}:
        return "label"
    return "roles" if name == "roles" else abi_type


def _parse_label(name: str, text: str) -> bytes:
    if LABEL_PATTERN.fullmatch(text) and not text.startswith("0x"):
        return encode_label(text)
    return parse_bytes(name, text, 32)


def _parse_number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise UserFault("is not a whole number", field=name)
    return int(text)


_PARSERS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "label": _parse_label,
    "roles": parse_roles,
    "uint256": _parse_number,
    "address": lambda name, text: parse_bytes(name, text, 20),
    "bytes32": lambda name, text: parse_bytes(name, text, 32),
}
