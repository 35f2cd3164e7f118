"""Writing the text form."""

import math
import re
from collections.abc import Iterable, Iterator

from whygrad.ir.ops import Graph, Op
from whygrad.ir.record import Batches, Optimizer, Outcome, Record
from whygrad.ir.sites import Frame, Site
from whygrad.ir.steps import Event, Labels, Measures, Parameter, Scope, Step
from whygrad.ir.text_fields import name_shown, shown, written
from whygrad.ir.turns import Emptied
from whygrad.ir.values import Statistics, Value

_TYPE = re.compile(r"(?:\?|[A-Za-z_]\w*)(?:\[(?:\d+(?:,\d+)*)?\])?")


def dumps(record: Record) -> str:
    """The text form of a record; `loads` gives the same record back."""
    return "".join(f"{line}\n" for line in _record(record))


def _line(*parts: str | Iterable[str]) -> str:
    return " ".join(part for group in parts for part in ((group,) if isinstance(group, str) else group) if part)


def _record(record: Record) -> Iterator[str]:
    if head := _line(written(record, skip=RECORD_PARTS)):
        yield f"record {head}"
    for framework in record.frameworks:
        yield _line("framework", name_shown(framework.name), shown(framework.version))
    yield from _outcome(record.outcome)
    for optimizer in record.optimizers:
        yield from _optimizer(optimizer)
    for name, ending in record.endings.items():
        yield _line("ending", name_shown(name), written(ending))
    yield from map(_batches, record.batches)
    yield from (_line("course", written(course), _site("@", course.site)) for course in record.courses)
    yield from (_line("fit", written(fit)) for fit in record.fits)
    yield from (_line("collation", written(item), _site("@", item.site)) for item in record.collations)
    yield from (_line("origin", written(item), _site("@", item.site)) for item in record.origins)
    yield from (_emptied(item) for item in record.emptied)
    yield from (_line("loading", written(item), _site("@", item.site)) for item in record.loadings)
    yield from (_line("redraw", written(item), _site("@", item.site)) for item in record.redraws)
    yield from (_line("turning", written(item), _site("@", item.site)) for item in record.turnings)
    if record.evaluated is not None:
        yield _line("evaluated", _site("@", record.evaluated))
    yield from (f"limit {shown(limit)}" for limit in record.limits)
    yield from (f"fault {shown(fault)}" for fault in record.faults)
    for step in record.steps:
        yield from _step(step)


def _batches(item: Batches) -> str:
    return _line("batches", written(item), _site("@", item.site), _site("^", item.order_site), _site("&", item.rows_site))


def _emptied(item: Emptied) -> str:
    sites = (_site("@", item.site), _site("^", item.loop), _site("&", item.body), _site("~", item.read))
    return _line("emptied", name_shown(item.name), written(item, skip=("name",)), *sites)


def _outcome(outcome: Outcome) -> Iterator[str]:
    if head := _line(written(outcome, skip=("exception",))):
        yield f"outcome {head}"
    if outcome.exception:
        yield _line("raised", written(outcome.exception), _site("@", outcome.exception.site), _site("^", outcome.exception.made))


def _optimizer(optimizer: Optimizer) -> Iterator[str]:
    settings = written(optimizer, skip=("name", "groups", "plateau"))
    yield _line(
        "optimizer",
        name_shown(optimizer.name),
        settings,
        _site("@", optimizer.site),
        _site("^", optimizer.rate_site),
        _site("&", optimizer.schedule_site),
        _site("~", optimizer.given_site),
    )
    yield from (_line("  group", written(group)) for group in optimizer.groups)
    if optimizer.plateau is not None:
        yield _line("  plateau", written(optimizer.plateau))


def _site(mark: str, site: Site | None) -> Iterator[str]:
    if site is None:
        return
    lines = f"{site.line}-{site.end_line}" if site.end_line else f"{site.line}"
    columns = f":{site.column}-{site.end_column}" if site.end_column else f":{site.column}" if site.column else ""
    yield f"{mark} {shown(site.file)}:{lines}{columns}"
    if site.function:
        yield f"in {shown(site.function)}"
    if site.text:
        yield f"text={shown(site.text)}"
    for key, frames in (("callers", site.callers), ("library", site.library)):
        if frames:
            yield f"{key}={shown([_frame(frame) for frame in frames])}"


def _frame(frame: Frame) -> list[str | int]:
    return [frame.file, frame.line, frame.function, *([frame.text] if frame.text else [])]


