"""How activations grow through the weights: where they do, the gradient grows as much on its way back."""

from dataclasses import dataclass

from whygrad.flow import StepIndex
from whygrad.ir import Op
from whygrad.rules.magnitude.scales import scale_of

_WEIGHED = ("linear", "conv", "matmul", "rnn")


@dataclass(frozen=True, slots=True)
class Gain:
    """Root mean squares before the first weight and behind the last."""

    before: float
    after: float
    weights: int
    steepest: Op
    """The op through which the activations grow most."""
    factor: float
    """By how much they grow in it."""
    recurrent: bool

    @property
    def growth(self) -> float:
        """How many times as large they are behind all weights."""
        return self.after / self.before


def gain(step: StepIndex) -> Gain | None:
    """The growth over all ops that apply a trained weight; None where a size is not known."""
    trained = {p.value for p in step.step.parameters if p.trainable}
    ops = [op for op in step.graph.ops if op.kind in _WEIGHED and not trained.isdisjoint(op.inputs) and not _begins(step, op, trained)]
    sizes = [(op, _read(step, op, trained), scale_of(step.value(op.output))) for op in ops]
    known = [(op, before, after) for op, before, after in sizes if before is not None and after is not None]
    if not known or len(known) < len(ops):
        return None
    steepest, before, after = max(known, key=lambda item: item[2] / item[1])
    return Gain(known[0][1], known[-1][2], len(known), steepest, after / before, any(op.kind == "rnn" for op in ops))


def _begins(step: StepIndex, op: Op, trained: set[str]) -> bool:
    """It reads zeros and makes zeros: the first turn of a recurrence, which tells nothing of its growth."""
    values = [step.value(name).statistics for name in (*op.inputs, *op.outputs) if name not in trained]
    return bool(values) and all(figures is not None and figures.zeros == 1.0 for figures in values)


def _read(step: StepIndex, op: Op, trained: set[str]) -> float | None:
    """The size of what the weight is applied to."""
    given = next((name for name in op.inputs if name not in trained), None)
    return scale_of(step.value(given)) if given is not None else None
