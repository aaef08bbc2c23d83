"""The vault: documents and salts of this agency, encrypted, and nowhere else.

Each record has a data key of its own, wrapped under the key of an erasure epoch; epoch keys are
files outside the database, wrapped under the master key. What leaves the vault is the credential
file for the resident, a commitment for the ledger, or a keyed fingerprint that means nothing
without the keys.

    vault.py, stored.py, materials.py, subjects.py    what is kept, and found again
    keys.py, epoch_keys.py, ciphers.py                master key, epoch keys, AES-GCM
    key_folder.py, erasure_journal.py                 the keys' files, the erasure list
    key_places.py, decisions.py                       new disks for them; orders beside them
    keyring.py, epochs.py, sealed_tables.py           sealing and opening; which rows are sealed
    erasure.py, rotation.py, upgrade.py, opening.py   changes of keys, and finishing them
    backup.py, restoring.py, checking.py, shares.py   what an operator needs

Why it is so: `docs/adr/0005-erasure-epochs.md`.
"""
