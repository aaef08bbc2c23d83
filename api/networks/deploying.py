"""Deploying the ledger's contracts on a network and founding the ledger there.

One account sends the steps of the plan, one transaction after the other. The order of duties for
each step: estimate, sign, write the attempt into the deployment file, send, wait for the receipt,
compare what stands there with what must, write that down. So a deployment that is killed anywhere
knows from its file and the chain what is done: the same transaction signed again has the same
bytes, and a nonce is spent only once. What the account sends besides would take the nonce of a step
and so move every address after it; then the deployment cannot go on, and says so.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_hash.auto import keccak
from eth_typing import Address, Hash32
from eth_utils.address import to_checksum_address

from api.errors import UpstreamFault, UserFault
from api.ledger import Ledger
from api.networks.fees import FeePolicy, Fees, check_funds, quote_fees
from api.networks.guard import check_chain
from api.networks.network import Network
from api.outbox.account import Account
from api.web3_provider import RawRpc, RpcRefusal
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.codec import decode_revert
from contracts.deployment import (
    Attempt,
    Deployment,
    DeploymentPlan,
    StepRecord,
    begin_deployment,
    get_data,
    make_plan,
)
from contracts.founding import Creation
from contracts.genesis_spec import GenesisSpec, validate_spec
from contracts.rehearsal import Place, rehearse

GAS_MARGIN_PERCENT: Final = 120
"""A transaction may use so many percent of what the node estimates."""

_CANCUN_PROBE: Final = "0x5f5f5d5f5f5f5e00"
"""Creation code that uses transient storage and memory copy (EIP-1153, EIP-5656), and ends."""

_KNOWN: Final = ("already known", "known transaction", "already imported", "underpriced", "nonce")
"""Parts of refusals after which only the receipt tells what became of a transaction."""

Save = Callable[[Deployment], None]
"""Writes the deployment file durably."""

Progress = Callable[[int, Deployment], None]
"""Told how many steps are done, after each."""


class DeploymentStopped(UserFault):
    """The deployment cannot begin or go on as it stands."""

    def __init__(self, reason: str, *, next_step: str, field: str | None = None) -> None:
        super().__init__(reason, code="deployment_stopped", field=field, next_step=next_step)


async def begin(
    raw: RawRpc, spec: GenesisSpec, account: Account, policy: FeePolicy
) -> tuple[DeploymentPlan, Deployment]:
    """Plan a new deployment; raises before anything is sent if the network or account will not do.

    Raises GenesisSpecError for the specification, DeploymentStopped and UpstreamFault.
    """
    validate_spec(spec)
    ledger = Ledger(raw, Network())
    chain_id = await ledger.get_chain_id()
    if chain_id != spec.chain_id:
        raise DeploymentStopped(
            f"the network's chain id is {chain_id}, the founders agreed on {spec.chain_id}",
            field="chain_id",
            next_step="check the address of the network, or found the ledger for this chain id",
        )
    await _check_rules(raw)
    nonce = await ledger.get_nonce(account.address, pending=False)
    if await ledger.get_nonce(account.address, pending=True) != nonce:
        raise DeploymentStopped(
            "the account has transactions waiting",
            next_step="wait until they are done, and send nothing else from it meanwhile",
        )
    plan = make_plan(
        spec,
        genesis_hash=await ledger.get_genesis_hash(),
        founder=account.address,
        first_nonce=nonce,
    )
    fees = await quote_fees(raw, policy)
    await check_funds(raw, account.address, gas=rehearse(plan).gas, fees=fees)
    head = await ledger.get_head()
    return plan, begin_deployment(plan, first_block=head.number)


async def take_up(
    raw: RawRpc, spec: GenesisSpec, account: Account, deployment: Deployment
) -> DeploymentPlan:
    """Return the plan of a deployment that was begun; raises DeploymentStopped for another one."""
    await check_chain(raw, deployment)
    founder = deployment.placement.founder
    if account.address != founder:
        raise DeploymentStopped(
            "the deployment was begun by another account",
            next_step=f"give the key of 0x{founder.hex()}, or another deployment file",
        )
    return _plan_again(spec, deployment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """Carries out a plan on one network."""

    raw: RawRpc
    account: Account
    policy: FeePolicy
    save: Save
    progress: Progress = lambda _done, _deployment: None
    poll_s: float = 0.25
    """Pause between two looks for a receipt."""

    async def carry_out(self, plan: DeploymentPlan, deployment: Deployment) -> Deployment:
        """Do the steps that are not done and check those that are; returns the whole deployment.

        Raises DeploymentStopped if it cannot go on, UpstreamFault if the network is away; what was
        done stands in the file that `save` wrote.
        """
        for number, step in enumerate(plan.steps):
            record = deployment.steps[number]
            settled = await self._find_settled(plan, number, record)
            while settled is None:
                record = await self._attempt(plan, number, record)
                if record != deployment.steps[number]:
                    deployment = _put(deployment, number, record)
                    self.save(deployment)
                settled = await self._send_and_wait(plan, number, record)
            if isinstance(step, Creation):
                await self._check_code(step, deployment.code_hashes[step.address])
            if settled != deployment.steps[number]:
                deployment = _put(deployment, number, settled)
                self.save(deployment)
            self.progress(number + 1, deployment)
        await verify_founding(self.raw, plan, deployment)
        return deployment

    async def _attempt(self, plan: DeploymentPlan, number: int, record: StepRecord) -> StepRecord:
        """Return the step with an attempt to send: its last one, or a new or dearer one."""
        nonce = plan.first_nonce + number
        spent = await self._count_spent()
        if spent > nonce:
            raise DeploymentStopped(
                f"the account sent something else in place of {record.title}",
                next_step="begin another deployment in another file",
            )
        quote = await quote_fees(self.raw, self.policy)
        if not record.attempts:
            gas = await self._estimate(plan, number)
            await check_funds(self.raw, self.account.address, gas=gas, fees=quote)
            return _add(record, self._sign(plan, number, gas, quote))
        last = record.attempts[-1]
        before = Fees(max_fee=last.max_fee, priority_fee=last.priority_fee)
        dearer = before.raise_to(quote)
        if before.covers(quote) or dearer.max_fee > self.policy.max_fee:
            return record
        return _add(record, self._sign(plan, number, last.gas, dearer))

    async def _send_and_wait(
        self, plan: DeploymentPlan, number: int, record: StepRecord
    ) -> StepRecord | None:
        """Send the last attempt; returns the settled step, or None if it is time for another."""
        last = record.attempts[-1]
        fees = Fees(max_fee=last.max_fee, priority_fee=last.priority_fee)
        signed = self._sign_raw(plan, number, last.gas, fees)
        try:
            await self.raw.call("eth_sendRawTransaction", "0x" + signed.hex())
        except RpcRefusal as refusal:
            if not any(part in refusal.reason.lower() for part in _KNOWN):
                raise
        until = time.monotonic() + self.policy.replace_after_s
        while time.monotonic() < until:
            settled = await self._find_settled(plan, number, record)
            if settled is not None:
                return settled
            await asyncio.sleep(self.poll_s)
        return None

    async def _find_settled(
        self, plan: DeploymentPlan, number: int, record: StepRecord
    ) -> StepRecord | None:
        """Look for the receipt of any attempt; raises DeploymentStopped if it was refused."""
        for attempt in record.attempts:
            receipt = await self.raw.call("eth_getTransactionReceipt", "0x" + attempt.hash.hex())
            if receipt is None or receipt.get("blockNumber") is None:
                continue
            if int(receipt["status"], 16) != 1:
                reason = await self._explain(plan, number)
                raise DeploymentStopped(
                    f"the network refused {record.title}: {reason}",
                    next_step="begin another deployment in another file",
                )
            return replace(
                record,
                block=int(receipt["blockNumber"], 16),
                gas_used=int(receipt["gasUsed"], 16),
            )
        return None

    async def _check_code(self, step: Creation, digest: Hash32) -> None:
        code = await self.raw.call("eth_getCode", "0x" + step.address.hex(), "latest")
        if keccak(bytes.fromhex(code[2:])) != digest:
            raise DeploymentStopped(
                f"{step.title} does not stand at 0x{step.address.hex()} as it must",
                next_step="check the network; then begin another deployment in another file",
            )

    async def _estimate(self, plan: DeploymentPlan, number: int) -> int:
        try:
            found = await self.raw.call("eth_estimateGas", self._describe(plan, number))
        except RpcRefusal as refusal:
            reason = await self._explain(plan, number)
            raise DeploymentStopped(
                f"the network would refuse {plan.steps[number].title}: {reason}",
                next_step="check the network's rules and the founding documents",
            ) from refusal
        return int(found, 16) * GAS_MARGIN_PERCENT // 100

    async def _explain(self, plan: DeploymentPlan, number: int) -> str:
        try:
            await self.raw.call("eth_call", self._describe(plan, number), "latest")
        except RpcRefusal as refusal:
            data = refusal.data
            if isinstance(data, str) and data.startswith("0x"):
                return decode_revert(bytes.fromhex(data[2:])) or refusal.reason
            return refusal.reason
        return "it needs more gas than was allowed"

    async def _count_spent(self) -> int:
        address = "0x" + self.account.address.hex()
        return int(await self.raw.call("eth_getTransactionCount", address, "latest"), 16)

    def _describe(self, plan: DeploymentPlan, number: int) -> dict[str, str]:
        call = {
            "from": "0x" + self.account.address.hex(),
            "data": "0x" + get_data(plan.steps[number]).hex(),
        }
        target = _get_target(plan, number)
        return call if target is None else call | {"to": "0x" + target.hex()}

    def _sign(self, plan: DeploymentPlan, number: int, gas: int, fees: Fees) -> Attempt:
        signed = self._sign_raw(plan, number, gas, fees)
        return Attempt(
            hash=Hash32(keccak(signed)),
            gas=gas,
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
        )

    def _sign_raw(self, plan: DeploymentPlan, number: int, gas: int, fees: Fees) -> bytes:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": plan.chain_id,
            "nonce": plan.first_nonce + number,
            "value": 0,
            "data": "0x" + get_data(plan.steps[number]).hex(),
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
        }
        target = _get_target(plan, number)
        if target is not None:
            transaction["to"] = to_checksum_address(target)
        return self.account.sign(transaction)


async def verify_founding(raw: RawRpc, plan: DeploymentPlan, deployment: Deployment) -> None:
    """Compare the network's events with a rehearsal; raises DeploymentStopped if they differ."""
    numbers = [step.block or 0 for step in deployment.steps]
    ledger = Ledger(raw, Network(book=deployment.book))
    times = {}
    for number in sorted(set(numbers)):
        block = await ledger.get_block(number)
        if block is None:
            raise UpstreamFault("the network lacks a block of the deployment", code="block_missing")
        times[number] = block.time_s
    places = [Place(number=number, time_s=times[number]) for number in numbers]
    logs = await ledger.get_logs(min(numbers), max(numbers), deployment.book.addresses)
    found = [(log.address, log.topics, log.data) for log in logs]
    if found != list(rehearse(plan, places).events):
        raise DeploymentStopped(
            "the network reports other events of the founding than were planned",
            next_step="do not use this ledger; check the network, then deploy in another file",
        )


