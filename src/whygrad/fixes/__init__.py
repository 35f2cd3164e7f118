"""From a remedy to a patch of the user's source."""

from whygrad.fixes.patching import Patch, patch, unified
from whygrad.fixes.undoing import undone

__all__ = ["Patch", "patch", "undone", "unified"]
