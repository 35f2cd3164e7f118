"""Descents on copies with ReLUs put in, judged against what learning the batch by heart would gain."""

import time
from collections.abc import Callable

from whygrad.ir import Descend, Trial

Losses = Callable[[Descend | None, bool], tuple[float, ...]]
"""The losses of a descent: with a change or without, and on permuted labels or on those that the step had."""


def bent(descent: Descend, losses: Losses, longest: float, compiling: float = 0.0) -> Trial:
    """With and without ReLUs, on the labels as they are and on permuted ones. `longest`: seconds that each of the four descents may take; the first one `compiling` more."""
    changed, took = _timed(losses, descent)
    if took > longest + compiling:
        return Trial(descent, reason="updates on copies take too long")
    plain, took = _timed(losses, None)
    if took > longest:
        return Trial(descent, reason="updates on copies take too long")
    permuted, permuted_plain = losses(descent, True), losses(None, True)
    return Trial(
        descent, loss=changed[-1], losses=changed, plain=plain, figures={"permuted": permuted[-1], "permuted_plain": permuted_plain[-1]}
    )


def _timed(losses: Losses, change: Descend | None) -> tuple[tuple[float, ...], float]:
    """The losses, and the seconds they took, without what other programs take on a busy machine, nor further threads of this one."""
    began, used = time.perf_counter(), time.process_time()
    found = losses(change, False)
    return found, min(time.perf_counter() - began, time.process_time() - used)
