"""How large gradients are, and how far apart."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def wide(tensor: Tensor) -> Tensor:
    """In double precision; complex numbers as the pairs of real ones that they are."""
    return (torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor).double()


def norm(gradients: Iterable[Tensor]) -> float | None:
    """L2 norm over several tensors; None where there is none."""
    parts = [
        wide(gradient.detach() if gradient.layout is torch.strided else gradient.detach().coalesce().values()).norm()
        for gradient in gradients
    ]
    return float(torch.stack(parts).norm()) if parts else None


def distance(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float | None:
    """||g - g'|| / max(||g||, ||g'||); None for 0/0 and for what is not finite."""
    names = one.keys() | other.keys()
    apart = [_dense(one, other, name) - _dense(other, one, name) for name in sorted(names)]
    top, difference = max(norm(one.values()) or 0.0, norm(other.values()) or 0.0), norm(apart) or 0.0
    return difference / top if top > 0 and math.isfinite(top) and math.isfinite(difference) else None


def _dense(this: Mapping[str, Tensor], that: Mapping[str, Tensor], name: str) -> Tensor:
    found = this[name] if name in this else torch.zeros_like(that[name])
    return wide(found if found.layout is torch.strided else found.to_dense())


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Equal to the last bit; NaN equals NaN."""
    return one.shape == other.shape and bool(torch.equal(torch.nan_to_num(one), torch.nan_to_num(other)))
