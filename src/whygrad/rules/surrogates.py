"""Edits that put something with a derivative in the place of a decision: each changes what the loss means, and is tried before it is offered."""

import re

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.cuts import Cut
from whygrad.idioms import speaks, speaks_torch, spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.rules.remedies import remedy

COMPARISONS = ("gt", "ge", "greater", "greater_equal")
"""What says that the first is the larger: with the other sign a surrogate has to be the other way round."""

WRONG = ("ne", "not_equal")
"""What is true of a pick that is not the label."""
RIGHT = ("eq", "equal")


def softened(index: Index, cut: Cut) -> Remedy | None:
    """Something smooth for all that cuts here, where it is one decision: a loss on the scores, the probability, or a sigmoid around the threshold."""
    op = cut.ops[0]
    if [other.kind for other in (*cut.ops, *cut.others)] == ["argmax", "compare"]:
        by_ids = scored(index, cut.step, op, _share_of_errors(cut.step, op, cut.ops[1]), cut.ops[1].inputs)
        return by_ids or hit_share(index, cut.step, op)
    if len(cut.ops) + len(cut.others) != 1 or op.site is None or not op.inputs:
        return None
    if op.kind == "argmax":
        return weighted(index, cut.step, op) or scored(index, cut.step, op, _made(cut.step))
    return smooth_step(index, cut.step, op) if op.kind == "compare" else None


_TABLE = re.compile(r"([A-Za-z_][\w.]*)[(\[]")
"""What is looked up in, in front of the call or the index."""


