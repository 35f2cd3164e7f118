"""Questions about a graph. Pure."""

from whygrad.flow.index import Index, StepIndex

__all__ = ["Index", "StepIndex"]
