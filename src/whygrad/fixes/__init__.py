"""From a remedy to a patch of the user's source."""

from whygrad.fixes.patching import Patch, patch, unified

__all__ = ["Patch", "patch", "unified"]
