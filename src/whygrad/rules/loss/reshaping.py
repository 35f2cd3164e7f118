"""WG211: reshaping where axes had to change places, so that classes or examples are mixed with something else."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import StepIndex
from whygrad.flow.axes import Mixed, main, mixed, moved
from whygrad.idioms import idiom, spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules.loss.calls import INTEGERS, Call
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import GIVEN, remedy


def cut_across(call: Call) -> Mixed | None:
    """The reshaping that gave a categorical loss an axis of classes made of something else."""
    axis, ids = call.contract.class_axis, call.target.dtype in INTEGERS
    shape = call.prediction.shape or ()
    if axis is None or not call.by_ids or not ids or not -len(shape) <= axis < len(shape):
        return None
    return mixed(call.step, call.prediction.name, axis)


def reshaped(call: Call, found: Mixed) -> Diagnosis:
    """What is said of a reshaping that mixes classes with positions."""
    size, before, to = (found.before.shape or ())[found.axis], found.before, found.cut % len(found.after.shape or (0,))
    name = before.shown
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"reshaping `{name}` from {before.type} to {found.after.type} mixes its classes with its other axes",
        site=found.op.site,
        label=f"the {size} classes lie on axis {found.axis}, and each group of {size} is cut from other axes",
        related=places((call.op.site, f"`{call.called}` takes axis {to} of the result for the classes")),
        evidence=(
            Evidence(
                f"the layer has its {size} outputs on axis {found.axis} of {typed(before)}; `{call.called}` finds its classes on axis {to} of {found.after.type}, whose entries are not those"
            ),
        ),
        help=idiom(call.index, "classes before reshaping", name=before.written, axis=found.axis, to=_end(found)),
        remedy=_before_reshaping(call, found),
        facts=frozenset({Fact("odd-shape", call.prediction.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind))}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(name, found.after.shown),
    )  # fmt: skip


def _before_reshaping(call: Call, found: Mixed) -> Remedy | None:
    """The classes on their axis before the reshaping; where the shape lists all axes in order, that alone would do, but reads the same."""
    text = spelling(call.index, "axis moved", axis=found.axis, to=_end(found))
    site, names = found.op.site, tuple(dict.fromkeys((spelled(found.op), "reshape", "view", "flatten")))
    return remedy("move the classes before reshaping", Edit("wrap", site, text, names, position=GIVEN) if site else None)


def _end(found: Mixed) -> int:
    """The axis that the classes are due on, the last one counted from the end."""
    axes = len(found.after.shape or ())
    return -1 if found.cut % axes == axes - 1 else found.cut % axes


def spread_examples(call: Call) -> Iterator[tuple[Op, int]]:
    """Reshapings on the way to the prediction after which one example's entries stand in several rows; with the axis that had the examples."""
    step, rows = call.step, (call.target.shape or (0,))[0]
    above = step.upstream(call.prediction.name)
    states = {name for op in step.graph.ops if op.kind == "rnn" for name in op.outputs[1:]}
    for op in step.graph.ops:
        if op.kind != "reshape" or not op.inputs or above.isdisjoint(op.outputs) or rows < 2:  # noqa: PLR2004 - one example alone can't be mixed
            continue
        name = main(step, op) or op.inputs[0]
        before, after = step.value(name).shape or (), step.value(op.output).shape or ()
        axis = 1 if name in states or _time_first(step, name, rows) else 0
        # timid: of several axes of that size, any may be the examples'
        told = before.count(rows) == after.count(rows) == 1 and before[axis : axis + 1] == (rows,)
        alike = name in states or (sorted(before) == sorted(after) and step.value(step.origin(name)).role != "parameter")
        if told and alike and after != before and moved(op, before, after, axis) is None:
            yield op, axis


def _time_first(step: StepIndex, name: str, rows: int) -> bool:
    """It is computed from data whose first axis, that of the examples, was made the second by a transposition: outputs of a scan over time."""
    shape, above = step.value(name).shape or (), step.upstream(name)
    for op in step.of("transpose") if shape[1:2] == (rows,) != shape[:1] else ():
        given, turned = (step.value(of).shape or () for of in (op.inputs[0], op.output))
        moves = given[:2] == (rows, shape[0]) and turned[:2] == shape[:2]
        if moves and op.output in above and op.inputs[0] not in step.depends_on_parameters:
            return True
    return False


def spread_out(call: Call, op: Op, axis: int) -> Diagnosis:
    """What is said of a reshaping that mixes examples."""
    step = call.step
    before, after = step.value(main(step, op) or op.inputs[0]), step.value(op.output)
    rows, to = (before.shape or ())[axis], (after.shape or ()).index((before.shape or ())[axis])
    return Diagnosis(
        rule="WG211",
        name="wrong-axis",
        severity="error",
        confidence="proved",
        message=f"reshaping `{before.shown}` from {before.type} to {after.type} mixes the examples of the batch with one another",
        site=op.site,
        label=f"the {rows} examples lie on axis {axis}, and are cut up here",
        related=places((call.op.site, "the loss compares one prediction with each label here")),
        evidence=(
            Evidence(
                f"one example's entries of {typed(before)} lie along axis {axis}; after the reshaping axis {to} has {rows} entries too, each made of parts of several examples"
            ),
        ),
        help=idiom(call.index, "examples before reshaping", name=before.written, axis=axis, to=to),
        facts=frozenset({Fact("odd-shape", after.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(before.shown, after.shown),
        remedy=_examples_moved(call, op, axis, to),
    )  # fmt: skip


def _examples_moved(call: Call, op: Op, axis: int, to: int) -> Remedy | None:
    """The examples on their axis: in the place of a reshaping that is no more than that, or before one that lays other axes together as well."""
    before, after = call.step.value(main(call.step, op) or op.inputs[0]).shape or (), call.step.value(op.output).shape or ()
    others = [size for at, size in enumerate(before) if at != axis]
    text = spelling(call.index, "axis moved", axis=axis, to=to)
    names = tuple(dict.fromkeys((spelled(op), "reshape", "view", "flatten")))
    if op.site is None:
        return None
    if after == (*others[:to], before[axis], *others[to:]):
        return remedy("move the axis of the examples instead", Edit("swap", op.site, text, names))
    return remedy("move the axis of the examples before reshaping", Edit("wrap", op.site, text, names, position=GIVEN))
