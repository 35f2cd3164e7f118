"""One experiment: every word of the rows that end in much padding changed, and how much of that reaches what is predicted for them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from whygrad.frontends.torch.futures import Sequenced
from whygrad.ir import Reword, Trial

MUCH = 0.5
"""Share of a row that is padding at its end, from which the row counts."""


def reworded(replay: Sequenced, intervention: Reword) -> Trial:
    """The experiment. The same rows with their padding in front tell how much a change of their words can reach."""
    sequence, made = replay.find(intervention.value), replay.producers.get(intervention.op)
    if sequence is None or made is None:
        return Trial(intervention, reason="what the step read is gone")
    given = sequence[1].detach().movedim(intervention.axis, 1)
    ends = _ends(given)
    padded = (ends >= MUCH * given.shape[1]) & (ends < given.shape[1])
    if not bool(padded.any()):
        return Trial(intervention, reason="no row ends in much padding")
    reading = _Reading(replay, sequence[0], made.outputs[made.made.index(intervention.op)], intervention.axis, padded)
    other = _other(given, ends)
    behind = reading.change(given, other)
    before = reading.change(_in_front(given, ends), _in_front(other, ends))
    if behind is None or before is None:
        return Trial(intervention, reason="the prediction has no row for each of the sequence")
    figures = {"behind": behind, "before": before, "rows": float(padded.sum()), "of": float(given.shape[0])}
    return Trial(intervention, figures=figures)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is predicted for some rows of a sequence."""

    replay: Sequenced
    number: int
    prediction: int
    axis: int
    rows: Tensor

    def change(self, one: Tensor, other: Tensor) -> float | None:
        """How far the predictions for two sequences are apart, relative to the larger one; None where they are not by rows."""
        first, second = self._predicted(one), self._predicted(other)
        if first is None or second is None:
            return None
        scale = float(torch.maximum(first.norm(), second.norm()))
        return float((first - second).norm()) / scale if scale > 0 else 0.0

    def _predicted(self, given: Tensor) -> Tensor | None:
        made = self.replay.forward({self.number: given.movedim(1, self.axis).contiguous()}).get(self.prediction)
        if made is None or not made.is_floating_point() or made.shape[:1] != self.rows.shape:
            return None
        return made.detach()[self.rows].double()


def _ends(given: Tensor) -> Tensor:
    """Of each row, how many positions at its end are padding: id 0, or all features 0."""
    empty = (given == 0).flatten(2).all(2) if given.dim() > 2 else given == 0  # noqa: PLR2004 - rows, positions, features
    return empty.flip(1).long().cumprod(1).sum(1)


def _other(given: Tensor, ends: Tensor) -> Tensor:
    """The sequence with every word exchanged for one of another place; its padding stays."""
    words = torch.arange(given.shape[1], device=given.device)[None, :] < given.shape[1] - ends[:, None]
    changed, kept = given.clone(), given[words]
    changed[words] = kept.roll(max(1, kept.shape[0] // 2), 0)
    return changed


def _in_front(given: Tensor, ends: Tensor) -> Tensor:
    """The same rows, each turned so that its padding comes first."""
    return torch.stack([row.roll(int(end), 0) for row, end in zip(given, ends.tolist(), strict=True)])
