"""Kinds of step: which were seen, and of which more recorded steps are wanted."""

from dataclasses import dataclass, field

MOST_ATTEMPTS = 4
"""How often recording is switched on again for a kind that then did not come."""
PATIENCE = 16
"""Recorded steps of kinds that are complete already, after which recording ends while another kind is awaited."""

Key = tuple[frozenset[object], frozenset[object]]


@dataclass(slots=True)
class Kinds:
    """The kinds seen so far; `wanted` steps of each are recorded."""

    wanted: int
    _numbers: dict[Key, int] = field(default_factory=dict)
    _recorded: dict[int, int] = field(default_factory=dict)
    _idle: int = 0

    def kind(self, optimizers: frozenset[object], sites: frozenset[object]) -> int:
        """The number of the kind of a step: who updated, and where the derivative was asked for."""
        return self._numbers.setdefault((optimizers, sites), len(self._numbers))

    def wants(self, kind: int) -> bool:
        """Whether another recorded step of this kind is wanted."""
        lacking = self._recorded.get(kind, 0) < self.wanted
        self._idle = 0 if lacking else self._idle + 1
        return lacking

    def recorded(self, kind: int) -> None:
        """A step of this kind was recorded."""
        self._recorded[kind] = self._recorded.get(kind, 0) + 1

    @property
    def complete(self) -> bool:
        """Every kind seen has its recorded steps, or those missing did not come for long."""
        seen = self._numbers.values()
        return self._idle >= PATIENCE or all(self._recorded.get(kind, 0) >= self.wanted for kind in seen)
