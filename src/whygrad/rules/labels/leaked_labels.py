"""WG107: the labels reach the model's input."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import remedy

_COPIES = ("layout", "cast")
_READERS = frozenset(("linear", "matmul"))


@rule("WG107", "leaked-labels", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The model is given the very labels that it is to predict.

    ## What it finds
    A decoder that reads at each position the token that it must predict there, because input and target were not shifted against each
    other; a table that goes into the model with the column that the labels were taken from.

    ## Why it matters
    The loss goes to zero in no time, since the network only copies. When it has to predict for real, the answer is not in its input.

    ## When it is fine
    Teacher forcing reads the tokens before the one to predict: input and target are different slices. An autoencoder gets its target
    through a narrow place, not position by position, or through noise. A forecast reads all columns of one row and predicts one of them in a later row. Labels in a condition (class-conditional models) are another value than the target.

    ## How sure
    Proved by the recorded graph: the same tensor, or the same slice of one, unchanged, is read by the embedding and compared with by the loss, and every op between
    keeps the positions; or the input still has the width of the table from which the labels were cut.

    ## References
    "Teacher forcing"; target leakage.
    """
    copied = [position_by_position(call, op) for call in calls(index) if (op := reads_target(call)) is not None]
    columns = [whole_table(met, *pair) for met in meetings(index) if (pair := table_of(met.step, met.target)) is not None]
    yield from distinct((*copied, *columns))


@dataclass(frozen=True, slots=True)
class Met:
    """Where a loss compares something with the labels: a call, or a difference that is written out."""

    step: StepIndex
    op: Op
    target: Value


def meetings(index: Index) -> Iterator[Met]:
    """Losses that are called, then differences on the way to a loss between what was learnt and a label."""
    yield from (Met(call.step, call.op, call.target) for call in calls(index))
    for step in index.steps:
        for op in step.graph.ops:
            if op.kind == "sub" and len(op.inputs) == 2 and not op.failed and not step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - two sides
                target = [name for name in op.inputs if name in step.from_labels and name not in step.depends_on_parameters]
                learnt = any(name in step.depends_on_parameters for name in op.inputs)
                yield from (Met(step, op, step.value(name)) for name in target if learnt)


def reads_target(call: Call) -> Op | None:
    """The embedding that reads the target itself, with a way to the prediction on which every value keeps the positions."""
    step, same = call.step, forms(call.step, call.target.name)
    if not call.by_ids or call.op.failed:
        return None
    for op in step.graph.ops:
        ids = next((name for name in op.inputs if not same.isdisjoint(forms(step, name))), None) if op.kind == "embedding" else None
        shape = step.value(ids).shape or () if ids else ()
        if len(shape) > 1 and shape[1] > 1 and not forms(step, call.prediction.name).isdisjoint(kept_in_place(step, op.output, shape[:2])):
            return op
    return None


def forms(step: StepIndex, name: str) -> frozenset[object]:
    """A value and what it is a mere reshaping or casting of; last, which part of which tensor that is, as the same slice may be taken twice."""
    found: set[object] = {name}
    while name in step.producer:
        op = step.producer[name][1]
        part = op.attributes.get("part")
        if op.kind == "index" and part is not None:
            found.add((op.inputs[0], part, step.value(name).shape))
        if family(op.kind) not in _COPIES or len(op.inputs) != 1:
            break
        name = op.inputs[0]
        found.add(name)
    return frozenset(found)


def kept_in_place(step: StepIndex, name: str, positions: tuple[int, ...]) -> frozenset[str]:
    """Values computed from `name` on ways along which every value has these rows and positions, and nothing that was drawn is added to them."""
    found, noise = {name}, drawn(step)
    for op in step.graph.ops:
        if not found.isdisjoint(op.inputs) and family(op.kind) != "select" and noise.isdisjoint(op.inputs):
            found.update(made for made in op.outputs if (step.value(made).shape or ())[:2] == positions)
    return frozenset(found)


