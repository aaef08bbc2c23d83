"""Everything an operator may decide about one node, parsed once into frozen values.

Rules of the network (who validates, how often a block is made, what a transaction may cost) live
in genesis.json alone, because nodes that disagree about them fork. What is left is local: where
files lie, where to listen, how much to keep. It is written in TOML, one table per part of the
node, and parsed completely before anything is opened, so that a mistake costs nothing.

Three rules hold for every key:

* An unknown key, a wrong type or a value out of range is refused, and the error names the key.
* A secret is never a value here, only the path of a file that holds it.
* Paths are relative to the folder of the settings file, so a node's folder can be moved whole.

Each field carries its own explanation; `describe_settings` turns them into docs/settings.md. The
tables are in `tables`, `api`, `ledgers` and `foreign`; what types cannot say is in `checking`.
"""

from node.settings.checking import is_loopback
from node.settings.describing import describe_settings
from node.settings.fields import SettingsError
from node.settings.reading import load_settings, parse_settings
from node.settings.tables import LogSettings, Settings

__all__ = [
    "LogSettings",
    "Settings",
    "SettingsError",
    "describe_settings",
    "is_loopback",
    "load_settings",
    "parse_settings",
]
