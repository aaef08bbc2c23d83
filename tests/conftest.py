"""Shared by all tests: the keccak backend, the seed of chance, and the switch for long tests."""

import os
from pathlib import Path

os.environ["ETH_HASH_BACKEND"] = "pysha3"

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made depends on the machine's other work, and is nobody's fault.
COMMON = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", COMMON, derandomize=True)
settings.register_profile("chance", COMMON)
settings.load_profile("same")

pytest_plugins = ["tests.engines"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")


def pytest_configure(config: pytest.Config) -> None:
    """Try the same examples in every run, so that it says something about the change alone.

    With `--long` they are new ones each time.
    """
    settings.load_profile("chance" if config.getoption("--long") else "same")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Open no module without tests of real processes when only those are asked for."""
    if config.getoption("markexpr") != "processes" or collection_path.suffix != ".py":
        return None
    return None if "processes" in collection_path.read_text(encoding="utf-8") else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip long tests unless asked for; keep those of one network of processes on one worker."""
    skip = pytest.mark.skip(reason="long: give --long to run it")
    for item in items:
        if item.get_closest_marker("processes"):
            is_shared = "shared_net" in getattr(item, "fixturenames", ())
            group = "shared net" if is_shared else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(skip)
