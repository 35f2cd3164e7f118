"""The picture of a step: which part hands values to which, and where the gradient comes back. Linear in the ops."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

from whygrad.diagnosis import Arrow, Block, Gauge, Picture, Row
from whygrad.flow.index import StepIndex
from whygrad.ir import Course, Op, Parameter, Site, Step

MOST_BLOCKS = 40
"""Boxes that fit a screen and that a reader can follow; beyond it modules are drawn by their outer names, and lines by their function."""
MOST_ROWS = 200
"""Ops that one box lists."""
MOST_ON_PATH = 14
"""Ops that the path names in text; a longer one leaves out its middle."""
MOST_DATA = 4
"""Lines that prepare data and are drawn one by one; of more, those of a function are one box, or they would hide the model."""

Key = tuple[str, str]
"""Sort and name of a block."""
Naming = Callable[[Op], Key]


def picture(step: Step, places: Iterable[Site] = (), courses: Iterable[Course] = ()) -> Picture:
    """The judged step as blocks and arrows; `places`: those of the leading diagnosis, of which the first that is drawn is marked. Of several losses the longest course is drawn."""
    index = StepIndex(step)
    known = tuple(places)
    ops = tuple(_drawn(index, known[:1]))
    marked = next(filter(None, (_placed(ops, site) for site in known)), ())
    plan = Plan(index, _naming(index, ops))
    for op in ops:
        plan.add(op)
    for name in step.labels.values if ops else ():
        plan.labels(name)
    blocks = tuple(plan.blocks(frozenset(map(id, marked))))
    arrows = tuple(Arrow(*ends, flows) for ends, flows in plan.arrows.items())
    gauges = tuple(gauge(index, parameter) for parameter in step.parameters)
    course = max(courses, key=lambda known: known.steps, default=Course())
    return Picture(blocks, arrows, gauges, path(index, marked), course.curve, course.curve_width)


def _drawn(index: StepIndex, places: tuple[Site, ...]) -> Iterator[Op]:
    """Ops that lead to the loss, come from the labels, lie at the place, or raised; and what was made of parameters that never reach the loss. Nothing that merely reads the loss."""
    afterwards = index.downstream(index.losses)
    lost = index.downstream(tuple(p.value for p in index.step.parameters if p.trainable and p.value not in index.shapes_loss))
    for op in index.graph.ops:
        asked = not (index.from_labels.isdisjoint(op.inputs) and lost.isdisjoint(op.outputs)) or any(_at(op, place) for place in places)
        if op.failed or not index.shapes_loss.isdisjoint(op.outputs) or (asked and afterwards.isdisjoint(op.inputs)):
            yield op


def _naming(index: StepIndex, ops: tuple[Op, ...]) -> Naming:
    """The finest way to name blocks that gives no more of them than a reader can follow."""
    scales = ((9, True), (3, True), (2, True), (1, True), (2, False), (1, False))
    prepared = [op for op in ops if not op.module and _is_data(index, op)]
    shared = frozenset(map(_line, prepared)) & frozenset(_line(op) for op in ops if not op.module and not _is_data(index, op))
    data = frozenset(op.output for op in prepared if op.output and _line(op) in shared)
    many = len(set(map(_line, prepared))) > MOST_DATA
    gathered = frozenset(name for op in prepared for name in op.outputs if many and name not in data)
    namings = [partial(_named, depth=depth, lines=lines, data=data, gathered=gathered) for depth, lines in scales]
    return next((naming for naming in namings if len({naming(op) for op in ops}) <= MOST_BLOCKS), namings[-1])


def _is_data(index: StepIndex, op: Op) -> bool:
    """Computed from data alone: on a line that calls the model as well it stands apart, or the picture would run in a circle."""
    return index.depends_on_parameters.isdisjoint(op.outputs)


def _line(op: Op) -> tuple[str, int] | None:
    return op.site.line_of_code if op.site is not None else None


def _named(op: Op, *, depth: int, lines: bool, data: frozenset[str], gathered: frozenset[str]) -> Key:
    """The block of an op; `data`: outputs that stand apart from their line, `gathered`: those that are named by their function."""
    if lines and op.output in data and op.site is not None:
        return "line", f"data of {PurePath(op.site.file).name}:{op.site.line}"
    if op.module:
        return "module", ".".join(op.module.split(".")[:depth])
    if op.site is None:
        return "line", op.native or op.kind
    by_line = lines and (op.site.function in ("", "<module>") or gathered.isdisjoint(op.outputs))
    return "line", f"{PurePath(op.site.file).name}:{op.site.line}" if by_line else op.site.function or PurePath(op.site.file).name


@dataclass(slots=True)
class Plan:
    """Blocks while they are being filled."""

    index: StepIndex
    naming: Naming
    numbers: dict[Key, int] = field(default_factory=dict)
    members: dict[int, list[Op]] = field(default_factory=dict)
    held: dict[int, dict[str, Parameter]] = field(default_factory=dict)
    arrows: dict[tuple[int, int], bool] = field(default_factory=dict)
    made_in: dict[str, int] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = {parameter.value: parameter for parameter in self.index.step.parameters}

    def add(self, op: Op) -> None:
        """Put an op into its block, and draw the arrows to it."""
        at = self.number(self.naming(op))
        self.members.setdefault(at, []).append(op)
        for position, name in enumerate(op.inputs):
            if name in self.parameters:
                self.held.setdefault(at, {})[name] = self.parameters[name]
                continue
            source = self.source(name)
            if source is not None and source != at:
                flows = op.carried(position) and not self.index.gets_gradient.isdisjoint(op.outputs)
                self.arrows[source, at] = self.arrows.get((source, at), False) or flows
        for name in op.outputs:
            self.made_in[name] = at
            self.types[at] = self.index.value(name).type
            if name in self.index.step.labels.values:
                self.arrows[at, self.labels(name)] = False

    def number(self, key: Key) -> int:
        """The number of a block, a new one if need be."""
        return self.numbers.setdefault(key, len(self.numbers))

    def source(self, name: str) -> int | None:
        """The block that a value comes from; inputs and labels are blocks of their own, constants none."""
        value = self.index.value(name)
        if name in self.index.step.labels.values:
            return self.labels(name)
        if name in self.made_in:
            return self.made_in[name]
        if value.role not in ("input", "label"):
            return None
        at = self.number(("input", value.shown))
        self.types[at] = value.type
        return at

    def labels(self, name: str) -> int:
        """The block of a label, whether an op made it or not, and whether anything reads it or not."""
        at = self.number(("label", self.index.value(name).shown))
        self.types[at] = self.index.value(name).type
        return at

    def blocks(self, marked: frozenset[int]) -> Iterator[Block]:
        """All blocks, by number; `marked`: the identities of the ops at the place."""
        losses = {self.made_in[name] for name in self.index.losses if name in self.made_in}
        for (sort, name), at in self.numbers.items():
            ops, parameters = self.members.get(at, []), tuple(self.held.get(at, {}).values())
            norms = [p.gradient_norm for p in parameters if p.gradient_norm is not None]
            yield Block(
                name=name,
                sort="loss" if at in losses and sort == "line" else sort,  # type: ignore[arg-type]  # one of the literals: from `_named` and `source`
                type=self.types.get(at, ""),
                parameters=len(parameters),
                starved=sum(p.trainable and p.gradient in ("none", "zero") for p in parameters),
                gradient_norm=sum(norm * norm for norm in norms) ** 0.5 if norms else None,
                flows=any(not self.index.gets_gradient.isdisjoint(op.outputs) for op in ops),
                marked=any(id(op) in marked for op in ops),
                rows=tuple(row(self.index, op) for op in ops[:MOST_ROWS]),
                more=max(0, len(ops) - MOST_ROWS),
            )


def _placed(ops: tuple[Op, ...], place: Site) -> tuple[Op, ...]:
    """The ops on the line of `place`; where there is none, the last one of what is called from there: it makes what the line gets."""
    called = [op for op in ops if op.site is not None and any((frame.file, frame.line) == place.line_of_code for frame in op.site.callers)]
    return tuple(op for op in ops if _at(op, place)) or tuple(called[-1:])


def _at(op: Op, place: Site) -> bool:
    return any(site is not None and site.line_of_code == place.line_of_code for site in (op.site, op.made))


def row(index: StepIndex, op: Op) -> Row:
    """One op, as text."""
    value = index.value(op.output) if op.output else None
    name = f" → {value.called}" if value is not None and value.called else ""
    file, line = op.site.line_of_code if op.site is not None else ("", 0)
    flows = not index.gets_gradient.isdisjoint(op.outputs)
    return Row(f"{op.native or op.kind}{name}", value.type if value is not None else "raised" if op.failed else "", file, line, flows)


def gauge(index: StepIndex, parameter: Parameter) -> Gauge:
    """A parameter's figures."""
    ratio = parameter.update_norm / parameter.norm if parameter.update_norm is not None and parameter.norm else None
    kind = index.value(parameter.value).type
    return Gauge(parameter.name, kind, parameter.trainable, parameter.gradient, parameter.gradient_norm, ratio)


def path(index: StepIndex, marked: tuple[Op, ...]) -> tuple[Row, ...]:
    """The shortest way from the first of the ops at the place to the loss; empty where none leads there."""
    if not marked:
        return ()
    start = marked[0]
    before: dict[str, tuple[Op, str]] = {}
    waiting = deque((name, start) for name in start.outputs)
    seen = set(start.outputs)
    while waiting:
        name, op = waiting.popleft()
        if name in index.losses:
            return _shortened(tuple(row(index, each) for each in _back(name, op, before)))
        for reader in index.consumers.get(name, []):
            for made in reader.outputs:
                if made not in seen:
                    seen.add(made)
                    before[made] = (op, name)
                    waiting.append((made, reader))
    return ()


def _back(name: str, op: Op, before: dict[str, tuple[Op, str]]) -> list[Op]:
    """The ops of the way, first to last."""
    way = [op]
    while name in before:
        op, name = before[name]
        way.append(op)
    return way[::-1]


def _shortened(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    if len(rows) <= MOST_ON_PATH:
        return rows
    half = MOST_ON_PATH // 2
    return (*rows[:half], Row(f"… {len(rows) - 2 * half} more …", "", "", 0, rows[half].flows), *rows[-half:])
