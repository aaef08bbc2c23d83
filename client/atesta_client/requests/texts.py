"""Public texts: what the hashes on the ledger stand for."""

from atesta_client.answers import Text
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.request import Request, get, send


def put_text(*, kind: str, body: JsonObject, language: str | None = None) -> Request[Text]:
    """Give this node a public text; its hash names it.

    - ``kind``: what it is for;
    - ``body``: the text's members;
    - ``language``: language (BCP 47); ``None`` if the same in all.
    """
    return send(Text, "PUT", "/texts", {"kind": kind, "body": body, "language": language})


def get_text(text_hash: Hex) -> Request[Text]:
    """Read a public text by its hash."""
    return get(Text, "/texts/{hash}", hash=text_hash)
