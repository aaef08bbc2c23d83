"""Acts by name: what can be done, trying it, and signing it elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from string import Formatter
from typing import Any, Unpack

from atesta_client.answers import Accepted, ActSummary, Explanation, Page, PreparedAct, read_answer
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.request import (
    Request,
    Writing,
    build_path,
    get,
    list_page,
    make_key,
    send,
    write,
)


def list_acts() -> Request[Page[ActSummary]]:
    """List what can be done, and by whom."""
    return list_page(ActSummary, "/acts", {})


def build_act(
    summary: ActSummary,
    body: JsonObject,
    path: Mapping[str, str] | None = None,
    **options: Unpack[Writing],
) -> Request[Accepted]:
    """Build any act by its entry in the list of acts, from its JSON.

    - ``path``: the variable parts of its path by name.

    For programs that do not know beforehand which act it will be. Raises ``ValueError`` when a part
    of the path is missing or is none.
    """
    given = dict(path or {})
    wanted = {name for _, name, _, _ in Formatter().parse(summary.path) if name}
    if wanted != set(given):
        raise ValueError(
            f"the path of {summary.act} has the parts: {', '.join(sorted(wanted)) or 'none'}"
        )
    return Request(
        method=summary.method,
        path=build_path(summary.path.removeprefix("/v1"), given),
        body=dict(body) if summary.method == "POST" else None,
        idempotency_key=options.get("idempotency_key") or make_key(),
        act=summary.act,
        parts=given,
        read=lambda data: read_answer(Accepted, data),
    )


def explain(act: Request[Accepted]) -> Request[Explanation]:
    """Try an act without doing it: would it be taken, and if not, by which rule.

    ``act`` is what its own function returns: ``explain(request_exchange(...))``. Raises
    ``ValueError`` for a request that is no act.
    """
    return send(Explanation, "POST", "/explain", _name(act))


def create_prepared_act(
    act: Request[Accepted], *, signer: Hex, deadline: datetime | None = None
) -> Request[PreparedAct]:
    """Prepare an act for a key that signs elsewhere; ``act`` as for :func:`explain`.

    - ``signer``: address of the key that will sign; it needs the role that the act needs;
    - ``deadline``: until when the signature may be used; a day ahead when absent.
    """
    body = {**_name(act), "signer": signer, "deadline": deadline}
    return send(PreparedAct, "POST", "/prepared-acts", body)


def get_prepared_act(prepared: str) -> Request[PreparedAct]:
    """Read a prepared act again."""
    return get(PreparedAct, "/prepared-acts/{id}", id=prepared)


def create_signed_act(
    *,
    signature: Hex,
    prepared: str | None = None,
    contract: str | None = None,
    call: Hex | None = None,
    nonce: int | None = None,
    deadline: datetime | None = None,
    signer: Hex | None = None,
    **options: Unpack[Writing],
) -> Request[Accepted]:
    """Hand in an act that was signed elsewhere; this node's account only carries it.

    - ``signature``: r, s (the lower one) and v (27 or 28), 65 bytes;
    - ``prepared``: id of a prepared act of this node;
    - ``contract``: the contract that is called;
    - ``call``: the call;
    - ``nonce``: the nonce signed;
    - ``deadline``: the deadline signed;
    - ``signer``: address of the key that signed.
    """
    return write(
        None,
        "/signed-acts",
        {
            "signature": signature,
            "prepared": prepared,
            "contract": contract,
            "call": call,
            "nonce": nonce,
            "deadline": deadline,
            "signer": signer,
        },
        options,
    )


def _name(act: Request[Accepted]) -> dict[str, Any]:
    if act.act is None:
        raise ValueError("this request is no act of the ledger's law")
    return {"act": act.act, "path": dict(act.parts), "body": act.body or {}}
