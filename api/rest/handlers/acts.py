"""Acts: the routes of the table `ACTS`, trying an act, preparing it for a signer elsewhere."""

import functools
from typing import Any

from eth_typing import Address

from api.access.callers import check_roles
from api.acts.act import Act
from api.acts.answers import recall_answer
from api.acts.calls import has_function
from api.acts.forgetting import refer_to_call
from api.acts.performing import perform, rehearse
from api.acts.table import ACTS, get_act
from api.acts.texts import require_writable
from api.errors import InvalidField, NotFound, as_problem
from api.rest import acting_models as models
from api.rest.answers import Problem
from api.rest.call import Call, Reply
from api.rest.handlers.rehearsing import (
    find_handled,
    rehearse_handled,
    summarise_handled,
)
from api.rest.handlers.signing import (
    Occasion,
    find_roles,
    format_prepared,
    prepare_act,
    prepare_handled,
    submit_signed,
)
from api.rest.values import decode_hex, encode_hex, parse_time
from api.rest.views import view_roles
from api.texts.shapes import TextMalformed, validate_shape
from api.texts.text import NO_LANGUAGE, PublicText
from api.vault.subjects import look_again


def build_act_handlers() -> dict[str, Any]:
    """Return the handler of every act by its operation id."""
    return {act.operation: functools.partial(_perform, act) for act in ACTS.values()}


async def list_acts(_call: Call) -> Reply:
    """List what can be done, and by whom."""
    return Reply(
        model=models.ActList(
            items=summarise_handled()
            + [
                models.ActSummary(
                    act=act.name,
                    method="POST",
                    path="/v1" + act.path,
                    summary=act.summary,
                    roles=[role.value for role in act.roles],
                    key_roles=view_roles(act.key_role),
                    contract=act.contract,
                    function=act.function,
                    signed_elsewhere=has_function(act.contract, "relay"),
                )
                for act in ACTS.values()
            ]
        )
    )


async def explain(call: Call) -> Reply:
    """Try an act; nothing is stored or sent."""
    body: models.ExplainRequest = call.body
    handled = find_handled(body.act)
    if handled is not None:
        trial = await rehearse_handled(
            call.services, handled, caller=call.caller, path=body.path, body=body.body
        )
    else:
        trial = await rehearse(
            call.services, get_act(body.act), caller=call.caller, path=body.path, body=body.body
        )
    head = await call.services.ledger.get_head()
    refusal = None
    if trial.refusal is not None:
        refusal = Problem.model_validate(as_problem(trial.refusal))
    return Reply(
        model=models.Explanation(
            act=body.act,
            allowed=refusal is None,
            refusal=refusal,
            uid=None if trial.uid is None else encode_hex(trial.uid),
            facts=dict(trial.facts),
            block=head.number,
            block_time=parse_time(head.time_s),
        )
    )


async def create_prepared_act(call: Call) -> Reply:
    """Prepare an act for a key that signs elsewhere."""
    body: models.PreparedActCreate = call.body
    check_roles(call.caller, find_roles(body.act))
    occasion = Occasion(signer=Address(decode_hex(body.signer)), deadline=body.deadline)
    handled = find_handled(body.act)
    envelope = None
    if handled is not None:
        stored = await prepare_handled(
            call.services,
            handled,
            caller=call.caller,
            path=body.path,
            body=body.body,
            occasion=occasion,
        )
    else:
        stored, envelope = await look_again(
            functools.partial(
                prepare_act,
                call.services,
                get_act(body.act),
                caller=call.caller,
                path=body.path,
                body=body.body,
                occasion=occasion,
            )
        )
    model = await format_prepared(call.services, stored, envelope)
    return Reply(model=model, headers={"Location": f"/v1/prepared-acts/{stored.id}"})


async def get_prepared_act(call: Call) -> Reply:
    """Read a prepared act again."""
    stored = await call.services.prepared_acts.find(call.path["id"])
    if stored is None:
        raise NotFound("this node prepared no such act", field="id", code="prepared_act_not_found")
    check_roles(call.caller, find_roles(stored.act))
    envelope = None
    if find_handled(stored.act) is None:
        act = get_act(stored.act)
        envelope = await recall_answer(call.services, act, stored.uid, refer_to_call(stored.call))
    return Reply(model=await format_prepared(call.services, stored, envelope))


async def create_signed_act(call: Call) -> Reply:
    """Carry an act that was signed elsewhere to the ledger."""
    return await submit_signed(call, call.body)


async def put_text(call: Call) -> Reply:
    """Keep a public text."""
    body: models.TextPut = call.body
    text = PublicText(kind=body.kind, language=body.language or NO_LANGUAGE, body=body.body)
    require_writable(text, "body")
    try:
        validate_shape(text)
    except TextMalformed as malformed:
        raise InvalidField(
            f"body.{malformed.place}", "a text of this kind needs other members here"
        ) from None
    await call.services.texts.put(text, int(call.services.now()))
    return Reply(model=_view_text(text))


async def get_text(call: Call) -> Reply:
    """Read a public text by its hash."""
    text = await call.services.texts.find(call.get_digest("hash"))
    if text is None:
        raise NotFound("this node holds no text with this hash", field="hash", code="text_missing")
    return Reply(model=_view_text(text))


async def _perform(act: Act, call: Call) -> Reply:
    return await perform(call, act)


def _view_text(text: PublicText) -> models.Text:
    return models.Text(
        hash=encode_hex(text.hash),
        kind=text.kind,
        language=text.language or None,
        body=dict(text.body),
    )
