"""WG302: a parameter whose every path to the loss leaves the framework."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.cuts import Cut, cuts
from whygrad.flow.failures import Failure, consequences, failed_op, failures
from whygrad.idioms import idiom, spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Lift, Op, Site
from whygrad.rules import rule
from whygrad.rules.graph.idle_terms import idle
from whygrad.rules.graph.left_terms import left_terms
from whygrad.rules.graph.starvation import Words, diagnosis, framework, lifting
from whygrad.rules.graph.stopped_without import left_loss
from whygrad.rules.graph.symbolic_numbers import asked_for_numbers
from whygrad.rules.remedies import remedy

_REFUSALS = ("TracerArrayConversionError", "ConcretizationTypeError", "TracerIntegerConversionError")
"""JAX's errors for a traced value of which a number is wanted."""


@rule("WG302", "rebuilt-tensor", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A value left the framework and came back as a new tensor that knows nothing of the parameters it was computed from.

    ## What it finds
    Parameters whose every path to the loss passes `.item()`, `.numpy()`, `float()`, `np.asarray` or the like, and then `torch.tensor`, `tf.constant` or
    `jnp.asarray`. Both ends are named: the line where the value left and the line where the copy was made. Where NumPy reckoned with the value in between, so that
    nothing that came back equals what left, the two ends are brought together by the call that they belong to. In JAX, the call that asks a traced value
    for its number, and raises. A term of the loss that is added as its number, so that parameters which only this term reads never get a gradient; one that comes back
    as a new tensor, and so trains nothing, is a warning.
    In TensorFlow also a function that asks a tensor for its numbers while it is compiled, and stops. Also a program that stopped because its loss had become a plain number before its gradient was asked for.

    ## Why it matters
    A gradient is a record of tensor operations. A number or an array has no such record, and the tensor made of it is a constant: backward stops there.
    With `requires_grad=True` on the new tensor backward even runs, and moves nothing.

    ## When it is fine
    Logging, metrics and early stopping take values out and never bring them back. Rewards of an environment, targets made in NumPy and pseudo-labels
    come back as constants on purpose; then the parameters have another, open path, or no optimizer holds them, and this rule says nothing.

    ## How sure
    Proved where the value was seen to come back, where value and copy belong to one call, or where no parameter shapes the loss at all;
    otherwise suspected. Of a term that is added as its number: measured over a whole run, since a run that is cut short may train its parameters later.

    ## References
    PyTorch, `torch.tensor` (copies data and has no autograd history), `torch.Tensor.item`, `torch.Tensor.numpy`; TensorFlow, `tf.GradientTape`, "Getting a gradient of
    None: took calculations outside of TensorFlow".
    """
    rebuilt = [cut for cut in index.once(cuts) if cut.story == "rebuilt"]
    yield from (_spoken(index, cut) for cut in rebuilt)
    yield from () if rebuilt else asked_for_numbers(index)
    yield from left_terms(index)
    yield from left_loss(index)
    yield from idle(index, "rebuilt", "WG302", "rebuilt-tensor")
    for failure in index.once(failures):
        op = failed_op(failure.step)
        if failure.step is not None and op is not None and op.kind == "leave" and failure.type in _REFUSALS:
            yield _refused(index, failure, failure.step, op)


def _refused(index: Index, failure: Failure, step: StepIndex, op: Op) -> Diagnosis:
    """A value that has no number yet was to leave: the framework raised."""
    value = step.value(op.inputs[0]) if op.inputs else None
    name = f"`{value.called}`" if value is not None and value.called else "a value that the loss depends on"
    return Diagnosis(
        "WG302",
        "rebuilt-tensor",
        "error",
        "proved",
        f"{name} can't leave {framework(index)} through `{spelled(op)}` inside a function that is differentiated",
        site=op.site,
        label="asks for a plain array or number, and there is none yet",
        evidence=(Evidence(f"{failure.type}: {failure.message.partition(chr(10))[0][:100]}", "exception"),),
        help=idiom(index, "own functions at once"),
        remedy=remedy("stay in the framework", _translated(index, op, None)),
        facts=frozenset({Fact("no-gradient", p.name) for p in step.step.parameters}),
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,) if value is not None else (),
    )


def _spoken(index: Index, cut: Cut) -> Diagnosis:
    left = cut.left or cut.ops[0]
    words = Words(
        "WG302",
        "rebuilt-tensor",
        _because(index, cut, left),
        left.site,
        _label(index, left),
        _help(index, left, cut.entered),
        tuple(_related(cut, left)),
        remedy=_remedy(index, cut, left),
    )
    found = diagnosis(index, cut, words, _lift(cut))
    return replace(found, explains=found.explains | _unread(cut))


def _unread(cut: Cut) -> frozenset[Fact]:
    """Where the loss is made of nothing but what came back, labels that went the same way were read outside, which no graph shows."""
    labels = cut.step.step.labels.values if cut.whole else ()
    return frozenset(Fact("unread", name) for name in labels)


def _lift(cut: Cut) -> Lift | None:
    """Values that were reckoned with outside, or came back as parts of one tensor, can't be put back; those that came back as they were can."""
    together = any(op.kind == "enter" and len(op.inputs) > 1 for op in (*cut.ops, *cut.chain))
    return None if cut.blind or together else lifting(*cut.ops, *cut.chain)


def _because(index: Index, cut: Cut, left: Op) -> str:
    name = _shown(cut, left)
    if left.kind == "enter":
        return f"`{spelled(left)}` makes a new tensor of {name}, without its history"
    back = "comes back as a new tensor" if cut.entered else "is used as a plain number"
    if cut.blind:
        back = "a new tensor is made of what was reckoned with it"
    return f"{name} leaves {framework(index)} through `{spelled(left)}`{', and' if cut.blind else ' and'} {back}"


def _shown(cut: Cut, left: Op) -> str:
    value = cut.step.value(left.inputs[0]) if left.inputs else None
    return (
        f"`{value.called}`"
        if value and value.called
        else "a value computed from them"
        if len(cut.starved) > 1
        else "a value computed from it"
    )


def _label(index: Index, left: Op) -> str:
    return "the copy is made here" if left.kind == "enter" else f"leaves {framework(index)} here: no gradient comes back"


def _related(cut: Cut, left: Op) -> Iterator[Related]:
    if cut.entered is not None and cut.entered is not left and cut.entered.site:
        yield Related(cut.entered.site, f"comes back here: `{spelled(cut.entered)}` makes a tensor without history")
    for op in cut.ops:
        if op is not left and op.kind == "leave" and op.site:
            yield Related(op.site, f"`{spelled(op)}` takes another value out here")


def _help(index: Index, left: Op, entered: Op | None) -> str:
    if spelled(left) in ("item", "float", "tolist", "__float__") and entered is not None:
        return idiom(index, "keep as tensor", left=spelled(left), entered=spelled(entered))
    if left.kind == "enter":
        return idiom(index, "copy with history", name=spelled(left))
    return idiom(index, "own functions")


def _remedy(index: Index, cut: Cut, left: Op) -> Remedy | None:
    """Neither out nor in: where the value came back as it had left, the calls of both ways go; what NumPy reckoned with it is written anew."""
    asked = _by_calling(left.site)
    if asked is not None:
        return remedy("call the model itself", asked)
    ops = (*cut.ops, *cut.chain)
    trip = [op for op in ops if op.kind in ("leave", "enter", "detach")]
    entered = [op for op in ops if op.kind == "enter"]
    made = {name for op in trip for name in op.outputs}
    if (
        cut.blind
        or any(op.attributes.get("guessed") for op in entered)
        or len(trip) < len(ops)
        or not entered
        or not all(op.inputs and made.issuperset(op.inputs) for op in entered)
    ):
        return remedy("stay in the framework", _translated(index, left, cut.entered))
    edits = dict.fromkeys(_edit(op) for op in trip if not op.attributes.get("implicit"))
    if any(len(op.inputs) > 1 for op in entered):
        return remedy("keep the tensors", _translated(index, left, cut.entered), otherwise=edits)
    return remedy("keep the tensor", *edits, proof=_lift(cut))


_FOR_ARRAYS = ("predict", "predict_on_batch")
"""Methods of Keras' models that take and give arrays."""


def _by_calling(site: Site | None) -> Edit | None:
    """The model called in the place of its method for arrays, where that stands once on the line, with what it is given."""
    text = site.text.strip() if site is not None else ""
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    except SyntaxError:
        return None
    found = [(node, node.func) for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in _FOR_ARRAYS]
    if site is None or len(found) != 1 or not found[0][0].args or not text.isascii():
        return None
    call, method = found[0]
    indent = len(site.text) - len(site.text.lstrip()) + 1
    at = replace(site, column=indent + call.col_offset, end_column=indent + (call.end_col_offset or 0), end_line=site.line)
    return Edit("replace", at, f"{ast.unparse(method.value)}({ast.unparse(call.args[0])})")


def _translated(index: Index, left: Op, entered: Op | None) -> Edit | None:
    """What lies between the two ends, with the framework's own functions."""
    return Edit("translate", left.site, spelling(index, "functions of arrays"), to=entered.site if entered else None) if left.site else None


def _edit(op: Op) -> Edit | None:
    """The call goes; a list of numbers that PyTorch made a tensor of stays a list when its numbers are tensors, which `stack` takes."""
    if op.site is None:
        return None
    if op.kind == "enter" and len(op.inputs) > 1 and op.native.startswith("torch."):
        return Edit("swap", op.site, "torch.stack({x})", calls=(spelled(op),))
    return Edit("unwrap", op.site, calls=(spelled(op),))
