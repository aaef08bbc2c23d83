"""What this program calls itself towards other nodes and callers."""

import platform
from importlib.metadata import version
from typing import Final

VERSION: Final = version("atesta")
CLIENT_VERSION: Final = f"atesta/{VERSION}/python{platform.python_version()}"
"""At most 64 characters, told to peers and by `web3_clientVersion`."""
