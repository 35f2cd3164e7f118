"""Steps that go on though tracking was switched off as a function does it: for good."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from whygrad.frontends import source
from whygrad.frontends.torch import _compat
from whygrad.frontends.torch.calls import tensors_in
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Origin, Outcome

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder

AGAIN = 2
"""Gradients cleared so often, and none asked for: it may never come, and the parameters may be gone by then."""


@dataclass(slots=True)
class Untracked:
    """What was cleared since tracking was switched off; a backward with a history begins the count anew, since some part is tracked after all."""

    switch: source.Trace | None = None
    counts: Counter[int] = field(default_factory=Counter)
    """Id of an optimizer or module to the times that its gradients were cleared."""
    unasked: Counter[int] | None = field(default_factory=Counter)
    """The same from the start of the run, whatever is switched off; None from the first backward on."""

    def begin(self, switch: source.Trace | None) -> None:
        """Tracking was switched off there, or on again. What is switched off already stays off since then."""
        if switch is None or self.switch is None:
            self.switch = switch
            self.counts.clear()

    def backward(self, losses: Any) -> None:
        """A gradient was asked for. Losses that were told to want one, and have no history, reach no parameter."""
        self.unasked = None
        if self.counts and any(not _compat.is_leaf(loss) for _, loss in tensors_in(losses)):
            self.counts.clear()

    def cleared(self, owner: object, tracking: bool) -> None:  # noqa: FBT001 - the state of tracking
        """Gradients were cleared for another step."""
        if self.unasked is not None:
            self.unasked[id(owner)] += 1
        if self.switch is not None and not tracking:
            self.counts[id(owner)] += 1

    @property
    def steps(self) -> int:
        """How many steps went on so, at least."""
        return max(self.counts.values(), default=0)

    @property
    def never_asked(self) -> int:
        """How often gradients were cleared though none was ever asked for."""
        return max(self.unasked.values(), default=0) if self.unasked else 0

    def counted(self, outcome: Outcome) -> Outcome:
        """The same end of the run, with what was counted here."""
        return replace(outcome, untracked=self.steps, cleared=self.never_asked)

    def origins(self, builder: Builder) -> tuple[Origin, ...]:
        """Where tracking was switched off, if steps went on."""
        return (Origin(setting="untracked", site=builder.site(self.switch)),) if self.steps else ()


def note_cleared(recorder: "TorchRecorder", owner: object) -> None:
    """`zero_grad` was called: of a run that has asked for no gradient so far, the parameters are held for its end."""
    recorder.left_off.cleared(owner, torch.is_grad_enabled())
    recorder.mixed.cleared()
    if recorder.on and recorder.running.updated and recorder.left_off.steps and not torch.is_grad_enabled():
        recorder.end_step()  # no call of the next one will have a history, by which it would be known
    if recorder.on and recorder.left_off.never_asked == AGAIN and not recorder.running.seen:
        recorder.running.seen = recorder.assembly.known_parameters()
