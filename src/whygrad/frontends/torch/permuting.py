"""The permutation of the labels that the central measure is taken with."""

from collections.abc import Mapping

import torch
from torch import Tensor

from whygrad.frontends.arrays import redrawn

PERMUTATIONS = 8
"""Permutations tried to find the one that changes most labels: with two equally common classes one alone leaves half of them."""


class Unable(Exception):  # noqa: N818 - not an error: an answer
    """The replay can't be made; the message says why."""


def permuted(found: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The labels, by number, along their batch axis in another order, the same for all; raises `Unable`."""
    if not found:
        raise Unable("the labels are gone")
    rows = {tensor.shape[0] if tensor.dim() else 1 for tensor in found.values()}
    axis = 0 if rows != {1} else 1
    sizes = {tensor.shape[axis] if tensor.dim() > axis else 1 for tensor in found.values()}
    if sizes == {1}:
        raise Unable("there is one label alone, nothing to permute")
    order = {size: order_of(size, [t for t in found.values() if t.dim() > axis and t.shape[axis] == size], axis) for size in sizes}
    changed = {
        number: tensor.detach().index_select(axis, order[tensor.shape[axis]].to(tensor.device))
        for number, tensor in found.items()
        if tensor.dim() > axis
    }
    if all(torch.equal(changed[number], found[number]) for number in changed):
        raise Unable("all labels of the batch are equal, nothing to permute")
    return changed


def drawn(given: Tensor, classes: int) -> Tensor:
    """Labels drawn anew, in the form of those given."""
    return torch.from_numpy(redrawn(tuple(given.shape), classes)).to(given)


def order_of(size: int, tensors: list[Tensor], axis: int) -> Tensor:
    """The permutation, of a few, that moves most labels; always the same for the same labels."""
    generator = torch.Generator().manual_seed(0)
    orders = [torch.arange(size).roll(size // 2 or 1), torch.arange(size).flip(0)]
    orders += [torch.randperm(size, generator=generator) for _ in range(PERMUTATIONS)]

    def moved(order: Tensor) -> float:
        return sum(float((tensor != tensor.index_select(axis, order.to(tensor.device))).double().mean()) for tensor in tensors)

    return max(orders, key=moved)
