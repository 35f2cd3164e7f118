"""Where the first number that is not finite comes from, over the whole run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Birth, Op, Statistics, Value, family

GIVEN = ("input", "label", "parameter", "buffer")
WAY = 16
"""Values within the arithmetic of one statement, such as standardising, that are looked through: (x - mean) / (std + eps) has six."""
SCALER = "grad_scaler.py"
"""The file of PyTorch's that multiplies a loss for half precision, among the library frames of the call."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The first birth of the run, with the op or value that it names."""

    step: StepIndex
    birth: Birth
    op: Op | None = None
    value: Value | None = None

    @property
    def reader(self) -> Op | None:
        """Of numbers that are kept from the loss: what reads them, and has a derivative that is not finite for it."""
        made = self.step.producer.get(self.birth.reader)
        return made[1] if made else None

    @property
    def later(self) -> bool:
        """It happened in a step that was not recorded itself."""
        return self.birth.step != self.step.step.index


def origin(index: Index) -> Origin | None:
    """The earliest birth; from the figures of the values where no replay could tell. None if everything is finite."""
    found = [(birth.step, number, birth) for number, step in enumerate(index.steps) for birth in step.step.births]
    if found:
        _, number, birth = min(found, key=lambda item: item[:2])
        step = index.steps[number]
        made = step.producer.get(birth.op)
        if birth.stage == "given" and birth.value not in step.values:
            return _shown(index, step, birth)
        spread = of_one(step, birth)
        if spread is not None:
            return Origin(step, replace(birth, stage="forward", op=spread.output), spread)
        return Origin(step, birth, made[1] if made else None, step.values.get(birth.value))
    return next(_by_figures(index), None)


def _shown(index: Index, step: StepIndex, birth: Birth) -> Origin:
    """A part of what the step was given, cut out within a layer: the value that it was cut from, where the figures tell."""
    whole = next((o for o in _by_figures(index) if o.step is step and o.birth.stage == "given" and o.value is not None), None)
    if whole is None:
        return Origin(step, birth)
    figures = whole.value.statistics if whole.value is not None else None
    count = round((1 - figures.finite) * figures.count) if figures is not None and isfinite(figures.finite) else 0
    return Origin(step, replace(birth, value=whole.birth.value, count=count), None, whole.value)


def of_one(step: StepIndex, birth: Birth) -> Op | None:
    """What a later step was given is a single entry, and made by arithmetic with a deviation of its own entries: divided by one less than their number."""
    value = step.values.get(birth.value)
    if birth.stage != "given" or birth.size != 1 or value is None or not value.shape:
        return None
    way = [birth.value]
    for name in way:
        made = step.producer.get(name)
        if made is None or len(way) > WAY:
            continue
        op = made[1]
        data = step.value(op.inputs[0]) if op.inputs else value
        if op.kind in ("std", "var") and data.shape == value.shape and _corrected(op):
            return op
        way += [item for item in op.inputs if family(op.kind) in ("arithmetic", "layout", "cast") and item not in way]
    return None


def _corrected(op: Op) -> bool:
    """A deviation divides by one less than the number of entries: PyTorch's default, which `correction=0` and `unbiased=False` change."""
    return op.attributes.get("correction", 1) != 0


def _by_figures(index: Index) -> Iterator[Origin]:
    """What was given to a step that came to numbers which are not finite, and then the first op on the way there with finite inputs and an output that is not."""
    for step in index.steps:
        way = _way(index, step)
        given = [name for name, value in step.values.items() if name in way and name not in step.producer and value.role in GIVEN]
        for name in given:
            if broken(step.value(name).statistics):
                yield Origin(step, Birth("given", value=name, step=step.step.index), None, step.value(name))
        for op in step.graph.ops if way else ():
            made = [name for name in op.outputs if name in way and broken(step.value(name).statistics)]
            if made and not any(broken(step.value(name).statistics) for name in op.inputs) and not masks(step, op):
                yield _born(step, op, made[0])


def _born(step: StepIndex, op: Op, made: str) -> Origin:
    """The op made it, unless it only hands on entries of something that nobody has looked at, such as all rows of the data."""
    unseen = all(step.value(name).statistics is None for name in op.inputs)
    if family(op.kind) not in ("layout", "select") or not unseen or made in step.depends_on_parameters:
        return Origin(step, Birth("forward", op=made, step=step.step.index), op)
    figures = step.value(made).statistics
    count = round((1 - figures.finite) * figures.count) if figures is not None and isfinite(figures.finite) else 0
    return Origin(step, Birth("given", value=made, step=step.step.index, count=count), None, step.value(made))


def _way(index: Index, step: StepIndex) -> frozenset[str]:
    """What a loss that is not finite was computed from, or what the program refused; nothing where all is finite."""
    if step.losses:
        return step.shapes_loss if any(broken(step.value(name).statistics) for name in step.losses) else frozenset()
    ends = refused(index, step)
    return step.upstream(ends[-1]) if ends else frozenset()


def refused(index: Index, step: StepIndex) -> list[str]:
    """What is not finite of what a call was given that raised for it; of all that the last step came to, where the program's own check raised."""
    if step is not index.steps[-1] or not refuses(index):
        return []
    if step.failed:
        return [name for name in step.failed[-1].inputs if broken(step.value(name).statistics)]
    made = (name for op in step.graph.ops for name in op.outputs if broken(step.value(name).statistics))
    return [name for name in made if not _cured(step, name)]


def _cured(step: StepIndex, name: str) -> bool:
    """Something that reads it makes finite numbers of it, as where what is missing is filled in."""
    made = (step.value(out) for reader in step.consumers.get(name, ()) for out in reader.outputs)
    return any(value.dtype.startswith(("f", "bf")) and value.statistics is not None and not broken(value.statistics) for value in made)


def refuses(index: Index) -> bool:
    """Numbers that are not finite never came to a loss: the program ended where something would not take them."""
    raised = index.record.outcome.exception
    return raised is not None and raised.not_finite and all(course.non_finite is None for course in index.record.courses)


def masks(step: StepIndex, op: Op) -> bool:
    """The op puts infinities in on purpose: the value is read on, and finite again, as under a softmax."""
    return op.kind in ("where", "write", "scatter", "create") and not any(
        broken(step.value(out).statistics) for name in op.outputs for reader in step.consumers.get(name, ()) for out in reader.outputs
    )


def broken(figures: Statistics | None) -> bool:
    """Some entry is known not to be finite."""
    return figures is not None and figures.count > 0 and not figures.finite >= 1.0


def declined(index: Index, step: StepIndex) -> bool:
    """The program itself kept what had no finite gradient as it was, and trained all of it at other steps, so that it is finite in the end."""
    spoilt = [p for p in step.step.parameters if p.gradient == "non-finite"]
    ends = [index.record.endings.get(p.name) for p in spoilt]
    return bool(spoilt) and all(p.moved == 0.0 for p in spoilt) and all(end is not None and end.changed and end.finite for end in ends)


def scaled(index: Index, step: StepIndex) -> bool:
    """A gradient scaler multiplied the loss, or an optimizer that holds what the step trains declines updates: infinite gradients are how it finds its factor."""
    held = {parameter.name for parameter in step.step.parameters}
    declining = [group for optimizer in index.record.optimizers if optimizer.skipped for group in optimizer.groups]
    if any(not held.isdisjoint(group.parameters) for group in declining):
        return True
    if declined(index, step):
        return True
    sites = (op.site for op in step.graph.ops)
    return any(True for _ in step.events("unscale")) or any(f.file.endswith(SCALER) for site in sites if site for f in site.library)
