"""From a settings file to frozen values: read once, complete, and refused as a whole."""

import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.settings.checking import validate_settings
from node.settings.fields import SettingsError, parse_table
from node.settings.tables import Settings


def load_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises SettingsError that names the key; a file that cannot be read or is not TOML is named
    itself.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(str(path), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"is not TOML: {error}") from error
    return parse_settings(document, folder=path.resolve().parent)


def parse_settings(document: Mapping[str, Any], *, folder: Path) -> Settings:
    """Parse a decoded TOML document; relative paths are taken from `folder`.

    Raises SettingsError that names the key.
    """
    hints = typing.get_type_hints(Settings)
    for name in document:
        if name not in hints:
            raise SettingsError(name, f"is an unknown table; known are {', '.join(hints)}")
    tables = {
        name: parse_table(name, kind, document.get(name, {}), folder)
        for name, kind in hints.items()
    }
    settings = Settings(**tables)
    validate_settings(settings)
    return settings
