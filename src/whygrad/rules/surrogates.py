"""Edits that put something with a derivative in the place of a decision: each changes what the loss means, and is tried before it is offered."""

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.cuts import Cut
from whygrad.idioms import spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.rules.remedies import remedy

COMPARISONS = ("gt", "ge", "greater", "greater_equal")
"""What says that the first is the larger: with the other sign a surrogate has to be the other way round."""


def softened(index: Index, cut: Cut) -> Remedy | None:
    """Something smooth for all that cuts here, where it is one decision: a loss on the scores, the probability, or a sigmoid around the threshold."""
    op = cut.ops[0]
    if len(cut.ops) + len(cut.others) != 1 or op.site is None or not op.inputs:
        return None
    if op.kind == "argmax":
        return scored(index, cut.step, op, _made(cut.step))
    return smooth_step(index, cut.step, op) if op.kind == "compare" else None


def scored(index: Index, step: StepIndex, op: Op, made: Op | None) -> Remedy | None:
    """A cross-entropy on the scores that an argmax picks from, in the place of what compares the pick with class ids; both need a name at that place."""
    scores = step.value(op.inputs[0])
    labels = _ids(step, scores)
    if made is None or made.site is None or op.site is None or labels is None or made.scope != op.scope or made.site.file != op.site.file:
        return None
    if not (scores.called.isidentifier() and labels.called.isidentifier()):
        return None
    ids = labels.called if labels.dtype.startswith(("i", "u")) else spelling(index, "whole").replace("{x}", labels.called)
    code = spelling(index, "loss on ids", scores=scores.called, ids=ids)
    return remedy(
        f"compare the scores with `{labels.called}`",
        Edit("replace", made.site, code),
        changes="the loss becomes a cross-entropy over classes",
    )


def made_without_gradient(step: StepIndex, op: Op, live: frozenset[str]) -> Op | None:
    """What makes the part of a sum that has no gradient: the rest of the loss has one."""
    dead = [name for name in op.inputs if name not in live and name in step.producer and not step.from_labels.isdisjoint((name,))]
    return step.producer[dead[0]][1] if len(dead) == 1 else None


def _made(step: StepIndex) -> Op | None:
    """The op whose result is differentiated."""
    return next((step.producer[name][1] for name in step.losses if name in step.producer), None)


def _ids(step: StepIndex, scores: Value) -> Value | None:
    """The only labels that are one class id for each row of scores."""
    shape = scores.shape or ()
    found = [step.value(name) for name in step.step.labels.values if name in step.shapes_loss or name in step.consumers]
    fit = [value for value in found if len(shape) > 1 and value.shape == shape[:1] and _are_ids(value, shape[-1])]
    return fit[0] if len(fit) == 1 else None


def _are_ids(value: Value, classes: int) -> bool:
    """Whole numbers from 0 to below the number of scores, be they kept as floats."""
    figures = value.statistics
    if figures is None or figures.minimum is None or figures.maximum is None:
        return value.dtype.startswith(("i", "u"))
    whole = value.dtype.startswith(("i", "u")) or figures.whole == 1.0
    return whole and 0 <= figures.minimum <= figures.maximum < classes


def smooth_step(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """A probability for the comparison of it with a threshold, a sigmoid of the difference for that of a score."""
    readers = [reader for name in op.outputs for reader in step.consumers.get(name, ())]
    floats = all(reader.kind == "cast" or family(reader.kind) == "arithmetic" for reader in readers)
    if not readers or not floats or op.inputs[0] not in step.depends_on_parameters or spelled(op) not in COMPARISONS:
        return None
    figures = step.value(op.inputs[0]).statistics
    is_share = (
        figures is not None and figures.minimum is not None and figures.maximum is not None and 0 <= figures.minimum <= figures.maximum <= 1
    )
    # the place alone tells an operator from others of its line
    if is_share:
        edit, what = Edit("unwrap", op.site) if op.site else None, "the probability itself stands for the decision"
    else:
        edit, what = (
            Edit("swap", op.site, spelling(index, "sigmoid").split("|")[0]) if op.site else None,
            "a smooth step stands for the hard one",
        )
    return remedy("let the loss read a value with a derivative", edit, changes=f"{what}, so that the loss has another value")
