"""Descents on copies with ReLUs put in, judged against what learning the batch by heart would gain."""

import time
from collections.abc import Callable

from whygrad.ir import Descend, Trial

Losses = Callable[[Descend | None, bool], tuple[float, ...]]
"""The losses of a descent: with a change or without, and on permuted labels or on those that the step had."""


def bent(descent: Descend, losses: Losses, longest: float) -> Trial:
    """With and without ReLUs, on the labels as they are and on permuted ones. `longest`: seconds that the first of the four descents may take."""
    began = time.perf_counter()
    changed = losses(descent, False)
    if time.perf_counter() - began > longest:
        return Trial(descent, reason="updates on copies take too long")
    plain, permuted, permuted_plain = losses(None, False), losses(descent, True), losses(None, True)
    return Trial(
        descent, loss=changed[-1], losses=changed, plain=plain, figures={"permuted": permuted[-1], "permuted_plain": permuted_plain[-1]}
    )
