"""Settings of the whole suite."""

import pytest
from hypothesis import settings

from program_pool import keep_compilations

# A shared machine has no deadlines; the same examples everywhere, so that a failure can be repeated.
settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("house")

keep_compilations()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: item.path.name != "test_repairing.py")
