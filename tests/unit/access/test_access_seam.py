"""One way into the vault: nothing that serves requests opens it past the record of reads."""

import ast
from pathlib import Path

API = Path(__file__).parents[3] / "api"

KEEPERS = {"vault", "access"}
"""Packages that are the vault and its record of reads."""

ALLOWED = {
    # Makes the services.
    "rest/opening.py": {"maybe_keyring", "under", "UNWITNESSED"},
    # Hands out the vault under a reader's name.
    "rest/services.py": {"Keyring", "maybe_keyring", "under"},
    "rest/vault_parts.py": {"Vault()", "Materials()", "Keyring", "open_keyring"},
    # The audit of privacy, an operator's command with the master key in hand.
    "firewall/audit/values.py": {"Keyring"},
    # Orders of erasure stand in the vault's database; case numbers are read only to be sealed
    # again in the mark of an erased case.
    "erasing/eraser.py": {"maybe_keyring", "UNWITNESSED", "under"},
    # Orders and restrictions, beside the keys too; they open nothing.
    "erasing/orders.py": {"Keyring"},
    # The list of what was erased, for the outboxes.
    "erasing/forgetting.py": {"maybe_keyring"},
    # Merges stand in the vault's database; their persons are opened through the services.
    "rest/handlers/merging.py": {"maybe_keyring"},
    # Shows uids and classes; reads case numbers as erasing does.
    "retention/pruning.py": {"Keyring", "Materials()"},
    # Prunes, day by day.
    "retention/daily.py": {"maybe_keyring"},
    # Tells how many epochs there are.
    "assembly.py": {"maybe_keyring"},
    # Lines of an upload, for the worker alone; no handler shows them.
    "imports/store.py": {"Keyring"},
    # The secrets of webhooks, which are no personal data.
    "feeds/webhook_store.py": {"Keyring"},
}
"""What other modules may name of the vault's inside."""

INSIDE = {
    "Vault()",
    "Materials()",
    "Keyring",
    "open_keyring",
    "maybe_keyring",
    "UNWITNESSED",
    "Unwitnessed",
    "under",
}
"""Names, and classes where they are called, that lead past `RestServices.read_as`."""


def list_names(path: Path) -> set[str]:
    """Return every name that a module uses, imports, calls or reaches through a dot."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(f"{node.func.id}()")
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.add(node.name.rpartition(".")[2])
    return names


def test_only_the_services_lead_into_the_vault() -> None:
    found = {}
    for path in API.rglob("*.py"):
        where = path.relative_to(API)
        if where.parts[0] in KEEPERS:
            continue
        reached = list_names(path) & INSIDE - ALLOWED.get(where.as_posix(), set())
        if reached:
            found[where.as_posix()] = reached
    assert found == {}, "open the vault through `services.read_as`, which records it"


def test_seam_is_not_empty() -> None:
    for where, names in ALLOWED.items():
        assert list_names(API / where) & names, f"{where} needs no exception any more"
