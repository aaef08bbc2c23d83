"""What types and bounds cannot say: which texts a setting takes, which settings need another.

Types and bounds are checked where a table is read (`node.settings.fields`). Of the rules over
several keys the heaviest is that an API which others can reach is neither open nor overheard.
"""

import ipaddress
from typing import Final

from node.settings.fields import SettingsError
from node.settings.foreign import TAGS
from node.settings.ledgers import validate_ledgers
from node.settings.tables import Settings

_MIN_RETAINED_BLOCKS: Final = 64
"""A pruned node keeps at least this many states: callers ask about blocks they have just seen."""

_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def validate_settings(settings: Settings) -> None:
    """Raise SettingsError, naming the key, for a value that cannot stand or a pair that cannot."""
    if settings.log.level not in _LOG_LEVELS:
        raise SettingsError("log.level", f"must be one of {', '.join(_LOG_LEVELS)}")
    if settings.foreign.finality not in TAGS:
        raise SettingsError("foreign.finality", f"must be one of {', '.join(TAGS)}")
    for key, host in (("network.host", settings.network.host), ("api.host", settings.api.host)):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host != "localhost":
                raise SettingsError(key, "must be an IP address or localhost") from None
    if settings.network.advertised_address is not None:
        _validate_address("network.advertised_address", settings.network.advertised_address)
    if 0 < settings.chain.retain_blocks < _MIN_RETAINED_BLOCKS:
        raise SettingsError("chain.retain_blocks", f"must be 0 or at least {_MIN_RETAINED_BLOCKS}")
    validator = settings.validator
    if validator.key_file is not None and validator.passphrase_file is None:
        raise SettingsError("validator.passphrase_file", "is needed with validator.key_file")
    api = settings.api
    if api.account_key_files and api.account_passphrase_file is None:
        raise SettingsError("api.account_passphrase_file", "is needed with api.account_key_files")
    validate_ledgers(
        api.ledger_name,
        api.ledgers,
        has_database=any((api.database_url, api.index_url, api.outbox_url)),
    )
    if (api.tls_certificate is None) != (api.tls_key is None):
        missing = "api.tls_key" if api.tls_key is None else "api.tls_certificate"
        raise SettingsError(missing, "certificate and key are given together or not at all")
    if api.enabled and not is_loopback(api.host):
        # Whoever reaches the API from outside must be known and must not be overheard.
        if api.tls_certificate is None:
            raise SettingsError("api.tls_certificate", f"is needed to listen on {api.host}")
        if api.token_file is None and api.access_file is None:
            raise SettingsError("api.token_file", f"is needed to listen on {api.host}")


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _validate_address(key: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SettingsError(key, "must be host:port")
