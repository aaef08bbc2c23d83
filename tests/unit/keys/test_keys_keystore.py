"""Key files: what is stored, who may open it, and every way in which that fails."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_hash.auto import keccak
from eth_typing import Hash32
from hypothesis import given
from hypothesis import strategies as st

from contracts.testkeys import get_address, get_tls_pin
from node.errors import UserFault
from node.keys import (
    ChainBinding,
    ExposedSecret,
    KdfStrength,
    KeyBoundElsewhere,
    KeyFileDamaged,
    KeyFileExists,
    KeyFileMissing,
    KeyPurpose,
    PublishedKey,
    SigningKey,
    WrongPassphrase,
    change_passphrase,
    create_key_file,
    import_key_file,
    load_key_file,
    read_key_file_info,
    read_passphrase_file,
    recover_signer,
    refuse_published_keys,
    write_secret_file,
)

FAST = KdfStrength.DEVELOPMENT
OURS = ChainBinding(chain_id=7, genesis_hash=Hash32(b"\x07" * 32))
OTHER_GENESIS = ChainBinding(chain_id=7, genesis_hash=Hash32(b"\x08" * 32))
OTHER_CHAIN = ChainBinding(chain_id=8, genesis_hash=Hash32(b"\x07" * 32))
VALIDATOR, ACCOUNT = KeyPurpose.VALIDATOR, KeyPurpose.ACCOUNT


@pytest.fixture
def validator_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "validator.json"
    create_key_file(path, "secret words", purpose=VALIDATOR, binding=OURS, strength=FAST)
    return path


def edit(path: Path, **changes: object) -> None:
    """Change the file's `atesta` note by hand."""
    document = json.loads(path.read_text())
    document["atesta"].update(changes)
    path.write_text(json.dumps(document))


def test_key_file_opens_with_its_passphrase_on_its_chain(validator_file: Path) -> None:
    key = load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)
    info = read_key_file_info(validator_file)
    assert (info.address, info.purpose, info.binding) == (key.address, VALIDATOR, OURS)
    assert stat.S_IMODE(validator_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(validator_file.parent.stat().st_mode) == 0o700
    assert key.reveal_secret().hex() not in validator_file.read_text()


def test_key_file_is_a_standard_keystore(validator_file: Path) -> None:
    key = load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)
    opened = Account.decrypt(validator_file.read_text(), "secret words")
    assert bytes(opened) == key.reveal_secret()


def test_strong_is_the_default_and_costs_what_wallets_ask(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    create_key_file(path, "p", purpose=ACCOUNT)
    parameters = json.loads(path.read_text())["crypto"]["kdfparams"]
    assert parameters["n"] * parameters["r"] * parameters["p"] >= 2**18 * 8


def test_wrong_passphrase_names_the_file(validator_file: Path) -> None:
    with pytest.raises(WrongPassphrase, match=r"validator\.json: the passphrase is wrong"):
        load_key_file(validator_file, "other words", purpose=VALIDATOR, binding=OURS)


@pytest.mark.parametrize("binding", [OTHER_GENESIS, OTHER_CHAIN, None])
def test_validator_key_is_refused_on_another_chain(
    validator_file: Path, binding: ChainBinding | None
) -> None:
    with pytest.raises(KeyBoundElsewhere, match="is a validator key of chain 7 with genesis 0x07"):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=binding)


def test_key_of_one_purpose_does_not_serve_another(validator_file: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyBoundElsewhere, match="cannot serve as account key"):
        load_key_file(validator_file, "secret words", purpose=ACCOUNT)
    account = tmp_path / "account.json"
    create_key_file(account, "p", purpose=ACCOUNT, strength=FAST)
    with pytest.raises(KeyBoundElsewhere, match="cannot serve as validator key"):
        load_key_file(account, "p", purpose=VALIDATOR, binding=OURS)


def test_binding_edited_by_hand_is_noticed(validator_file: Path) -> None:
    edit(validator_file, chain_id=8)
    with pytest.raises(KeyFileDamaged, match="changed by hand"):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OTHER_CHAIN)


def test_purpose_edited_by_hand_is_noticed(validator_file: Path) -> None:
    edit(validator_file, purpose="account")
    with pytest.raises(KeyFileDamaged, match="changed by hand"):
        load_key_file(validator_file, "secret words", purpose=ACCOUNT)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"purpose": "both"}, "atesta.purpose"),
        ({"chain_id": "7"}, "atesta.chain_id"),
        ({"chain_id": True}, "atesta.chain_id"),
        ({"genesis_hash": "0x07"}, "atesta.genesis_hash"),
        ({"genesis_hash": "zz"}, "atesta.genesis_hash"),
        ({"proof": "zz"}, "atesta.proof"),
        ({"proof": ""}, "changed by hand"),
    ],
)
def test_damaged_note_is_named(
    validator_file: Path, changes: dict[str, object], named: str
) -> None:
    edit(validator_file, **changes)
    with pytest.raises(KeyFileDamaged) as caught:
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)
    assert named in str(caught.value)
    assert str(validator_file) in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"crypto": {}}', '{"crypto": 1}'])
