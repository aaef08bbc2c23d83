"""An answer as it leaves: in the words of its network, with the name of its ledger.

REST and the explorer's JSON are the same answers, so both send what stands here.
"""

from api.rest.finality_words import restate
from api.rest.ledger_words import name_ledger
from api.rest.services import RestServices
from api.rest.values import Model


def word_answer(model: Model, services: RestServices) -> Model:
    """Return a handler's answer in the words of the ledger that it was asked of."""
    named = name_ledger(model, services.ledger_name, services.prefix)
    return restate(named, services.ledger.network.finality)
