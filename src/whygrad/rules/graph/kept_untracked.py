"""Weights that the forward keeps from a call with tracking off: later steps read what was kept, and no gradient gets behind it."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.flow.cuts import Cut, cuts
from whygrad.ir import Op, Site
from whygrad.rules.graph.starvation import Words, diagnosis, lifting
from whygrad.rules.phrases import places

STEPS = 2
"""Steps that must read the same value."""


def kept_untracked(index: Index) -> Iterator[Diagnosis]:
    """WG318: a value of parameters alone, made once with tracking off, that every recorded step of a kind reads."""
    for cut in index.once(cuts):
        op = kept(index, cut)
        if op is not None:
            yield _about(index, cut, op)


def kept(index: Index, cut: Cut) -> Op | None:
    """The op that made what is kept, where this cut is one. What is computed of data is no weight: features are kept on purpose."""
    # timid: without a switch it ran outside of what is differentiated, and that is the fault
    if cut.story != "disabled" or cut.switch is None:
        return None
    steps = [step for step in index.kinds[cut.step.step.kind] if step.losses]
    data = cut.step.from_data
    for op in reversed([one for one in (*cut.ops, *cut.chain, *cut.others) if not one.tracking]):
        found = [name for name in op.outputs if name not in data and all(name in step.shapes_loss for step in steps)]
        if found and len(steps) >= STEPS and any(reader.tracking for reader in cut.step.consumers.get(found[0], ())):
            return op
    return None


def _about(index: Index, cut: Cut, op: Op) -> Diagnosis:
    readers = [reader for reader in cut.step.consumers.get(op.output, ()) if reader.tracking]
    used = readers[0].site if readers else None
    made = _beside(op.site, used)
    switch = cut.switch.site if cut.switch is not None else None
    them = "it" if len(cut.starved) == 1 else "them"
    words = Words(
        "WG318",
        "stale-weight",
        f"every step reads what was computed of {them} once, with gradient tracking off",
        made,
        "made once and kept",
        "compute it anew in every forward of the training; if it is kept for speed, drop it after each update",
        places((used, "and read here in every step"), (switch, "tracking was off here when it was made")),
    )
    return diagnosis(index, cut, words, lifting(*cut.ops, *(one for one in (*cut.chain, *cut.others) if not one.tracking)))


def _beside(made: Site | None, used: Site | None) -> Site | None:
    """The line that keeps it, in the function that reads it, else the one that computes it."""
    around = made.with_callers if made is not None else ()
    beside = (place for place in around if used is not None and (place.file, place.function) == (used.file, used.function))
    return next(beside, made)
