"""Settings of the whole suite."""

from hypothesis import settings

# A shared machine has no deadlines; the same examples everywhere, so that a failure can be repeated.
settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("house")
