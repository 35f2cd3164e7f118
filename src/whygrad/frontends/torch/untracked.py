"""Steps that go on though tracking was switched off as a function does it: for good."""

from collections import Counter
from dataclasses import dataclass, field

from whygrad.frontends import source
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Origin


@dataclass(slots=True)
class Untracked:
    """What was cleared since tracking was switched off; a backward begins the count anew, since some part is tracked after all."""

    switch: source.Trace | None = None
    counts: Counter[int] = field(default_factory=Counter)
    """Id of an optimizer or module to the times that its gradients were cleared."""

    def begin(self, switch: source.Trace | None) -> None:
        """Tracking was switched off there, or on again. What is switched off already stays off since then."""
        if switch is None or self.switch is None:
            self.switch = switch
            self.counts.clear()

    def backward(self) -> None:
        """A gradient was asked for."""
        self.counts.clear()

    def cleared(self, owner: object, tracking: bool) -> None:  # noqa: FBT001 - the state of tracking
        """Gradients were cleared for another step."""
        if self.switch is not None and not tracking:
            self.counts[id(owner)] += 1

    @property
    def steps(self) -> int:
        """How many steps went on so, at least."""
        return max(self.counts.values(), default=0)

    def origins(self, builder: Builder) -> tuple[Origin, ...]:
        """Where tracking was switched off, if steps went on."""
        return (Origin(setting="untracked", site=builder.site(self.switch)),) if self.steps else ()
