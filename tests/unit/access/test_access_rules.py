"""The access file: what it says, and every mistake by name."""

from pathlib import Path

import pytest

from api.access.callers import Role
from api.access.limits import DEFAULT_LIMITS, Quota
from api.access.rules import load_rules
from api.errors import InvalidField
from tests.unit.access.authority import Authority

GOOD = """
[limits]
reads = "6000/min"
strangers = "10/s"

[[oidc]]
issuer = "https://login.agency.example/realms/staff"
audience = ["atesta", "https://api.agency.example"]
algorithms = ["ES256"]
name_claim = "preferred_username"
roles_claim = ["realm_access", "roles"]
person_claim = "employee_number"
leeway_s = 10
refused = ["clerk-7"]
authority = "ca.pem"
limits = { exports = "1/min" }
[oidc.roles]
"atesta-officers" = ["officer", "issuer"]

[certificates]
authorities = "ca.pem"
[[certificates.machine]]
name = "tax-system"
fingerprint = "FINGERPRINT"
roles = ["issuer"]
limits = { writes = "5/s" }
[[certificates.machine]]
name = "registry"
subject = "CN=registry,O=Agency"
person = "staff-0117"
roles = ["reader"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority = Authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.own.certificate_file.read_bytes())
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "access.toml"
    path.write_text(text.replace("FINGERPRINT", "ab" * 32))
    return path


def test_file_says_who_comes_in_and_how_often(folder: Path) -> None:
    rules = load_rules(write(folder, GOOD))
    assert rules.limits.reads == Quota(amount=6000, window_s=60)
    assert rules.limits.writes == DEFAULT_LIMITS.writes
    assert rules.strangers == Quota(amount=10, window_s=1)
    (provider,) = rules.providers
    assert provider.audiences == ("atesta", "https://api.agency.example")
    assert provider.roles == {"atesta-officers": {Role.OFFICER, Role.ISSUER}}
    assert provider.roles_claim == ("realm_access", "roles")
    assert (provider.algorithms, provider.leeway_s) == (("ES256",), 10)
    assert provider.refused == {"clerk-7"}
    assert rules.provider_authorities == {provider.issuer: folder / "ca.pem"}
    assert rules.certificates is not None
    tax, registry = rules.certificates.machines
    assert (tax.fingerprint, tax.limits.writes) == ("ab" * 32, Quota(amount=5, window_s=1))
    assert registry.subject == "CN=registry,O=Agency"
    assert provider.person_claim == "employee_number"
    assert (tax.person, registry.person) == (None, "staff-0117")
    assert rules.asks_for_proof


def test_empty_file_sets_nothing(folder: Path) -> None:
    rules = load_rules(write(folder, ""))
    assert rules.limits == DEFAULT_LIMITS
    assert not rules.asks_for_proof


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("[limits]", "[limit]", "limit"),
        ('"6000/min"', '"6000/day"', "limits.reads"),
        ('strangers = "10/s"', "strangers = 10", "limits.strangers"),
        ("https://login", "http://login", "oidc[0].issuer"),
        ("issuer =", "isuer =", "oidc[0].isuer"),
        ('"ES256"', '"HS256"', "oidc[0].algorithms"),
        ('"ES256"', '"none"', "oidc[0].algorithms"),
        ('["ES256"]', "[]", "oidc[0].algorithms"),
        ("leeway_s = 10", "leeway_s = 3600", "oidc[0].leeway_s"),
        ('["clerk-7"]', "[7]", "oidc[0].refused"),
        ("leeway_s = 10", 'leeway_s = "10"', "oidc[0].leeway_s"),
        ('["officer", "issuer"]', '["king"]', "oidc[0].roles.atesta-officers"),
        ('exports = "1/min"', 'exports = "x"', "oidc[0].limits.exports"),
        ('authority = "ca.pem"', 'authority = "none.pem"', "oidc[0].authority"),
        ('authorities = "ca.pem"', 'authorities = "none.pem"', "certificates.authorities"),
        ('"FINGERPRINT"', '"abcd"', "certificates.machine[0].fingerprint"),
        ('name = "registry"', 'name = "tax-system"', "certificates.machine"),
        ('subject = "CN=registry,O=Agency"', "", "certificates.machine[1]"),
        ('roles = ["reader"]', "roles = []", "certificates.machine[1].roles"),
        ('"employee_number"', '""', "oidc[0].person_claim"),
        ('"staff-0117"', "117", "certificates.machine[1].person"),
        ('"staff-0117"', '""', "certificates.machine[1].person"),
        ('"staff-0117"', '" staff"', "certificates.machine[1].person"),
        ('"staff-0117"', '"staff\u20100117"', "certificates.machine[1].person"),
        ('roles = ["reader"]', "", "certificates.machine[1].roles"),
        ('roles = ["reader"]', 'rolls = ["reader"]', "certificates.machine[1].rolls"),
    ],
)
def test_mistake_is_named(folder: Path, old: str, new: str, place: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidField) as refused:
        load_rules(write(folder, GOOD.replace(old, new)))
    assert refused.value.field == f"api.access_file: {place}"


def test_issuer_named_twice_is_refused(folder: Path) -> None:
    one = '[[oidc]]\nissuer = "https://login.example"\naudience = "atesta"\n'
    with pytest.raises(InvalidField, match="twice"):
        load_rules(write(folder, one + one))


@pytest.mark.parametrize("content", [b"[[[", b"\xff"])
def test_file_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / "access.toml").write_bytes(content)
    with pytest.raises(InvalidField, match="TOML"):
        load_rules(folder / "access.toml")
    with pytest.raises(InvalidField, match="cannot be read"):
        load_rules(folder / "none.toml")
