"""Which of several ledgers a record belongs on, and what is refused instead of guessed."""

import secrets
from dataclasses import replace

import pytest
from atesta_client.credentials import LedgerReference
from atesta_client.errors import ClientError, LedgerRefused
from atesta_client.ledgers import Ledger, Ledgers
from hypothesis import given
from hypothesis import strategies as st

MACAO = LedgerReference(chain_id=20_261, genesis_hash=b"\x01" * 32)
SHARED = LedgerReference(chain_id=20_263, genesis_hash=b"\x03" * 32)


def make_ledger(
    name: str, *jurisdictions: str, reference: LedgerReference | None = None
) -> Ledger[str]:
    return Ledger(
        name=name, jurisdictions=jurisdictions, client=f"client of {name}", reference=reference
    )


def make_macao() -> Ledgers[str]:
    return Ledgers(
        [
            make_ledger("macao", "MO", reference=MACAO),
            make_ledger("shared", "MO", "CN-GD", reference=SHARED),
        ]
    )


@pytest.mark.parametrize(
    ("parties", "name"),
    [
        ({"issuer": "MO"}, "macao"),
        ({"consumer": "MO", "provider": "MO"}, "macao"),
        ({"consumer": "CN-GD", "provider": "MO"}, "shared"),
        ({"consumer": "MO", "provider": "CN-GD", "carrier": "MO"}, "shared"),
    ],
)
def test_record_goes_to_the_own_ledger_or_to_the_shared_one(
    parties: dict[str, str], name: str
) -> None:
    chosen = make_macao().choose(parties)
    assert (chosen.name, chosen.client) == (name, f"client of {name}")
    assert make_macao().require(name, parties) == chosen


@pytest.mark.parametrize(
    ("parties", "code", "field"),
    [
        ({}, "parties_missing", "parties"),
        ({"consumer": "MO", "provider": "PT"}, "jurisdiction_unknown", "provider"),
        ({"consumer": "CN-GD", "provider": "CN-GD"}, "own_ledger_missing", "consumer"),
        ({"consumer": "MO", "provider": "HK"}, "shared_ledger_missing", "provider"),
    ],
)
def test_record_that_fits_no_ledger_is_refused_with_its_field(
    parties: dict[str, str], code: str, field: str
) -> None:
    ledgers = Ledgers([*make_macao(), make_ledger("gulf", "CN-GD", "HK")])
    with pytest.raises(LedgerRefused) as refused:
        ledgers.choose(parties)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.next_step
    assert isinstance(refused.value, ClientError)


def test_record_of_one_side_is_not_let_onto_the_shared_ledger() -> None:
    with pytest.raises(LedgerRefused, match="belongs on macao") as refused:
        make_macao().require("shared", {"consumer": "MO", "provider": "MO"})
    assert (refused.value.code, refused.value.field) == ("ledger_wrong", "ledger")


def test_shared_ledger_with_the_fewest_others_is_chosen() -> None:
    wide = make_ledger("wide", "MO", "CN-GD", "HK")
    for order in ([wide, *make_macao()], [*make_macao(), wide]):
        assert Ledgers(order).choose({"a": "MO", "b": "CN-GD"}).name == "shared"
    assert Ledgers([wide, *make_macao()]).choose({"a": "MO", "b": "HK"}).name == "wide"


def test_credential_finds_its_ledger_by_chain_and_genesis_or_cannot_say() -> None:
    ledgers = make_macao()
    assert ledgers.find(SHARED).name == "shared"
    for other in (
        replace(SHARED, chain_id=SHARED.chain_id + 1),
        replace(SHARED, genesis_hash=secrets.token_bytes(32)),
    ):
        with pytest.raises(LedgerRefused, match="cannot say") as refused:
            ledgers.find(other)
        assert refused.value.code == "ledger_not_held"
        assert other.genesis_hash.hex() in str(refused.value)


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (make_ledger("macao", "PT"), "called macao"),
        (make_ledger("other", "MO"), "cannot be told apart"),
        (make_ledger("other", "PT", reference=MACAO), "cannot be told apart"),
        (make_ledger("other"), "no jurisdiction"),
    ],
)
def test_ledgers_between_which_a_choice_would_be_arbitrary_are_refused(
    second: Ledger[str], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Ledgers([make_ledger("macao", "MO", reference=MACAO), second])


def test_ledgers_are_found_by_name_and_counted() -> None:
    ledgers = make_macao()
    assert [ledger.name for ledger in ledgers] == ["macao", "shared"]
    assert len(ledgers) == 2
    assert ledgers["shared"].reference == SHARED
    with pytest.raises(KeyError):
        ledgers["guangdong"]


PLACES = st.sampled_from(["MO", "CN-GD", "HK", "PT"])


@given(parties=st.dictionaries(st.text(min_size=1, max_size=3), PLACES, min_size=1, max_size=5))
def test_chosen_ledger_has_every_party_and_an_own_one_nobody_else(parties: dict[str, str]) -> None:
    ledgers = make_macao()
    involved = set(parties.values())
    if involved in ({"MO"}, {"MO", "CN-GD"}):
        assert set(ledgers.choose(parties).jurisdictions) == involved
    else:
        with pytest.raises(LedgerRefused) as refused:
            ledgers.choose(parties)
        assert refused.value.field in parties