def _step(step: Step) -> Iterator[str]:
    yield _line("step", str(step.index), written(step, skip=STEP_PARTS))
    undeclared = _undeclared(step)
    yield from (_value(value) for name, value in step.graph.values.items() if name not in undeclared)
    yield from _flow(step.graph.ops, step.events)
    yield from (_parameter(parameter) for parameter in step.parameters)
    yield from (_scope(scope) for scope in step.scopes)
    if step.labels != Labels():
        yield _line("  labels", written(step.labels))
    if step.measures != Measures():
        yield _line("  measures", written(step.measures))
    yield from (_line("  trial", written(trial)) for trial in step.trials)
    yield from (_line("  birth", written(birth)) for birth in step.births)


def mentioned(graph: Graph, events: Iterable[Event]) -> dict[str, None]:
    """Values that ops or events mention, in the order in which a reader meets them first."""
    names = [name for op in graph.ops for name in (*op.inputs, *op.outputs)]
    names += [name for event in events if event.kind in ("backward", "batch") for name in event.targets]
    return dict.fromkeys(names)


def _undeclared(step: Step) -> frozenset[str]:
    """Values that the reader will declare by itself, alike and in the same order."""
    values, met = step.graph.values, mentioned(step.graph, step.events)
    plain = {name for name, value in values.items() if name in met and value == Value(name)}
    as_read = [*(name for name in values if name not in plain), *(name for name in met if name in plain)]
    return frozenset(plain) if as_read == list(values) else frozenset()


def _value(value: Value) -> str:
    by_type = _TYPE.fullmatch(value.type) and value.dtype != "?"
    typed = value.type if by_type and value.type != "?" else ""
    others = written(value, skip=("name", "role", "statistics", *(("dtype", "shape") if by_type else ())))
    return _line(f"  {name_shown(value.name)}: {value.role}", typed, _statistics(value), others)


def _statistics(value: Value) -> Iterator[str]:
    if value.statistics:
        settings = tuple(written(value.statistics, skip=("count",)))
        implied = value.shape is not None and value.statistics.count == math.prod(value.shape) and settings
        yield from settings if implied else (f"count={value.statistics.count}", *settings)


def _flow(ops: tuple[Op, ...], events: tuple[Event, ...]) -> Iterator[str]:
    """Ops, with each event below the ops that ran before it."""
    done = 0
    for event in events:
        in_place = done <= event.at <= len(ops)
        if in_place:
            yield from (_op(op) for op in ops[done : event.at])
            done = event.at
        yield _event(event, in_place=in_place)
    yield from (_op(op) for op in ops[done:])


def _op(op: Op) -> str:
    outputs = ", ".join(map(name_shown, op.outputs))
    names = map(name_shown, op.inputs)
    return _line(
        " ",
        outputs,
        "=",
        name_shown(op.kind),
        names,
        written(op, skip=("kind", "inputs", "outputs")),
        _site("@", op.site),
        _site("^", op.made),
    )


def _event(event: Event, *, in_place: bool) -> str:
    at = "" if in_place else f"at={event.at}"
    settings = written(event, skip=("kind", "at", "targets"))
    return _line("  !", event.kind, map(name_shown, event.targets), at, settings, _site("@", event.site))


def _parameter(parameter: Parameter) -> str:
    value = "" if parameter.value == parameter.name else f"value={_bare(parameter.value)}"
    return _line("  parameter", name_shown(parameter.name), value, written(parameter, skip=("name", "value")), _site("@", parameter.site))


def _bare(name: str) -> str:
    """A value's name behind `value=`, bare unless it could be taken for JSON."""
    return shown(name) if name in ("true", "false", "null", "NaN", "Infinity") else name_shown(name)


def _scope(scope: Scope) -> str:
    return _line(
        "  scope", name_shown(scope.function), written(scope, skip=("function",)), _site("@", scope.site), _site("^", scope.caller)
    )


RECORD_PARTS = (
    "frameworks",
    "outcome",
    "steps",
    "optimizers",
    "endings",
    "batches",
    "courses",
    "fits",
    "collations",
    "origins",
    "emptied",
    "loadings",
    "redraws",
    "turnings",
    "evaluated",
    "limits",
    "faults",
)
"""Fields of a record that have lines of their own."""
STEP_PARTS = ("index", "graph", "events", "parameters", "scopes", "labels", "measures", "trials", "births")
"""What of a step stands on lines of its own."""
STATISTICS = frozenset(Statistics.__dataclass_fields__)
"""Settings of a value that belong to its statistics."""
