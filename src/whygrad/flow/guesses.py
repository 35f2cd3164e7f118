"""What a guess costs that gives every example the same probability, by the labels that were seen."""

from collections.abc import Collection
from dataclasses import dataclass
from math import fsum, isfinite, log, sqrt

from whygrad.flow.index import StepIndex
from whygrad.ir import Op, Value
from whygrad.loss_contracts import target_of

_LOSSES = ("cross_entropy", "nll_loss", "bce_with_logits", "binary_cross_entropy")
_ERRORS = 2
"""Standard errors by which the share seen in a few batches may differ from the share in all the data."""


GUESSED = 0.97
"""Share of what the best constant guess costs from which on nothing was learnt; programs of the corpus that learn end below 0.9."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A constant guess on labels of two classes."""

    value: Value
    share: float
    """Of the larger class."""
    rows: int

    @property
    def loss(self) -> float:
        """What the guess that is right most often costs, in the loss's own unit."""
        return _entropy(self.share)

    @property
    def at_most(self) -> float:
        """The same where the labels seen had more of the larger class than all of them have, by as much as chance allows."""
        return _entropy(max(0.5, self.share - _ERRORS * (self.share * (1 - self.share) / max(1, self.rows)) ** 0.5))


def _entropy(share: float) -> float:
    return -share * log(share) - (1 - share) * log(1 - share)


def constant_guess(steps: tuple[StepIndex, ...], op: Op) -> Guess | None:
    """The constant guess for the labels of this loss, from all steps of its kind; None where there are not two classes of plain labels."""
    plain = (
        op.kind in _LOSSES and op.attributes.get("reduction", "mean") == "mean" and op.attributes.get("label_smoothing", 0.0) in (0.0, 0)
    )
    # timid: weights of classes are inputs beside the prediction and the target, and change what a guess costs
    if not plain or len(op.inputs) != 2:  # noqa: PLR2004 - prediction and target
        return None
    labels = [
        step.value(name) for step in steps for other in step.loss_ops() if other.kind == op.kind and (name := target_of(other)) is not None
    ]
    means = [mean for value in labels if (mean := _positive(value)) is not None]
    if not means or len(means) < len(labels):
        return None
    share = fsum(means) / len(means)
    larger = max(share, 1 - share)
    return Guess(labels[-1], larger, sum(value.statistics.count for value in labels if value.statistics)) if larger < 1 else None


def spread_guess(steps: tuple[StepIndex, ...], op: Op, *, reductions: Collection[str] = ("mean",)) -> float | None:
    """
    What a constant guess costs at most by a squared or absolute error: by the spread of the targets seen, which may be less than that of all by as much as chance allows.

    `reductions`: those of the loss that is asked about, whose mean may be an op of its own.
    """
    seen = _spreads(steps, op, reductions)
    spread = max((_at_most(std, count) for std, count in seen), default=None)
    return _cost(op, spread) if spread is not None else None


def spread_seen(steps: tuple[StepIndex, ...], op: Op) -> float | None:
    """What a constant guess costs by a squared or absolute error on the batch whose targets differ least."""
    spread = min((std for std, _ in _spreads(steps, op)), default=None)
    return _cost(op, spread) if spread is not None else None


def written_guess(step: StepIndex, *, at_most: bool = True) -> float | None:
    """What a constant guess costs, at most or by these alone, on the targets of this step by a mean of squared differences that the program writes out."""
    labels = step.from_labels - step.depends_on_parameters
    for op in step.graph.ops:
        target = next((name for name in op.inputs if name in labels), None)
        squares = step.consumers.get(op.output, ()) if op.kind == "sub" and target is not None and len(op.inputs) == 2 else ()  # noqa: PLR2004 - a difference
        means = [mean for square in squares if square.kind in ("square", "pow", "mul") for mean in step.consumers.get(square.output, ())]
        figures = step.value(target).statistics if target is not None else None
        if (
            figures is not None
            and figures.finite == 1.0
            and figures.std
            and any(m.kind == "mean" and m.output in step.losses for m in means)
        ):
            return (_at_most(figures.std, figures.count) if at_most else figures.std) ** 2
    return None


def _at_most(std: float, count: int) -> float:
    """The spread that all data may have where so many of them have this one."""
    return std * (1 + _ERRORS * sqrt(2 / max(1, count)))


def _cost(op: Op, spread: float) -> float:
    return spread**2 if op.kind == "mse_loss" else spread


def _spreads(steps: tuple[StepIndex, ...], op: Op, reductions: Collection[str] = ("mean",)) -> list[tuple[float, int]]:
    """Standard deviation and number of the targets of each step, where this loss is a plain mean and the targets are data."""
    plain = op.kind in ("mse_loss", "l1_loss") and op.attributes.get("reduction", "mean") in reductions and len(op.inputs) == 2  # noqa: PLR2004 - prediction and target
    names = [
        (step, name) for step in steps for other in step.loss_ops() if other.kind == op.kind and (name := target_of(other)) is not None
    ]
    figures = [step.value(name).statistics for step, name in names] if plain else []
    spreads = [(found.std, found.count) for found in figures if found is not None and found.finite == 1.0 and found.std]
    # timid: targets that are the same everywhere are a condition, as an equation's residual of 0, and no data
    return spreads if len(spreads) == len(figures) else []


def _positive(value: Value) -> float | None:
    """The share of ones among labels of zeros and ones; None for others."""
    figures = value.statistics
    if figures is None or figures.finite != 1.0 or figures.mean is None or not isfinite(figures.mean):
        return None
    binary = figures.whole in (1.0, None) and figures.minimum in (0.0, 1.0) and figures.maximum in (0.0, 1.0)
    return figures.mean if binary and not figures.sampled else None
