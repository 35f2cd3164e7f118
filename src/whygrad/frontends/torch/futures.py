"""One experiment: the later part of a sequence changed, and what the model predicts before it."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from whygrad.frontends.halves import CHANGED, FEWEST, Halves
from whygrad.frontends.torch.calls import Call
from whygrad.ir import Perturb, Trial


class Sequenced(Protocol):
    """What is asked of a replay."""

    calls: tuple[Call, ...]

    @property
    def producers(self) -> Mapping[str, Call]:
        """Value name to the call that made it."""

    def find(self, name: str) -> tuple[int, Tensor] | None:
        """Number and tensor of a value, where it still lives."""

    def forward(self, substitutes: dict[int, Tensor]) -> dict[int, Tensor]:
        """Every value that depends on other data in the place of some tensors, by number."""


def perturbed(replay: Sequenced, intervention: Perturb) -> Trial:
    """The experiment."""
    sequence, target = replay.find(intervention.value), replay.find(intervention.target)
    made = replay.producers.get(intervention.op)
    if sequence is None or target is None or made is None:
        return Trial(intervention, reason="what the step read is gone")
    number, given = sequence
    shifts = {axis: _shift(given, target[1], axis) for axis in (1, 0) if given.dim() > 1 and given.shape[axis] >= FEWEST}
    if not shifts:
        return Trial(intervention, reason="it is no sequence")
    axis = max(shifts, key=lambda at: shifts[at]["shifted"])
    halves = TensorHalves.of(given, axis)
    other = halves.other(given)
    if torch.equal(other, given):
        return Trial(intervention, reason="all rows of the sequence are alike")
    before, after = replay.forward({number: given.clone()}), replay.forward({number: other})
    prediction = made.outputs[made.made.index(intervention.op)]
    changes = halves.changes(before[prediction], after[prediction]) if prediction in before and prediction in after else None
    if changes is None:
        return Trial(intervention, reason="the prediction has no position for each of the sequence")
    figures = {**shifts[axis], "leak": changes[0], "control": changes[1]}
    return Trial(intervention, figures=figures, where=_first(replay, halves, before, after))


def _shift(given: Tensor, target: Tensor, axis: int) -> dict[str, float]:
    """Share of the targets that equal the next entry of the sequence along an axis, and the same one."""
    rows = given.movedim(axis, 0)
    length = rows.shape[0]
    wanted = _like(target, given, axis)
    if wanted is None:
        return {"shifted": 0.0, "same": 0.0}
    shared = min(wanted.shape[0], length - 1)
    counts = _counts(wanted[:shared])
    next_, same = (rows[at : at + shared] == wanted[:shared] for at in (1, 0))
    total = max(1, int(counts.sum()))
    return {"shifted": float((next_ & counts).sum()) / total, "same": float((same & counts).sum()) / total}


def _like(target: Tensor, given: Tensor, axis: int) -> Tensor | None:
    """The target with its positions first, as the sequence has them; one that was flattened is folded again."""
    rest = given.movedim(axis, 0).shape[1:]
    if target.dim() == given.dim() and target.movedim(axis, 0).shape[1:] == rest:
        return target.movedim(axis, 0)
    entries = rest.numel()
    if target.dim() >= given.dim() or entries == 0 or target.numel() % entries:
        return None
    length = target.numel() // entries
    folded = target.reshape(*given.shape[:axis], length, *given.shape[axis + 1 :])
    return folded.movedim(axis, 0)


def _counts(wanted: Tensor) -> Tensor:
    """Entries that may count: ids below zero mark what the loss is to ignore."""
    return torch.ones_like(wanted, dtype=torch.bool) if wanted.is_floating_point() else wanted >= 0


class TensorHalves(Halves):
    """The same of tensors."""

    __slots__ = ()

    def other(self, given: Tensor) -> Tensor:
        """The sequence with its later positions taken from other rows; where there is one row alone, in the reverse order."""
        changed = given.clone().movedim((self.axis, 1 - self.axis), (0, 1))
        later = changed[self.middle + 1 :, : self.rows]
        later.copy_(later.flip(0) if self.batch == 1 else changed.roll(-self.rows, 1)[self.middle + 1 :, : self.rows])
        return changed.movedim((0, 1), (self.axis, 1 - self.axis)).contiguous()

    def positions(self, tensor: Tensor) -> Tensor | None:
        """The tensor with positions and rows as its first axes; None where it has not each exactly once."""
        shape = tuple(tensor.shape)
        if (folded := self.folded(shape)) is not None:
            return tensor.reshape(*folded, *shape[1:]).movedim(self.axis, 0)
        places = self.places(shape)
        return tensor.movedim(places, (0, 1)) if places is not None else None

    def changes(self, one: Tensor, other: Tensor) -> tuple[float, float] | None:
        """Relative change before the changed positions: in the rows that were changed, and in the others."""
        before, after = self.positions(one.detach()), self.positions(other.detach())
        if before is None or after is None or not one.is_floating_point():
            return None
        early, late = (tensor[: self.middle + 1].double() for tensor in (before, after))
        scale = float(early.abs().max())
        apart = (early - late).abs() / scale if scale > 0 else torch.zeros_like(early)
        inside, outside = apart[:, : self.rows], apart[:, self.rows :]
        return float(inside.max()), float(outside.max()) if outside.numel() else 0.0


def _first(replay: Sequenced, halves: TensorHalves, before: dict[int, Tensor], after: dict[int, Tensor]) -> str:
    """The first value whose earlier positions have changed."""
    for call in replay.calls:
        for number, name in zip(call.outputs, call.made, strict=False):
            if number not in before or number not in after or before[number].shape != after[number].shape:
                continue
            changes = halves.changes(before[number], after[number])
            if changes is not None and changes[0] > CHANGED:
                return name
    return ""
