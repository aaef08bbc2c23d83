"""Cases: files of the agency's own, and from a number all that was asked for it."""

from collections.abc import Sequence

from atesta_client.answers import CaseAnswer, CaseFileView, Need
from atesta_client.requests.encoding import Hex
from atesta_client.requests.request import Request, get, send


def create_case(
    *, number: str, procedure: str, purpose: Hex, needs: Sequence[Need] = ()
) -> Request[CaseFileView]:
    """Open a case file; it stays in the vault.

    - ``number``: the agency's case number;
    - ``procedure``: which procedure it is;
    - ``purpose``: purpose of what is asked;
    - ``needs``: what it needs from others.
    """
    body = {"number": number, "procedure": procedure, "purpose": purpose, "needs": needs}
    return send(CaseFileView, "POST", "/cases", body)


def get_case(case: str) -> Request[CaseAnswer]:
    """Ask who asked whom for what, on which basis live then, and what is missing."""
    return get(CaseAnswer, "/cases/{case}", case=case)
