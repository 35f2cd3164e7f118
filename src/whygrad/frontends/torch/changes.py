"""What a replay does differently, in terms of calls and tensors."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class Change:
    """An intervention in terms of calls and tensors."""

    substitutes: dict[int, Tensor]
    lifted: frozenset[str] = frozenset()
    regions: frozenset[int] = frozenset()
    bypassed: frozenset[str] = frozenset()
    reshaped: tuple[str, tuple[int, ...]] | None = None
    activated: frozenset[str] = frozenset()
    """Ops whose first output goes through a ReLU."""
    reseeded: tuple[frozenset[str], int] = (frozenset(), 0)
    """Ops that draw other numbers, and what tells these from others."""

    @property
    def plain(self) -> bool:
        """Nothing is changed but what some tensors hold."""
        return not (self.lifted or self.regions or self.bypassed or self.reshaped or self.activated or self.reseeded[0])
