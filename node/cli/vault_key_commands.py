"""`atesta vault shares`, `recover-key`, `add-mirror`: keeping the vault's keys from being lost."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.options import Config
from node.cli.vault_commands import get_key_file, list_places


def shares(
    config: Config,
    needed: Annotated[int, typer.Option(min=2, help="How many are needed.")] = 3,
    count: Annotated[int, typer.Option(min=2, help="How many are made.")] = 5,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for one file a share (mode 600); absent: they are printed."),
    ] = None,
) -> None:
    """Split the master key into shares of which some make it again; give them to different people.

    Whoever has enough of them, with the key folder, reads the vault.
    """
    import os

    from api.vault.keys import load_master_key
    from api.vault.shares import MAX_SHARES, split_master_key
    from node.errors import UserFault
    from node.settings import load_settings

    if needed > count:
        raise UserFault(f"is {needed}, more than the {count} of --count", field="--needed")
    if count > MAX_SHARES:
        raise UserFault(f"is {count}, more than {MAX_SHARES}", field="--count")
    key = load_master_key(get_key_file(load_settings(config)))
    made = split_master_key(key, threshold=needed, count=count)
    if out is None:
        for text in made:
            typer.echo(text)
        return
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number, text in enumerate(made, 1):
            path = out / f"share-{number}-of-{count}.txt"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(out)) from error
    typer.echo(f"{count} shares in {out}, of which {needed} are needed")


def recover_key(
    config: Config,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of shares; none: they are asked for.")
    ] = None,
) -> None:
    """Make the master key's file again from shares; all places of the keys must be there."""
    from api.vault.key_folder import KeyFolder
    from api.vault.keys import write_master_key
    from api.vault.shares import combine_shares, read_share
    from node.cli.rest_calls import read_bytes
    from node.errors import UserFault
    from node.settings import load_settings

    settings = load_settings(config)
    key_file = get_key_file(settings)
    if key_file.exists():
        raise UserFault("exists and is not overwritten", field=str(key_file))
    texts = [read_bytes(path).decode(errors="replace") for path in files or []]
    while not files and (not texts or len(texts) < read_share(texts[0]).threshold):
        texts.append(typer.prompt(f"Share {len(texts) + 1}", hide_input=True))
    key = combine_shares(texts)
    folder = KeyFolder(list_places(settings))
    # Without them nothing says whose key the shares make.
    folder.require_places()
    header = folder.read_header()
    if header is None or header.master_id != key.id:
        raise UserFault(
            "make another key than this vault's; the master key was changed since",
            field="the shares",
        )
    if not write_master_key(key_file, key):
        raise UserFault("exists and is not overwritten", field=str(key_file))
    typer.echo(f"{key_file}: master key {key.id.hex()}")


def add_mirror(
    place: Annotated[Path, typer.Argument(help="Folder, as the settings name it; it may be new.")],
    config: Config,
) -> None:
    """Fill a new or replaced disk with the vault's keys, from the places that are there.

    For a disk that is only not mounted: mount it instead.
    """
    from api.vault.key_folder import KeyFolder
    from api.vault.key_places import add_place
    from node.errors import UserFault
    from node.settings import load_settings

    settings = load_settings(config)
    get_key_file(settings)
    places = {path.resolve(): path for path in list_places(settings)}
    if place.resolve() not in places:
        raise UserFault(
            "is not a place of the keys; name it in api.vault_keys_mirrors first", field=str(place)
        )
    filled = add_place(KeyFolder(places.values()), places[place.resolve()])
    typer.echo(f"{place}: {'filled from the others' if filled else 'is there already'}")