def drawn(step: StepIndex) -> frozenset[str]:
    """What was computed from random numbers alone: noise, from which a network may well have to find the tokens again."""
    return step.downstream(name for op in step.graph.ops if op.kind == "random" for name in op.outputs) - step.depends_on_parameters


def table_of(step: StepIndex, target: Value) -> tuple[Value, Value, Op] | None:
    """The table that the labels were cut from, the input that still has all its columns, and the layer that reads it."""
    table = step.value(cut_from(step, target.name, (*_COPIES, "select")))
    shape, labels = table.shape or (), target.shape or ()
    if (
        len(shape) != 2  # noqa: PLR2004 - a table
        or shape[1] < 3  # noqa: PLR2004 - of a few columns
        or not table.dtype.startswith(("f", "bf"))
        or labels[1:] not in ((), (1,))
        or table.name == target.name
    ):
        return None
    for op in step.graph.ops:
        for name in op.inputs if op.kind in _READERS else ():
            given = step.value(name)
            wide = name not in step.depends_on_parameters and given.shape is not None and given.shape[-1:] == shape[1:]
            if not wide or len(given.shape or ()) != 2 or cut_from(step, name, (*_COPIES, "select", "arithmetic")) != table.name:  # noqa: PLR2004 - a table
                continue
            if same_rows(step, table, given, target):
                return table, given, op
    return None


def same_rows(step: StepIndex, table: Value, given: Value, target: Value) -> bool:
    """Input and labels are of the same rows of their table. A forecast has the rows of one moment in its input, and a column of later ones as labels."""
    if all((value.shape or ())[:1] == (table.shape or ())[:1] for value in (given, target)):
        return True
    one, other = (way_from(step, table.name, value.name) for value in (given, target))
    if {name for op in one for name in op.outputs} & {name for op in other for name in op.outputs}:
        return True
    first, second = (next((op for op in way if family(op.kind) == "select"), None) for way in (one, other))
    if first is None or second is None:
        # timid: rows that were left out on one side alone may be those of other moments
        return False
    parts = first.attributes.get("part"), second.attributes.get("part")
    if isinstance(parts[0], tuple) and isinstance(parts[1], tuple):
        return 0 <= int(parts[1][0]) - int(parts[0][0]) < (table.shape or (0, 0))[1]
    return bool(first.inputs[1:]) and first.inputs[1:] == second.inputs[1:]


def way_from(step: StepIndex, table: str, name: str) -> tuple[Op, ...]:
    """The ops from a table to what was cut from it, the first one first."""
    found: list[Op] = []
    while name != table and name in step.producer and step.producer[name][1].inputs:
        found.append(step.producer[name][1])
        name = found[-1].inputs[0]
    return tuple(reversed(found))


def cut_from(step: StepIndex, name: str, families: tuple[str, ...]) -> str:
    """The value that `name` was cut from: as `StepIndex.origin`, but columns that are joined to others end the way."""
    while name in step.producer:
        op = step.producer[name][1]
        if family(op.kind) not in families or not op.inputs or (op.kind == "concat" and joins_columns(step, op)):
            return name
        name = op.inputs[0]
    return name


def joins_columns(step: StepIndex, op: Op) -> bool:
    """The rows of what is joined are shorter than the rows that come of it."""
    given, made = step.value(op.inputs[0]).shape or (), step.value(op.output).shape or ()
    return bool(given) and given[-1:] != made[-1:]


