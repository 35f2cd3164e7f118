"""Recurrent layers whose last state is read behind the padding: what short rows say is gone by then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of
from whygrad.flow.trials import trial_of
from whygrad.idioms import idiom
from whygrad.ir import Op, Reword, Value
from whygrad.rules.loss.calls import INTEGERS, Call, calls
from whygrad.rules.phrases import figure, percent, places, typed

SHARE = 0.3
"""
Share of padding among the entries, and of rows that are mostly padding, from which it steers the training. Of 36 trainings (LSTM, GRU and plain cells, three tasks, 17 to
76 % padding) the 9 at 31 % got 12 to 34 points fewer right than
on packed rows, though only 24 % of their rows were mostly padding; at 17 % three of 9 learnt everything.
"""
FALLS = 0.5
"""
Share of its first value to which a loss falls where the layer learns to keep what it read: of the same 36, five fell to 0.02 to 0.38 with 92 % right and more, and all others
ended at 0.69 or above with 84 % right at most.
"""
_FORMS = ("layout", "cast", "select")
_STEPS = 2
_AXES = 3
"""Of a state at all positions of all rows."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What goes along a sequence and hands a state on."""

    given: str
    """What it reads."""
    axis: int
    whole: tuple[str, ...]
    """Its state at all positions."""
    final: tuple[str, ...]
    """Its state behind the last one."""


@dataclass(frozen=True, slots=True)
class Last:
    """A recurrent layer that reads a padded sequence as it is, and what is read of it."""

    call: Call
    sequence: Value
    axis: int
    layer: Op
    reader: Op
    """What picks the last state, or the layer itself where that hands it out."""


def behind_padding(index: Index) -> Iterator[Diagnosis]:
    """One for each loss whose prediction is made of such a state."""
    for call in calls(index):
        for found in last_states(call):
            trial = trial_of(call.step.step, _test(found).intervention)
            if trial is None or trial.figures.get("rows", 0.0) >= SHARE * trial.figures.get("of", 1.0):
                yield diagnosis(index, found, trial.figures if trial is not None else {})


def last_states(call: Call) -> Iterator[Last]:
    """Layers on the way to a prediction by rows, which are given the rows with their padding."""
    step, shape = call.step, call.prediction.shape or ()
    course = course_of(call.index, step)
    # timid: a loss that falls far is told enough by what is kept
    if course is not None and course.last is not None and course.first is not None and course.last < FALLS * course.first:
        return
    above = step.upstream(call.prediction.name)
    for op in step.graph.ops:
        walk = _walk(step, op)
        if walk is None or above.isdisjoint(op.outputs) or call.op.failed:
            continue
        sequence, axis = _sequence(step, walk)
        reader = _reader(step, op, walk, above)
        padded = sequence is not None and sequence.statistics is not None and (sequence.statistics.zeros or 0.0) >= SHARE
        if sequence is not None and sequence.shape and reader is not None and padded and shape[:1] == sequence.shape[1 - axis : 2 - axis]:
            yield Last(call, sequence, axis, op, reader)


def _walk(step: StepIndex, op: Op) -> Walk | None:
    """A recurrent layer, or a loop of JAX's over the rows of a sequence."""
    axis, at = op.attributes.get("sequence_axis"), op.attributes.get("sequence")
    if not isinstance(axis, int):
        return None
    if op.kind == "rnn":
        return Walk(op.inputs[0], axis, op.outputs[:1], op.outputs[1:])
    if not op.native.endswith(".scan") or not isinstance(at, int):
        return None
    length = (step.value(op.inputs[at]).shape or (0,))[0]
    whole = tuple(name for name in op.outputs if len(shape := step.value(name).shape or ()) == _AXES and shape[0] == length)
    return Walk(op.inputs[at], axis, whole, tuple(name for name in op.outputs if name not in whole))


