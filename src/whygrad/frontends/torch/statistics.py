"""Figures of a tensor, gathered on its own device without waiting for it, and read later."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from whygrad.ir import Statistics

SAMPLE = 4096
"""Entries looked at of a large tensor. A share of 1 in 1000 is then missed with probability (1 - 0.001)^4096 < 2 %; the cost stays near 40 µs."""
EXACT = 65_536
"""Inputs, labels and losses up to this many entries are looked at whole."""
UNITS = 4_000_000
"""Entries up to which units are counted that are zero on the whole batch: below 2 ms."""


@dataclass(slots=True)
class Pending:
    """Statistics under way on the device."""

    figures: Tensor
    count: int
    sampled: bool
    distinct: Tensor | None = None
    rows: Tensor | None = None
    units: Tensor | None = None

    def read(self) -> Statistics:
        """Wait for the figures and return them."""
        finite, low, high, mean, square, zeros, whole = self.figures.tolist()
        if math.isnan(finite) or self.count == 0:
            return Statistics(self.count)
        some = finite > 0
        variance = max(square - mean * mean, 0.0)
        return Statistics(
            count=self.count,
            finite=finite,
            minimum=low if some else None,
            maximum=high if some else None,
            mean=mean if some else None,
            std=math.sqrt(variance) if some else None,
            zeros=zeros,
            norm=_root(square * finite * self.count) if some else None,
            whole=whole,
            distinct=None if self.distinct is None else int(self.distinct.item()),
            row_sums=None if self.rows is None else (float(self.rows[0]), float(self.rows[1])),
            dead=None if self.units is None else float(self.units),
            sampled=self.sampled,
        )


def _root(value: float) -> float:
    return math.sqrt(value) if math.isfinite(value) else math.inf


def sample_of(tensor: Tensor, limit: int) -> Tensor:
    """At most about `limit` entries, evenly spread, as one flat tensor that shares nothing with autograd."""
    flat = tensor.detach()
    flat = (
        flat.view(-1)
        if flat.is_contiguous()
        else flat.reshape(-1)
        if flat.numel() <= 4 * limit
        else flat[tuple(slice(None, None, max(1, n // 16)) for n in flat.shape)].reshape(-1)
    )
    return flat if flat.numel() <= limit else flat[:: max(1, flat.numel() // limit)]


def start(tensor: Tensor, *, whole: bool = False, count_distinct: bool = False, rows: bool = False, units: bool = False) -> Pending | None:
    """Begin to gather; None for tensors that hold no numbers (sparse, quantised, meta)."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta or tensor.is_complex():
        return None
    count = tensor.numel()
    if count == 0:
        return Pending(torch.full((7,), math.nan), 0, sampled=False)
    sample = sample_of(tensor, EXACT if whole else SAMPLE)
    distinct = _distinct(sample) if count_distinct and sample.numel() == count else None
    sums = _rows(tensor) if rows and tensor.dim() > 1 else None
    dead = _dead(tensor) if units and tensor.dim() > 1 and count <= UNITS else None
    return Pending(_figures(sample.double()), count, sample.numel() < count, distinct, sums, dead)


def _figures(sample: Tensor) -> Tensor:
    finite = torch.isfinite(sample)
    share = finite.double().mean()
    kept = torch.where(finite, sample, 0.0)
    number = finite.sum().clamp(min=1)
    return torch.stack((
        share,
        torch.where(finite, sample, math.inf).min(),
        torch.where(finite, sample, -math.inf).max(),
        kept.sum() / number,
        kept.square().sum() / number,
        (sample == 0).double().mean(),
        (kept == kept.round()).double().mean(),
    ))  # fmt: skip


def _distinct(sample: Tensor) -> Tensor:
    return torch.tensor(torch.unique(sample).numel()) if sample.device.type == "cpu" else (torch.sort(sample).values.diff() != 0).sum() + 1


def _rows(tensor: Tensor) -> Tensor:
    rows = tensor.detach().flatten(0, -2)
    sums = rows[: max(1, SAMPLE // max(1, rows.shape[-1]))].double().sum(-1)
    return torch.stack((sums.min(), sums.max()))


def _dead(tensor: Tensor) -> Tensor:
    """Share of units that are zero everywhere: channels come second in pictures and sequences of channels, else last."""
    axis = 1 if tensor.dim() > 3 else tensor.dim() - 1  # noqa: PLR2004 - batch, channels, height, width
    others = tuple(at for at in range(tensor.dim()) if at != axis)
    return 1 - (tensor.detach() != 0).sum(others).bool().double().mean()