def position_by_position(call: Call, op: Op) -> Diagnosis:
    """What is said of a decoder."""
    same = forms(call.step, call.target.name)
    ids = call.step.value(next((name for name in op.inputs if not same.isdisjoint(forms(call.step, name))), call.target.name))
    made = call.step.producer.get(call.step.origin(ids.name))
    sliced = made[1] if made is not None and "part" in made[1].attributes else None
    said = _diagnosis(
        call,
        f"the model reads `{ids.shown}` and must predict it at the same position",
        "input and target are not shifted against each other",
        Evidence(
            f"{typed(ids)} goes into the embedding and is the target; every value between keeps its {(ids.shape or (0, 0))[1]} positions"
        ),
        f"feed `{ids.written}[:, :-1]` and compare with `{ids.written}[:, 1:]`" if sliced is None else "take the input one position earlier than the target: `[:, :-1]` against `[:, 1:]`",
        op,
        ids,
        sliced.site if sliced is not None else None,
    )  # fmt: skip
    return replace(said, remedy=_shifted(call, op) if sliced is None else None)


_OF_NAME = re.compile(r"([A-Za-z_]\w*)(\.\w+\([^()]*\))*")
"""A name, or what methods make of it: `ids.view(-1)`."""


def _shifted(call: Call, op: Op) -> Remedy | None:
    """The model is called with all positions but the last, and compared with all but the first, where one function does both."""
    written, loss = _OF_NAME.fullmatch(call.target.called), call.op.site
    if written is None or loss is None or op.site is None:
        return None
    name = written[1]
    called = next(
        (s for s in op.site.with_callers if (s.file, s.function) == (loss.file, loss.function) and re.search(rf"[(,]\s*{name}\b", s.text)),
        None,
    )
    if called is None or called.line == loss.line:
        return None
    # what is cut out of rows does not lie in one piece
    compared = re.sub(rf"^{name}\b", f"{name}[:, 1:]", written[0]).replace(".view(", ".reshape(")
    return remedy(
        "predict the next position",
        Edit("wrap", called, "{x}[:, :-1]", _called(called, name), written=name, position=_place(called, name)),
        Edit("wrap", loss, compared, written=written[0], position=1),
        changes="the model reads all positions but the last, and is compared with all but the first",
    )


def _called(called: Site, name: str) -> tuple[str, ...]:
    """The last name of what is called with it."""
    found = re.search(rf"(\w+)\([^()]*\b{name}\b", called.text)
    return (found[1],) if found else ()


def _place(called: Site, name: str) -> int:
    """Which argument of the call it is."""
    given = called.text[called.column - 1 if called.column else 0 :]
    return given[: (re.search(rf"[(,]\s*{name}\b", given) or re.match("", given)).end()].count(",")  # type: ignore[union-attr]  # the empty pattern fits


def whole_table(call: Met, table: Value, given: Value, op: Op) -> Diagnosis:
    """What is said of a table."""
    return _diagnosis(
        call,
        f"the labels are a column of `{table.shown}`, {'which' if table is given else f'and `{given.shown}`'} goes into the model with all its {(table.shape or (0, 0))[1]} columns",
        "the labels' own column is in the input",
        Evidence(
            f"the labels were cut from {typed(table)}, and a layer reads all of it"
            if table is given
            else f"{typed(given)} was taken from {typed(table)}, from which the labels were cut"
        ),
        "cut the labels' column out of the input, before scaling and selecting",
        op,
        table,
        picked_at(call.step, given.name),
    )


def picked_at(step: StepIndex, name: str) -> Site | None:
    """Where the input was picked from its table, as last before the model."""
    while name in step.producer:
        op = step.producer[name][1]
        if family(op.kind) == "select" and op.site is not None:
            return op.site
        if not op.inputs:
            return None
        name = op.inputs[0]
    return None


def _diagnosis(
    call: Call | Met, message: str, label: str, evidence: Evidence, help_: str, op: Op, value: Value, site: Site | None = None
) -> Diagnosis:
    return Diagnosis(
        rule="WG107",
        name="leaked-labels",
        severity="warning",
        confidence="proved",
        message=message,
        site=site or call.op.site,
        label=label,
        related=places((op.site, "the model reads it here"), (call.op.site if site else None, "and is to predict it here")),
        evidence=(evidence,),
        help=help_,
        facts=frozenset({Fact("odd-input", value.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(value.shown,),
    )
