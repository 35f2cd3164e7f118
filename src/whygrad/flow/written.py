"""Losses that the program writes out: a logarithm of probabilities, and a label that picks or weighs its entries.

Each is described as one op of the loss family that is not in the graph. Its outputs and its place are those of the op where the label comes in;
its attribute `parts` names everything between. Linear in the ops.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from whygrad.diagnosis import Fact
from whygrad.flow.index import Index, StepIndex
from whygrad.flow.signs import loss_signs
from whygrad.ir import Attribute, Op, Value, family

Written = Mapping[int, tuple[Op, ...]]
"""For each step by its position in the record, the losses that it writes out."""
_LIMITS = frozenset(("clamp", "maximum", "minimum", "cast", "copy"))
"""What may stand between probabilities and their logarithm, beside a small number that is added."""
_LAYERS = frozenset(("linear", "matmul"))
_SUMS = frozenset(("sum", "mean", "neg", "mul", "div"))
_MOVES = ("layout", "cast")
_ENDS = ("index", "mul", "sub", "add", "log")
"""Kinds that a written loss may end with."""
FAR = 6
"""Ops between a value and its logarithm: a limit, a small number, a few casts."""


@dataclass(frozen=True, slots=True)
class Logarithm:
    """The logarithm of a probability, and what it is the logarithm of."""

    form: str
    """`log_softmax`: of a softmax of `scores`; `log`: of `scores` themselves; `logsigmoid`: of their sigmoid."""
    scores: str
    maker: Op
    parts: tuple[str, ...]
    complement: bool = False
    """Of one minus the probability."""


def written_losses(index: Index) -> Written:
    """All of them. Ask with `index.once`."""
    return {at: tuple(_of_step(step)) for at, step in enumerate(index.steps)}


def losses_of(index: Index, step: StepIndex) -> Iterator[Op]:
    """Calls of loss functions, and losses that the program writes out."""
    yield from step.loss_ops()
    yield from index.once(written_losses).get(index.steps.index(step), ())


def made_within(op: Op) -> frozenset[Fact]:
    """What a loss that the program writes out makes on its way may be no number because of what it was given."""
    parts = op.attributes.get("parts")
    return frozenset(Fact("non-finite", str(name)) for name in (*op.outputs, *(parts if isinstance(parts, tuple) else ())))


def _of_step(step: StepIndex) -> Iterator[Op]:
    if not step.step.labels.values:
        return
    labels = step.from_labels - step.depends_on_parameters
    found = [(op, sign) for op in step.of(*_ENDS) for op, sign in _losses(step, op, labels)]
    signs = step.once(loss_signs) if found else {}
    for op, sign in found:
        # timid: what pushes the other way, or cannot be told, is another objective: a reward, a penalty on surety
        if signs.get(op.output, 0) == sign:
            yield op


def _losses(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """What this op makes a loss, and which way it must move the whole loss."""
    if op.failed or not op.outputs or step.shapes_loss.isdisjoint(op.outputs):
        return
    if op.kind == "index" and len(op.inputs) > 1:
        yield from _picked(step, op, labels)
    elif op.kind == "mul" and len(op.inputs) == 2:  # noqa: PLR2004 - labels and logarithms
        yield from _weighed(step, op, labels)
    elif op.kind == "sub" and len(op.inputs) == 2:  # noqa: PLR2004 - a sum and an entry
        yield from _normalised(step, op, labels)
        yield from _softplus(step, op, labels)
    elif op.kind == "add" and len(op.inputs) == 2:  # noqa: PLR2004 - yes and no
        yield from _binary(step, op, labels)
    elif op.kind == "log":
        yield from _of_entry(step, op, labels)


def _picked(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """The logarithm at the label: `take_along_axis`, `gather`, `logp[range(n), y]`."""
    found, ids = logarithm(step, op.inputs[0]), _ids(step, op, labels)
    if found is None and ids is not None and _alone(step, op, op.inputs[0]):
        yield _op(op, "nll_loss", op.inputs[0], ids, (), {"ids": True, "axis": -1}), -1
    if found is not None and ids is not None and found.form != "logsigmoid" and not found.complement:
        yield _loss(step, op, found, ids, True), -1


def _of_entry(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """The logarithm of the probability at the label: `log(p[range(n), y])`."""
    name, parts = op.inputs[0], [op.output]
    for _ in range(FAR):
        made = step.producer[name][1] if name in step.producer else None
        if made is None or made.kind == "index" or not made.inputs:
            break
        if not (made.kind in _LIMITS or family(made.kind) == "layout" or (made.kind == "add" and len(made.inputs) == 1)):
            return
        parts.append(name)
        name = made.inputs[0]
    picked = step.producer[name][1] if name in step.producer else None
    ids = _ids(step, picked, labels) if picked is not None and picked.kind == "index" and len(picked.inputs) > 1 else None
    shape = step.value(picked.inputs[0]).shape or () if picked is not None and ids is not None else ()
    if picked is None or ids is None or picked.inputs[0] not in step.depends_on_parameters or len(shape) < 2 or shape[-1] < 2:  # noqa: PLR2004 - rows and classes
        return
    yield _op(op, "categorical_cross_entropy", picked.inputs[0], ids, (*parts, picked.output), {"ids": True, "axis": -1}), -1


def _ids(step: StepIndex, op: Op, labels: frozenset[str]) -> str | None:
    """The label among the positions that an indexing op reads, as it was before its axis was added."""
    name = next((name for name in op.inputs[1:] if name in labels), None)
    while name in step.producer and name not in step.step.labels.values:
        made = step.producer[name][1]
        if family(made.kind) not in ("layout", "select") or not made.inputs:
            break
        # an op that brings rows and labels into shape together reads more than the labels
        name = next((given for given in made.inputs if given in labels), made.inputs[0])
    return name


def _weighed(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """Rows of labels times rows of logarithms."""
    for given, other in (op.inputs, op.inputs[::-1]):
        target, found = _unweighted(step, op, given, labels), logarithm(step, other) if given in labels and other not in labels else None
        rows = step.producer.get(step.origin(target))
        if found is None and rows is not None and rows[1].kind == "one_hot" and rows[1].inputs and _alone(step, op, other):
            yield _op(op, "nll_loss", other, rows[1].inputs[0], (), {"ids": True, "axis": -1, "one_hot": True}), -1
        elif found is None and given in labels and _one_hot(step.value(target)) and _alone(step, op, other):
            yield _op(op, "nll_loss", other, target, (), {"ids": False, "axis": -1, "one_hot": True}), -1
        if found is None or found.form == "logsigmoid" or found.complement or _pairs(step, op):
            continue
        one, two = step.value(target).shape, step.value(other).shape
        if one is None or one != two or len(one) < 2 or one[-1] < 2:  # noqa: PLR2004 - rows and classes
            continue
        if rows is not None and rows[1].kind == "one_hot" and rows[1].inputs:
            ids = _loss(step, op, found, rows[1].inputs[0], True, one_hot=True)
            yield replace(ids, site=rows[1].site or op.site), -1
        else:
            yield _loss(step, op, found, target, False), -1


def _one_hot(value: Value) -> bool:
    """Rows of zeros and a single one, as a batch may hold them."""
    figures = value.statistics
    if figures is None or figures.whole != 1.0 or figures.row_sums != (1.0, 1.0):
        return False
    return figures.minimum == 0.0 and figures.maximum == 1.0


def _alone(step: StepIndex, op: Op, name: str) -> bool:
    """Raw scores of a layer, of which the entry at the label is all that the loss reads: it is added up, averaged and turned round."""
    made = step.producer.get(_without_bias(step, step.origin(name)))
    if made is None or made[1].kind not in _LAYERS or any(reader is not op for reader in _readers(step, name)):
        return False
    shape, reached = step.value(name).shape or (), op.output
    while reached not in step.losses:
        readers = _readers(step, reached)
        if len(readers) != 1 or not (family(readers[0].kind) == "layout" or readers[0].kind in _SUMS) or not readers[0].outputs:
            return False
        reached = readers[0].output
    return len(shape) == 2 and shape[-1] > 1  # noqa: PLR2004 - rows and classes


def _without_bias(step: StepIndex, name: str) -> str:
    """Of `x @ w + b` written out, the product."""
    op = step.producer[name][1] if name in step.producer else None
    return next((given for given in op.inputs if given in step.producer), name) if op is not None and op.kind == "add" else name


def _readers(step: StepIndex, name: str) -> list[Op]:
    return [reader for reader in step.consumers.get(name, ()) if not step.shapes_loss.isdisjoint(reader.outputs)]


def _pairs(step: StepIndex, op: Op) -> bool:
    """The product is one of the two halves of a binary cross-entropy."""
    return any(reader.kind in ("add", "sub") and len(reader.inputs) == 2 for reader in step.consumers.get(op.output, ()))  # noqa: PLR2004 - yes and no


def _normalised(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """`logsumexp(scores) - scores[label]`."""
    whole, entry = (step.producer.get(step.origin(name)) for name in op.inputs)
    if whole is None or entry is None or whole[1].kind != "logsumexp" or entry[1].kind != "index":
        return
    ids = _ids(step, entry[1], labels)
    if ids is not None and whole[1].inputs and entry[1].inputs[0] in whole[1].inputs:
        scores = entry[1].inputs[0]
        found = Logarithm("log_softmax", scores, whole[1], (whole[1].output, entry[1].output))
        yield _loss(step, op, found, ids, True), 1


def _binary(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """`y * log(p) + (1 - y) * log(1 - p)`."""
    first, second = (_half(step, name, labels) for name in op.inputs)
    if first is None or second is None:
        return
    (target, one), (_, two) = (second, first) if first[1].complement else (first, second)
    same = step.origin(one.scores) == step.origin(two.scores) and one.form == two.form
    if same and two.complement and not one.complement:
        kind = "bce_with_logits" if one.form == "logsigmoid" else "binary_cross_entropy"
        parts = (*one.parts, *two.parts, *op.inputs)
        yield _op(op, kind, one.scores, step.origin(target), parts, {}), -1


def _half(step: StepIndex, name: str, labels: frozenset[str]) -> tuple[str, Logarithm] | None:
    """One product of a label and a logarithm; the negated label where the logarithm is that of the complement."""
    made = step.producer.get(name)
    if made is None or made[1].kind != "mul" or len(made[1].inputs) != 2:  # noqa: PLR2004 - label and logarithm
        return None
    for target, other in (made[1].inputs, made[1].inputs[::-1]):
        found = logarithm(step, other) if target in labels and other not in labels else None
        if found is not None and found.form != "log_softmax":
            return _unweighted(step, made[1], target, labels), found
    return None


def _unweighted(step: StepIndex, op: Op, name: str, labels: frozenset[str]) -> str:
    """A label without what it is multiplied with beside the loss: weights of the classes or of the examples."""
    while name in step.producer:
        made = step.producer[name][1]
        given = [one for one in made.inputs if one in labels]
        if made.kind != "mul" or made.scope != op.scope or len(given) != 1 or step.value(given[0]).shape != step.value(name).shape:
            break
        name = given[0]
    return name


def _softplus(step: StepIndex, op: Op, labels: frozenset[str]) -> Iterator[tuple[Op, int]]:
    """`softplus(z) - y * z`, and `max(z, 0) - y * z` to which `log(1 + exp(-|z|))` is added."""
    first, second = (step.producer.get(step.origin(name, ("cast",))) for name in op.inputs)
    if first is None or second is None or second[1].kind != "mul" or first[1].kind not in ("softplus", "maximum", "relu", "clamp"):
        return
    scores = first[1].inputs[0] if first[1].inputs else ""
    target = next((name for name in second[1].inputs if name in labels), None)
    if first[1].kind != "softplus" and not _corrected(step, op, scores):
        return
    if target is not None and any(step.origin(name) == step.origin(scores) for name in second[1].inputs):
        yield _op(op, "bce_with_logits", scores, step.origin(target), (first[1].output, second[1].output), {}), 1


def _corrected(step: StepIndex, op: Op, scores: str) -> bool:
    """The rest of a softplus is added: the logarithm of what the scores gave."""
    readers = (reader for reader in step.consumers.get(op.output, ()) if reader.kind == "add")
    logs = (step.producer.get(name) for reader in readers for name in reader.inputs if name != op.output)
    return any(made is not None and made[1].kind == "log" and scores in step.upstream(made[1].output) for made in logs)


def logarithm(step: StepIndex, name: str) -> Logarithm | None:
    """What `name` is the logarithm of; None where it is none."""
    name = step.origin(name, _MOVES)
    op = step.producer[name][1] if name in step.producer else None
    if op is None or not op.inputs:
        return None
    if op.kind == "log_softmax":
        return Logarithm("log_softmax", op.inputs[0], op, (name,))
    if op.kind == "logsigmoid":
        turned = step.producer.get(step.origin(op.inputs[0]))
        negative = turned is not None and turned[1].kind == "neg"
        scores = turned[1].inputs[0] if turned is not None and negative else op.inputs[0]
        return Logarithm("logsigmoid", scores, op, (name,), negative)
    if op.kind == "sub" and len(op.inputs) == 2:  # noqa: PLR2004 - scores and their sum
        total = step.producer.get(step.origin(op.inputs[1]))
        whole = total is not None and total[1].kind == "logsumexp" and op.inputs[0] in total[1].inputs
        return Logarithm("log_softmax", op.inputs[0], op, (name,)) if whole else None
    return _of_log(step, op) if op.kind == "log" else None


def _of_log(step: StepIndex, op: Op) -> Logarithm | None:
    """Back from a logarithm over limits and small numbers to the probabilities, turned round or not."""
    name, parts, complement = op.inputs[0], [op.output], False
    for _ in range(FAR):
        made = step.producer[name][1] if name in step.producer else None
        if made is None or not made.inputs:
            break
        turned = made.kind == "sub" and len(made.inputs) == 1 and "rsub" in made.native
        if not turned and not (made.kind in _LIMITS or (made.kind == "add" and len(made.inputs) == 1)):
            break
        complement ^= turned
        parts.append(name)
        name = made.inputs[0]
    probable = step.producer[name][1].kind if name in step.producer else ""
    # timid: the logarithm of a density or of a sum over mixtures is no cross-entropy
    if probable in ("exp", "sum", "mean", "prod") or name not in step.depends_on_parameters:
        return None
    return Logarithm("log", name, op, tuple(parts), complement)


def _loss(step: StepIndex, op: Op, found: Logarithm, target: str, ids: bool, *, one_hot: bool = False) -> Op:  # noqa: FBT001 - one of two forms
    """A cross-entropy over classes: on scores where its softmax runs along the classes, else on what it is given."""
    shape = step.value(found.maker.output if found.form == "log_softmax" else found.scores).shape or ()
    axis = found.maker.attributes.get("axis", -1)
    along = not isinstance(axis, int) or not shape or axis % len(shape) == len(shape) - 1
    more: dict[str, Attribute] = {"ids": ids, "axis": -1, **({"one_hot": True} if one_hot else {})}
    if found.form == "log":
        return _op(op, "categorical_cross_entropy", found.scores, target, found.parts, more)
    if along:
        return _op(op, "cross_entropy", found.scores, target, found.parts, more)
    return _op(op, "nll_loss", found.maker.output, target, found.parts, more)


def _op(op: Op, kind: str, scores: str, target: str, parts: tuple[str, ...], more: Mapping[str, Attribute]) -> Op:
    attributes: dict[str, Attribute] = {"target": 1, "reduction": "none", "parts": tuple(dict.fromkeys((*parts, op.output))), **more}
    return Op(kind, (scores, target), op.outputs, "", None, True, attributes, op.site, op.module, op.scope)