async def check_founding(raw: RawRpc, spec: GenesisSpec, deployment: Deployment) -> None:
    """Check a complete deployment against founding documents; raises DeploymentStopped."""
    validate_spec(spec)
    await verify_founding(raw, _plan_again(spec, deployment), deployment)


def _plan_again(spec: GenesisSpec, deployment: Deployment) -> DeploymentPlan:
    plan = make_plan(
        spec,
        genesis_hash=deployment.genesis_hash,
        founder=deployment.placement.founder,
        first_nonce=deployment.first_nonce,
    )
    if plan.fingerprint != deployment.fingerprint:
        raise DeploymentStopped(
            "the deployment was begun with other founding documents, or other contracts",
            next_step="give what it was begun with, or begin another deployment in another file",
        )
    return plan


async def _check_rules(raw: RawRpc) -> None:
    try:
        await raw.call("eth_call", {"data": _CANCUN_PROBE}, "latest")
    except RpcRefusal as refusal:
        raise DeploymentStopped(
            "the network does not know the instructions of Cancun, which the contracts use",
            next_step="choose a network with the rules of Cancun or later",
        ) from refusal


def _get_target(plan: DeploymentPlan, number: int) -> Address | None:
    if isinstance(plan.steps[number], Creation):
        return None
    return plan.placement.book.get_address(AGENCY_REGISTRY_NAME)


def _add(record: StepRecord, attempt: Attempt) -> StepRecord:
    return replace(record, attempts=(*record.attempts, attempt))


def _put(deployment: Deployment, number: int, record: StepRecord) -> Deployment:
    steps: Sequence[StepRecord] = deployment.steps
    return replace(deployment, steps=(*steps[:number], record, *steps[number + 1 :]))
