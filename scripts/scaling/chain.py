"""A node's JSON-RPC over a made-up ledger: its blocks and logs from the plan, its calls real.

The index reads it as it reads any node. Block n is made when it is asked for. What the contracts
are asked (which agencies there are, whose a key is) they answer themselves, in a scratch EVM
founded with the plan's agencies.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from api.web3_provider import RawCall, RpcRefusal
from contracts.address_book import GENESIS_BOOK
from contracts.codes import Role
from contracts.genesis import found_ledger
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec
from contracts.scratch import ScratchState
from scripts.scaling.catalogue import SIDES, list_catalogue
from scripts.scaling.life import make_entity, make_step
from scripts.scaling.logs import Said, encode_log
from scripts.scaling.sizes import Plan

CHAIN_ID: Final = 20_261
START_S: Final = 1_767_225_600
"""Time of block 0: 2026-01-01."""
PERIOD_S: Final = 20
"""Seconds between blocks, so that the full size spans some days."""
EVENTS_PER_BLOCK: Final = 150
ENTITIES_PER_BLOCK: Final = 70
STEPS_PER_BLOCK: Final = 4

_EXECUTION_REVERTED: Final = 3


class MadeChain:
    """The ledger of a plan, as a node would answer for it (`RawRpc`)."""

    def __init__(self, plan: Plan) -> None:
        """Take a plan; nothing is made yet."""
        self.plan = plan
        self._begin = list_catalogue(plan)
        sizes = plan.sizes
        self._first_entity_block = 1 + _divide_up(len(self._begin), EVENTS_PER_BLOCK)
        self._first_step_block = self._first_entity_block + _divide_up(
            sizes.entities, ENTITIES_PER_BLOCK
        )
        self.last_block = self._first_step_block + _divide_up(sizes.consents, STEPS_PER_BLOCK) - 1
        """Height of the head."""
        self._senders: dict[str, str] = {}

    async def call(self, method: str, *arguments: Any) -> Any:
        """Answer one call."""
        match method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_getBlockByNumber":
                return self._get_block(arguments[0])
            case "eth_getLogs":
                return self._list_logs(arguments[0])
            case "eth_getTransactionByHash":
                sender = self._senders.get(arguments[0])
                return None if sender is None else {"hash": arguments[0], "from": sender}
            case "eth_call":
                return self._run(arguments[0])
        raise RpcRefusal({"code": -32601, "message": f"a made-up ledger has no {method}"})

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        """Answer many calls."""
        return [await self.call(method, *arguments) for method, arguments in calls]

    def get_time_s(self, number: int) -> int:
        """Return the time of a block."""
        return START_S + number * PERIOD_S

    def get_block_hash(self, number: int) -> Hash32:
        """Return the hash of a block; that of block 0 stands for seed and size."""
        if number < 0:
            return Hash32(bytes(32))
        return Hash32(keccak(repr((self.plan.seed, self.plan.sizes, number)).encode()))

    def list_said(self, number: int) -> Iterator[Said]:
        """Return what the contracts say in a block."""
        time_s = self.get_time_s(number)
        if number < self._first_entity_block:
            first = (number - 1) * EVENTS_PER_BLOCK
            yield from self._begin[max(first, 0) : max(first + EVENTS_PER_BLOCK, 0)]
        elif number < self._first_step_block:
            first = (number - self._first_entity_block) * ENTITIES_PER_BLOCK
            for entity in range(first, min(first + ENTITIES_PER_BLOCK, self.plan.sizes.entities)):
                yield from make_entity(self.plan, entity, time_s)
        else:
            first = (number - self._first_step_block) * STEPS_PER_BLOCK
            for step in range(first, min(first + STEPS_PER_BLOCK, self.plan.sizes.consents)):
                yield from make_step(self.plan, step, time_s)

    def _get_block(self, tag: str) -> dict[str, Any] | None:
        number = self.last_block if tag == "latest" else int(tag, 16)
        if number > self.last_block:
            return None
        return {
            "number": hex(number),
            "hash": "0x" + self.get_block_hash(number).hex(),
            "parentHash": "0x" + self.get_block_hash(number - 1).hex(),
            "timestamp": hex(self.get_time_s(number)),
        }

    def _list_logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        self._senders.clear()
        return [log for number in range(first, last + 1) for log in self._build_logs(number)]

    def _build_logs(self, number: int) -> list[dict[str, Any]]:
        logs = []
        for place, said in enumerate(self.list_said(number)):
            topics, data = encode_log(said.contract, said.event, said.args)
            transaction = "0x" + self.plan.name(f"transaction {number}", place).hex()
            if said.event in {"ConsentGiven", "ConsentWithdrawn"}:
                self._senders[transaction] = "0x" + said.sender.hex()
            logs.append(
                {
                    "address": "0x" + GENESIS_BOOK.get_address(said.contract).hex(),
                    "topics": ["0x" + topic.hex() for topic in topics],
                    "data": "0x" + data.hex(),
                    "blockNumber": hex(number),
                    "transactionHash": transaction,
                    "logIndex": hex(place),
                }
            )
        return logs

    def _run(self, request: dict[str, str]) -> str:
        sender = Address(bytes.fromhex(request.get("from", "0x" + "00" * 20)[2:]))
        target, data = Address(bytes.fromhex(request["to"][2:])), request["data"][2:]
        outcome = self._state.read(target, bytes.fromhex(data), sender=sender)
        if not outcome.succeeded:
            raise RpcRefusal(
                {
                    "code": _EXECUTION_REVERTED,
                    "message": f"execution reverted: {outcome.reason}",
                    "data": "0x" + outcome.output.hex(),
                }
            )
        return "0x" + outcome.output.hex()

    @cached_property
    def _state(self) -> ScratchState:
        roles = Role.ADMIN | Role.GOVERN | Role.ISSUE | Role.SCHEMA | Role.EXCHANGE
        agencies = tuple(
            AgencySpec(
                agency_id=Hash32(self.plan.get_agency(number)),
                jurisdiction=Hash32(SIDES[number % 2]),
                profile_hash=Hash32(bytes(32)),
                roles=roles if number else roles | Role.SUPERVISE,
                accounts=(
                    AccountSpec(
                        address=self.plan.get_key(number),
                        roles=roles if number else roles | Role.SUPERVISE,
                    ),
                ),
                validators=(self.plan.address("validator", number),),
                tls_pins=(Hash32(self.plan.name("pin", number)),),
            )
            for number in range(self.plan.sizes.agencies)
        )
        return found_ledger(GenesisSpec(chain_id=CHAIN_ID, agencies=agencies, timestamp=START_S))


def _divide_up(count: int, by: int) -> int:
    return -(-count // by)