def _sequence(step: StepIndex, walk: Walk) -> tuple[Value | None, int]:
    """The data that the layer reads, itself or through an embedding, and its axis of positions; None where something else was done to it."""
    name, axis = walk.given, walk.axis
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "embedding" or (op.kind == "index" and _looked_up(step, op)):
            ids = (step.origin(given, ("cast",)) for given in op.inputs)
            return next((step.value(given) for given in ids if step.value(given).dtype in INTEGERS and _paired(step, given)), None), axis
        if op.kind not in ("dropout", "copy", "cast", "transpose"):
            return None, axis
        if op.kind == "transpose":
            before, after = step.value(op.inputs[0]).shape or (), step.value(name).shape or ()
            axis = 1 - axis if before[:2] == after[1::-1] else axis
        name = op.inputs[0]
    value = step.value(name)
    return value if name not in step.depends_on_parameters and len(value.shape or ()) > _STEPS else None, axis


def _looked_up(step: StepIndex, op: Op) -> bool:
    """Rows of a table of parameters, picked by their numbers."""
    return len(op.inputs) > 1 and any(p.value == op.inputs[0] for p in step.step.parameters)


def _paired(step: StepIndex, name: str) -> bool:
    """Rows of ids; JAX looks an embedding up by more numbers than these."""
    return len(step.value(name).shape or ()) == _STEPS


def _reader(step: StepIndex, layer: Op, walk: Walk, above: frozenset[str]) -> Op | None:
    """What picks the last position of a layer's output, where nothing else of it is read; the layer where its final state is."""
    whole = [op for name in walk.whole for op in _readers(step, name) if not above.isdisjoint(op.outputs)]
    if not whole:
        return layer if any(name in above for name in walk.final) else None
    axes = len(step.value(walk.whole[0]).shape or ())
    # timid: what is picked by other tensors is picked at each row's own end
    picked = [op for op in whole if op.kind == "index" and len(op.inputs) == 1 and len(step.value(op.output).shape or ()) == axes - 1]
    return whole[0] if len(picked) == len(whole) == 1 else None


def _readers(step: StepIndex, name: str) -> Iterator[Op]:
    """What reads a value, seen through a change of its axes."""
    for op in step.consumers.get(name, ()):
        yield from _readers(step, op.output) if op.kind == "transpose" and op.outputs else (op,)


def _test(found: Last) -> Test:
    return Test(
        Reword(found.sequence.name, found.call.prediction.name, found.axis),
        "predictions for rows that end in much padding do not change with their words",
        required=True,
    )


def diagnosis(index: Index, found: Last, figures: Mapping[str, float]) -> Diagnosis:
    """What is said, where the last state is picked."""
    call, sequence = found.call, found.sequence
    share = (sequence.statistics.zeros or 0.0) if sequence.statistics is not None else 0.0
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="measured",
        message=f"the state behind the padding is read: of `{sequence.shown}`, which is {percent(share)} padding, short rows hardly reach the prediction",
        site=found.reader.site or call.op.site,
        label="the last position, which is padding in short rows",
        related=places((found.layer.site if found.reader is not found.layer else None, "reads the padding like everything else")),
        evidence=tuple(_evidence(found, share, figures)),
        help=idiom(index, "state at the end"),
        facts=frozenset({Fact("odd-input", sequence.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind))}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(sequence.shown,),
        test=_test(found),
    )


def _evidence(found: Last, share: float, figures: Mapping[str, float]) -> Iterator[Evidence]:
    yield Evidence(f"{percent(share, 1)} of {typed(found.sequence)} is 0", "padding", share)
    if "behind" in figures:
        rows, of = int(figures["rows"]), int(figures["of"])
        yield Evidence(
            f"in {rows} of {of} rows half or more is padding at the end: with all their words exchanged, their predictions change by {figure(figures['behind'])} of their size; with the padding in front, by {figure(figures['before'])}",
            "behind",
            figures["behind"],
        )
