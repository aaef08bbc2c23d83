"""As `test_rest_schemathesis.py`, with the corners of every parameter and body, for `--long`.

To list the requests alone takes longer than the short test: without `--long` pytest does not open
this module (`conftest.py`).
"""

from typing import Any, Final

import pytest
import requests

from tests.unit.rest.conformance_checks import QUICK, build_schema, check
from tests.unit.rest.conformance_world import ConformanceWorld

EXAMPLES: Final = 20

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("schemathesis")]

SCHEMA = build_schema(EXAMPLES, coverage=True)


@pytest.mark.timeout(1800)
@QUICK
@SCHEMA.parametrize()  # type: ignore[untyped-decorator]
def test_rest_conforms_at_length(
    case: Any, conformance: ConformanceWorld, session: requests.Session
) -> None:
    check(case, conformance, session)