def test_file_that_is_no_keystore_is_damaged(validator_file: Path, content: str) -> None:
    validator_file.write_text(content)
    with pytest.raises(KeyFileDamaged):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)


@pytest.mark.parametrize("crypto", [{}, {"cipher": "x"}, 5, {"kdf": "scrypt", "cipher": "none"}])
def test_damaged_crypto_part_is_damage_and_not_a_crash(
    validator_file: Path, crypto: object
) -> None:
    document = json.loads(validator_file.read_text())
    validator_file.write_text(json.dumps({**document, "crypto": crypto}))
    with pytest.raises(KeyFileDamaged):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)


def test_address_of_another_key_is_noticed(validator_file: Path) -> None:
    document = json.loads(validator_file.read_text())
    validator_file.write_text(json.dumps({**document, "address": "11" * 20}))
    with pytest.raises(KeyFileDamaged):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_file_that_others_may_open_is_refused(validator_file: Path, mode: int) -> None:
    validator_file.chmod(mode)
    with pytest.raises(ExposedSecret, match=f"mode {mode:04o}.*chmod 600"):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing, match=r"none\.json: cannot be read"):
        load_key_file(tmp_path / "none.json", "p", purpose=ACCOUNT)
    with pytest.raises(KeyFileMissing, match="not a regular file"):
        read_passphrase_file(tmp_path)


def test_existing_key_is_never_overwritten(validator_file: Path) -> None:
    before = validator_file.read_bytes()
    with pytest.raises(KeyFileExists):
        create_key_file(validator_file, "p", purpose=VALIDATOR, binding=OURS, strength=FAST)
    assert validator_file.read_bytes() == before


def test_passphrase_can_be_changed(validator_file: Path) -> None:
    key = load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)
    with pytest.raises(WrongPassphrase):
        change_passphrase(validator_file, "guess", "new", strength=FAST)
    change_passphrase(validator_file, "secret words", "new", strength=FAST)
    again = load_key_file(validator_file, "new", purpose=VALIDATOR, binding=OURS)
    assert again.address == key.address
    assert stat.S_IMODE(validator_file.stat().st_mode) == 0o600
    with pytest.raises(WrongPassphrase):
        load_key_file(validator_file, "secret words", purpose=VALIDATOR, binding=OURS)


def test_imported_secret_is_the_one_that_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    import_key_file(path, "päß wörd", b"\x11" * 32, purpose=ACCOUNT, strength=FAST)
    assert load_key_file(path, "päß wörd", purpose=ACCOUNT).reveal_secret() == b"\x11" * 32


@pytest.mark.parametrize(
    ("content", "passphrase"), [("words", "words"), ("words\n", "words"), ("a b \r\n", "a b ")]
)
def test_passphrase_file_is_one_line(tmp_path: Path, content: str, passphrase: str) -> None:
    path = tmp_path / "passphrase"
    write_secret_file(path, content.encode())
    assert read_passphrase_file(path) == passphrase


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 70_000])
def test_unusable_passphrase_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passphrase"
    write_secret_file(path, content)
    with pytest.raises(KeyFileDamaged, match=str(path)):
        read_passphrase_file(path)


def test_readable_passphrase_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("words")
    path.chmod(0o644)
    with pytest.raises(ExposedSecret):
        read_passphrase_file(path)


def test_key_shows_its_address_and_hides_its_secret() -> None:
    key = SigningKey(b"\x42" * 32)
    assert repr(key) == f"SigningKey(0x{key.address.hex()})"
    assert key.address == bytes.fromhex(Account.from_key(b"\x42" * 32).address[2:])


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, b"\x01" * 31])
def test_secret_outside_the_curve_is_refused(secret: bytes) -> None:
    with pytest.raises(UserFault, match="not a secp256k1 private key"):
        SigningKey(secret)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
def test_signature_recovers_to_its_signer_and_to_nobody_else(digest: bytes, other: bytes) -> None:
    key = SigningKey(keccak(b"seed"))
    signature = key.sign_digest(Hash32(digest))
    assert len(signature) == 65
    assert signature[64] in {0, 1}
    assert signature == key.sign_digest(Hash32(digest)), "deterministic"
    assert recover_signer(Hash32(digest), signature) == key.address
    assert recover_signer(Hash32(keccak(digest + other)), signature) != key.address


@given(st.binary(max_size=70))
def test_any_bytes_are_a_signature_or_none(signature: bytes) -> None:
    assert recover_signer(Hash32(b"\x01" * 32), signature) != SigningKey(keccak(b"k")).address


def test_published_keys_work_on_loopback_only() -> None:
    published = [("validator.key_file", get_address(1, "validator"))]
    own = [("validator.key_file", SigningKey(keccak(b"own")).address)]
    pins = [("network.tls_key_file", Hash32(get_tls_pin(3)))]
    for host in ("127.0.0.1", "::1", "localhost"):
        refuse_published_keys(published, host, pins=pins)
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        refuse_published_keys(own, host)
        with pytest.raises(PublishedKey, match=r"validator\.key_file: is a published test key"):
            refuse_published_keys(published, host)
        with pytest.raises(PublishedKey, match=r"network\.tls_key_file"):
            refuse_published_keys(own, host, pins=pins)
