"""A new disk for the vault's keys: filled from the others, and only when somebody says so.

Whether a place that holds nothing is a new disk or one that is not mounted, no program can tell; so
opening a vault never fills it. The operator does, with `atesta vault add-mirror`.
"""

from pathlib import Path

from api.vault.key_folder import KeyFolder, KeyFolderFault


def add_place(folder: KeyFolder, place: Path) -> bool:
    """Fill one of the folder's places from those that are there; False if it is there itself.

    What is left of keys in it is destroyed first. Stopped on the way, it may be called again, for
    what makes it a place comes to it last. Raises `KeyFolderFault`.
    """
    assert place in folder.places, "the settings name it"
    folder.require_one_vault()
    if folder.is_there(place):
        return False
    there = [one for one in folder.places if folder.is_there(one)]
    if not there:
        raise KeyFolderFault("no place of the vault's keys is there to fill another from")
    filled = KeyFolder([*there, place], watch=folder.watch)
    with filled.locked():
        header = KeyFolder(there).read_header()
        if header is None:
            raise KeyFolderFault("what names the vault cannot be read")
        filled.empty_place(place)
        filled.mend(header.master_id)
    return True