def weighted(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """What the largest score alone picks, mixed by the softmax of the scores: one-hot rows, or the rows of a table."""
    scores, readers = step.value(op.inputs[0]), [reader for name in op.outputs for reader in step.consumers.get(name, ())]
    reader = readers[0] if len(readers) == 1 else None
    if reader is None or reader.site is None or not _beside(reader, op) or not scores.called.isidentifier() or not scores.shape:
        return None
    shares = spelling(index, "softmax", axis=-1).split("|")[0].replace("{x}", scores.called)
    if reader.kind == "one_hot":
        text = shares if step.value(reader.output).shape == scores.shape else ""
    else:
        text = _mixed(index, step, reader, scores, shares)
    edit = Edit("replace", reader.site, text) if text else None
    return (
        remedy("weight by the softmax of the scores", edit, changes="all are mixed, by their scores, where one was picked")
        if edit
        else None
    )


def _mixed(index: Index, step: StepIndex, reader: Op, scores: Value, shares: str) -> str:
    """The sum of a table's rows by these shares; "" where the table has no name at the place."""
    site, table = reader.site, next((name for name in reader.inputs if step.value(name).role == "parameter"), "")
    own = _TABLE.match(site.text[site.column - 1 :]) if site is not None else None
    rows = step.value(table).shape or ()
    if (
        reader.kind not in ("embedding", "index")
        or own is None
        or len(rows) != len((scores.shape or ())[-1:]) + 1
        or rows[0] != (scores.shape or (0,))[-1]
    ):
        return ""
    if own[0].endswith("["):
        return f"{shares} @ {own[1]}" if not speaks(index, "tensorflow") else ""
    # timid: a function or a layer of another library may keep its rows anywhere
    return f"{shares} @ {own[1]}.weight" if speaks_torch(index) and reader.module and own[1].startswith("self.") else ""


def scored(index: Index, step: StepIndex, op: Op, made: Op | None, among: tuple[str, ...] = ()) -> Remedy | None:
    """A cross-entropy on the scores that an argmax picks from, in the place of what compares the pick with class ids, the labels or one of `among`; both need a name at that place."""
    scores = step.value(op.inputs[0])
    labels = _ids(step, scores, among)
    if made is None or made.site is None or op.site is None or labels is None or not _beside(made, op):
        return None
    own, name = name_at(step, op, scores), name_at(step, op, labels)
    own = own if own.isidentifier() else picked_from(op)
    if not (own.isidentifier() and name.isidentifier()):
        return None
    ids = name if labels.dtype.startswith(("i", "u")) else spelling(index, "whole").replace("{x}", name)
    code = spelling(index, "loss on ids", scores=own, ids=ids)
    # Keras' loss takes the shares of a softmax as they are
    code = code.replace(", from_logits=True", "") if is_share(scores) else code
    return remedy(
        f"compare the scores with `{name}`",
        Edit("replace", made.site, code),
        changes="the loss becomes a cross-entropy over classes",
    )


def name_at(step: StepIndex, op: Op, value: Value) -> str:
    """What the function that an op ran in calls a value: the argument that it is, else by the name that is known of it."""
    scope = step.step.scopes[op.scope] if op.scope is not None and op.scope < len(step.step.scopes) else None
    origin = step.origin(value.name, ("cast",))
    arguments = scope.arguments.items() if scope is not None else ()
    return next((name for name, given in arguments if step.origin(given, ("cast",)) == origin), value.called)


def hit_share(index: Index, step: StepIndex, pick: Op) -> Remedy | None:
    """The share that the right class gets, for a hit: the largest score compared with the largest entry of rows of labels as long."""
    scores, compared = step.value(pick.inputs[0]), _only_reader(step, pick)
    if compared is None or compared.kind != "compare" or spelled(compared) not in RIGHT or len(compared.inputs) != 2:  # noqa: PLR2004 - two sides
        return None
    other = step.producer.get(next((name for name in compared.inputs if name != pick.output), ""))
    made = _only_reader(step, compared)
    rows = step.value(other[1].inputs[0]) if other is not None and other[1].kind == "argmax" else None
    if rows is None or made is None or made.kind != "cast" or made.site is None or not _beside(made, pick):
        return None
    labelled = rows.name not in step.depends_on_parameters and rows.shape == scores.shape and len(rows.shape or ()) == 2  # noqa: PLR2004 - rows of classes
    own, shares = picked_from(other[1]) if other is not None else "", picked_from(pick)
    if not (labelled and own and shares):
        return None
    shares = shares if is_share(scores) else spelling(index, "softmax", axis=-1).split("|")[0].replace("{x}", shares)
    return remedy(
        "let the share that the right class gets stand for a hit",
        Edit("replace", made.site, spelling(index, "sum of rows").replace("{x}", f"{own} * {shares}")),
        changes="the loss has another value: a share where a hit was counted",
    )


_PICKED = (re.compile(r"argmax\(\s*([A-Za-z_]\w*)\s*[,)]"), re.compile(r"([A-Za-z_]\w*)\.argmax\(\s*(?:-?\d|axis|dim|\))"))
"""A function, or a method, which is given an axis alone."""


def picked_from(op: Op) -> str:
    """The name, where the call is written, of what an argmax picks from; "" where that has none."""
    site = op.site
    if site is None:
        return ""
    found = (one.search(site.text, site.column - 1 if site.column else 0, (site.end_column or 1) - 1) for one in _PICKED)
    return next((name[1] for name in found if name is not None), "")


def _beside(one: Op, other: Op) -> bool:
    """Both are called in one function, so that names of the one place are known at the other; what has no gradient has no scope."""
    here, there = one.site, other.site
    if here is None or there is None or (here.file, here.function) != (there.file, there.function):
        return False
    return one.scope is None or other.scope is None or one.scope == other.scope


def _share_of_errors(step: StepIndex, pick: Op, compared: Op) -> Op | None:
    """The op that makes a share of wrong picks; other terms that the loss has stay. A share of right ones has to be taken off something."""
    at = compared if pick.output in compared.inputs else None
    while at is not None and step.value(at.output).shape != ():
        at = _only_reader(step, at)
        at = at if at is not None and at.kind in ("cast", "mean", "not") else None
    if at is not None and spelled(compared) in RIGHT:
        less = _only_reader(step, at)
        at = less if less is not None and _takes_off(step, less, at.output) else None
    # timid: a share that lowers the loss is wanted large, and a cross-entropy in its place would be made large as well
    return at if at is not None and _raises_the_loss(step, at) and spelled(compared) in (*WRONG, *RIGHT) else None


def _only_reader(step: StepIndex, op: Op) -> Op | None:
    """What shapes the loss of this op's result, where that is one op."""
    readers = [reader for reader in step.consumers.get(op.output, ()) if not step.shapes_loss.isdisjoint(reader.outputs)]
    return readers[0] if len(readers) == 1 else None


def _takes_off(step: StepIndex, op: Op, share: str) -> bool:
    """`1 - x`: the share is taken off what no parameter made."""
    beside = step.depends_on_parameters.isdisjoint(op.inputs[:-1])
    return op.kind == "sub" and op.inputs[-1] == share and beside and (len(op.inputs) > 1 or "rsub" in op.native)


def _raises_the_loss(step: StepIndex, op: Op) -> bool:
    """Nothing but sums and weights on the way to the loss; the weight of an error is no negative number."""
    at: Op | None = op
    while at is not None and at.output not in step.losses:
        below, at = at, _only_reader(step, at)
        first = at is not None and at.inputs[:1] == (below.output,) and not (len(at.inputs) == 1 and "rsub" in at.native)
        if at is None or not (at.kind in ("add", "mul", "mean", "cast") or (at.kind in ("sub", "div") and first)):
            return False
    return at is not None


def made_without_gradient(step: StepIndex, op: Op, live: frozenset[str]) -> Op | None:
    """What makes the part of a sum that has no gradient: the rest of the loss has one."""
    dead = [name for name in op.inputs if name not in live and name in step.producer and not step.from_labels.isdisjoint((name,))]
    # timid: a share of hits that is taken off is wanted large, and a cross-entropy in its place would be made large as well
    taken_off = op.kind == "sub" and dead == list(op.inputs[1:])
    return step.producer[dead[0]][1] if len(dead) == 1 and not taken_off else None


def _made(step: StepIndex) -> Op | None:
    """The op whose result is differentiated."""
    return next((step.producer[name][1] for name in step.losses if name in step.producer), None)


def _ids(step: StepIndex, scores: Value, among: tuple[str, ...]) -> Value | None:
    """The only labels that are one class id for each row of scores."""
    shape = scores.shape or ()
    known = tuple(name for name in step.step.labels.values if name in step.shapes_loss or name in step.consumers)
    found = [step.value(name) for name in among or known if name not in step.depends_on_parameters]
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
    # the place alone tells an operator from others of its line
    if is_share(step.value(op.inputs[0])):
        edit, what = Edit("unwrap", op.site) if op.site else None, "the probability itself stands for the decision"
    else:
        edit, what = (
            Edit("swap", op.site, spelling(index, "sigmoid").split("|")[0]) if op.site else None,
            "a smooth step stands for the hard one",
        )
    return remedy("let the loss read a value with a derivative", edit, changes=f"{what}, so that the loss has another value")


def is_share(value: Value) -> bool:
    """Nothing below 0 or above 1, as far as is known."""
    figures = value.statistics
    return (
        figures is not None and figures.minimum is not None and figures.maximum is not None and 0 <= figures.minimum <= figures.maximum <= 1
    )
