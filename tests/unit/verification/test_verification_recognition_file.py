"""The recognition file: read whole, or refused with the entry at fault."""

from pathlib import Path

import pytest

from api.errors import InvalidField
from api.verification.policies import Assurance, RecognitionPolicy
from api.verification.recognition_file import load_recognition

ISSUER = "0x" + "0a" * 32

WHOLE = f"""
[[policy]]
purpose = "border-crossing"
required = ["/result"]
max_age_s = 3600
issuers = ["{ISSUER}"]
needs_holder = true

[[policy]]
purpose = "library-card"

[[agency]]
id = "{ISSUER}"
name = "衛生局 Serviços de Saúde"
assurance = "high"

[[agency]]
id = "0x{"0b" * 32}"
name = "Bank"
"""


def test_recognition_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recognition.toml"
    path.write_text(WHOLE, encoding="utf-8")
    found = load_recognition(path)
    assert found.policies == (
        RecognitionPolicy(
            purpose="border-crossing",
            required=("/result",),
            max_age_s=3600,
            issuers=frozenset({bytes([10]) * 32}),
            needs_holder=True,
        ),
        RecognitionPolicy(purpose="library-card"),
    )
    assert found.names == {
        bytes([10]) * 32: "衛生局 Serviços de Saúde",
        bytes([11]) * 32: "Bank",
    }
    assert found.assurances == {bytes([10]) * 32: Assurance.HIGH}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[policy", "not TOML"),
        ("[[policy]]\n", "policy.0.purpose"),
        ("[[policy]]\npurpose = 'Free text'", "policy.0.purpose"),
        ("[[policy]]\npurpose = 'a'\nmore = 1", "policy.0.more"),
        ("[[policy]]\npurpose = 'a'\nmax_age_s = -1", "policy.0.max_age_s"),
        ("[[policy]]\npurpose = 'a'\nissuers = ['0x12']", "policy.0.issuers.0"),
        ("[[policy]]\npurpose = 'a'\nrequired = ['x']", "policy a"),
        ("[[policy]]\npurpose = 'a'\n[[policy]]\npurpose = 'a'", "same purpose"),
        ("[[agency]]\nid = '0x12'\nname = 'a'", "agency.0.id"),
        (f"[[agency]]\nid = '{ISSUER}'\nname = 'a'\nassurance = 'full'", "agency.0.assurance"),
    ],
)
def test_recognition_file_names_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "recognition.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidField) as refused:
        load_recognition(path)
    assert named in f"{refused.value.field} {refused.value.reason}"


def test_recognition_file_missing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="cannot be read"):
        load_recognition(tmp_path / "missing.toml")
