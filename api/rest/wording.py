"""An answer or a refusal as it leaves: in the words of its network, naming its ledger.

REST and the explorer's JSON are the same answers, so both send what stands here.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from api.app import problem_response
from api.errors import ApiError
from api.rest.finality_words import restate, restate_problem
from api.rest.ledger_words import name_ledger
from api.rest.services import RestServices
from api.rest.values import Model


def word_answer(model: Model, services: RestServices) -> Model:
    """Return a handler's answer in the words of the ledger that it was asked of."""
    named = name_ledger(model, services.ledger_name, services.prefix)
    return restate(named, services.ledger.network.finality)


def refuse(services: RestServices, request: web.Request, error: ApiError) -> web.Response:
    """Return an error as a problem document in the words of the ledger that was asked."""

    def word(problem: Mapping[str, Any]) -> dict[str, Any]:
        return restate_problem(problem, services.ledger.network.finality)

    return problem_response(request, error, word=word)
