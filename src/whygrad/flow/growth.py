"""What has grown until it was no number any more."""

from collections.abc import Iterator

from whygrad.diagnosis import Fact
from whygrad.flow.births import origin
from whygrad.flow.index import Index
from whygrad.ir import family

GROWING = (
    "linear",
    "matmul",
    "conv",
    "mul",
    "add",
    "sub",
    "square",
    "pow",
    "exp",
    "sum",
    "mean",
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "cross_entropy",
)
"""Ops that overflow where what they read has grown too large."""


def grown(index: Index) -> Iterator[Fact]:
    """What is not finite after a while has grown too large; what is so from the first step has another cause."""
    found = origin(index)
    if (
        found is not None
        and found.birth.step > 0
        and found.op is not None
        and (found.op.kind in GROWING or family(found.op.kind) == "loss")
    ):
        yield from (Fact("non-finite", name) for name in found.op.outputs)
