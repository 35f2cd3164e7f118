"""Gradients that an evaluation leaves behind: the next update uses them together with those of the training."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from torch import Tensor, nn

from whygrad.frontends import source
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Origin

RARE = 4
"""Updates for each such one at least: where every other update is so, two losses in two modes are added up on purpose."""
OFTEN = 2
"""Times from which on it is no accident of one moment."""


@dataclass(slots=True)
class Mixed:
    """Backwards in evaluation mode since gradients were last cleared or used, of models that were trained before."""

    trained: set[int] = field(default_factory=set)
    """Ids of the models that were in training mode at some update."""
    pending: source.Trace | None = None
    both: bool = False
    """A backward in training mode has added to what is pending."""
    times: int = 0
    updates: int = 0
    trace: source.Trace | None = None
    """The first such backward that came into an update."""

    def backward(self, models: list[nn.Module], held: Callable[[], Iterable[Tensor]], trace: Callable[[], source.Trace | None]) -> None:
        """A backward is about to run."""
        if any(not model.training and id(model) in self.trained for model in models):
            self.pending = self.pending or trace()
        elif self.pending is not None and not self.both:
            self.both = any(p.grad is not None and bool(p.grad.detach().any()) for p in held())
            self.pending = self.pending if self.both else None

    def cleared(self) -> None:
        """Gradients were cleared."""
        self.pending, self.both = None, False

    def updated(self, models: list[nn.Module]) -> None:
        """An optimizer is about to step."""
        self.updates += 1
        self.trained.update(id(model) for model in models if model.training)
        if self.both:
            self.times += 1
            self.trace = self.trace or self.pending
        self.cleared()

    def origins(self, builder: Builder) -> tuple[Origin, ...]:
        """Where the gradients come from, if that is how evaluations end."""
        if self.times < OFTEN or self.updates < RARE * self.times:
            return ()
        return (Origin(setting="evaluated", site=builder.site(self.trace)),)
