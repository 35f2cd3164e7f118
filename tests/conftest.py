"""Settings of the whole suite."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine has no deadlines; the same examples everywhere, so that a failure can be repeated.
settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("house")

# Two thirds of the time of a small JAX program is compilation, and the tests run many alike: JAX keeps what it compiled from one process to the next.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: item.path.name != "test_repairing.py")
