"""Two records side by side: where they first differ in structure, then in magnitude. Pure; the two may come from different frameworks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import compress, groupby, zip_longest
from math import inf, isfinite, isnan, log, sqrt

from whygrad.flow.index import StepIndex
from whygrad.ir import Event, Op, Optimizer, Parameter, Record, Site, Step, family

BATCHES = ("batch", "tracking", "autocast")
"""Events that come and go with the loader and the framework. PyTorch alone clears gradients: no other keeps them between steps."""
Told = tuple[str, Op]
"""What an op is called in a comparison, and the op."""
Pair = tuple[Op, Op]
"""An op of the one and the same of the other."""
MOST = 6
"""Ops of one difference that are named: more do not fit on a line that is read."""
PRODUCTS = ("matmul", "linear")
"""A layer of one framework is a product and a sum in another."""
UNTOLD = ("layout", "cast", "create")
"""Families of ops in which frameworks and spellings differ without meaning anything by it; casts and layouts keep the numbers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two records differ."""

    what: str
    one: str
    """What the first record has there; "" for nothing."""
    other: str
    one_site: Site | None = None
    other_site: Site | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One figure in both records."""

    what: str
    one: float
    other: float
    one_site: Site | None = None
    other_site: Site | None = None

    @property
    def apart(self) -> float:
        """How far apart they are: the absolute logarithm of their ratio; infinite where one alone is zero or not finite."""
        one, other = abs(self.one), abs(self.other)
        if one == other or (isnan(one) and isnan(other)):
            return 0.0 if self.one == self.other or isnan(one) else inf
        if not (isfinite(one) and isfinite(other)) or 0 in (one, other):
            return inf
        return abs(log(one / other))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two records have in common, and what not, in the order of the program."""

    structure: tuple[Difference, ...]
    """The first is where to look first."""
    magnitude: tuple[Figures, ...]
    """Figures of what both have, as they come in the step."""
    steps: tuple[int, int]
    """Numbers of the steps that were compared."""

    @property
    def first(self) -> Figures | None:
        """The first figure that differs at all."""
        return next((item for item in self.magnitude if item.apart > 0), None)

    @property
    def largest(self) -> Figures | None:
        """The figure that differs most."""
        differing = [item for item in self.magnitude if item.apart > 0]
        return max(differing, key=lambda item: item.apart, default=None)


def compare(one: Record, other: Record) -> Comparison | None:
    """The first differentiated step of each, side by side; None where one of them has none."""
    steps = [next((step for step in record.steps if step.differentiated), None) for record in (one, other)]
    first, second = steps
    if first is None or second is None:
        return None
    (mine, data), (theirs, other_data) = _told(first), _told(second)
    structure = (
        *_ops(mine, theirs),
        *_parameters(first, second),
        *_ops(data, other_data),
        *_events(first, second, untold=BATCHES if _frameworks(one) == _frameworks(other) else (*BATCHES, "clear")),
        *_optimizers(one, other),
    )
    pairs = [*_pairs(data, other_data), *_pairs(mine, theirs)]
    return Comparison(structure, tuple(_magnitudes(first, second, pairs)), (first.index, second.index))


def _matches(mine: list[Told], theirs: list[Told]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, [kind for kind, _ in mine], [kind for kind, _ in theirs], autojunk=False).get_opcodes()


def _pairs(mine: list[Told], theirs: list[Told]) -> list[Pair]:
    """The ops that both have."""
    equal = ((start, end, begin) for tag, start, end, begin, _ in _matches(mine, theirs) if tag == "equal")
    return [(mine[at][1], theirs[at - start + begin][1]) for start, end, begin in equal for at in range(start, end)]


def _told(step: Step) -> tuple[list[Told], list[Told]]:
    """The ops that the loss was computed from and that mean something in every framework: those that parameters shape, and those that prepare the data."""
    index = StepIndex(step)
    ops = [op for op in step.graph.ops if not index.shapes_loss.isdisjoint(op.outputs) and family(op.kind) not in UNTOLD]
    told = _folded(index, ops)
    shaped = [not index.depends_on_parameters.isdisjoint(op.outputs) for _, op in told]
    return list(compress(told, shaped)), [item for item, is_shaped in zip(told, shaped, strict=True) if not is_shaped]


def _folded(index: StepIndex, ops: list[Op]) -> list[Told]:
    """A product with a weight and its bias are one layer, and the mean of a loss over its examples is that loss."""
    kinds = {op.output: "linear" if _is_product(index, op) else op.kind for op in ops}
    parts = {op.output: part for op in ops if (part := _product_of(index, op, kinds) or _loss_of(index, op))}
    folded = set(parts.values())
    return [(kinds[parts.get(op.output, op.output)], op) for op in ops if op.output not in folded]


def _is_product(index: StepIndex, op: Op) -> bool:
    return op.kind in PRODUCTS and any(_is_parameter(index, name) for name in op.inputs)


def _is_parameter(index: StepIndex, name: str) -> bool:
    source = index.origin(name)
    return index.value(source).role == "parameter" or any(parameter.value == source for parameter in index.step.parameters)


def _product_of(index: StepIndex, op: Op, kinds: dict[str, str]) -> str | None:
    """The product that an op adds a bias to."""
    if op.kind != "add" or not any(_is_parameter(index, name) for name in op.inputs):
        return None
    return next((source for name in op.inputs if kinds.get(source := index.origin(name)) == "linear"), None)


def _loss_of(index: StepIndex, op: Op) -> str | None:
    """The loss of single examples that an op takes the mean of."""
    source = index.origin(op.inputs[0]) if op.kind == "mean" and op.inputs else ""
    return source if source in index.producer and family(index.producer[source][1].kind) == "loss" else None


def _ops(mine: list[Told], theirs: list[Told]) -> Iterator[Difference]:
    for tag, start, end, begin, stop in _matches(mine, theirs):
        if tag != "equal":
            one, other = ([op for _, op in ops] for ops in (mine[start:end], theirs[begin:stop]))
            what = "ops of the loss" if one and other else "an op of the loss that the other one has not"
            yield Difference(what, _named(one), _named(other), one[0].site if one else None, other[0].site if other else None)


def _site(part: Parameter | Event | Optimizer | None) -> Site | None:
    return part.site if part is not None else None


def _named(ops: list[Op]) -> str:
    """Their kinds with the names that the frameworks have for them; of several alike one after the other, how many."""
    names = [op.kind if op.native in ("", op.kind) else f"{op.kind} ({op.native})" for op in ops]
    told = [(name, len(list(alike))) for name, alike in groupby(names)]
    shown = [name if count == 1 else f"{count} times {name}" for name, count in told[:MOST]]
    return ", ".join([*shown, *([f"and {sum(count for _, count in told[MOST:])} more"] if told[MOST:] else [])])


def _parameters(one: Step, other: Step) -> Iterator[Difference]:
    """By name where names agree, by number and shape where they don't: a port names them otherwise."""
    mine, theirs = ({p.name: p for p in step.parameters} for step in (one, other))
    if mine.keys() & theirs.keys():
        for name in [*mine, *(name for name in theirs if name not in mine)]:
            here, there = mine.get(name), theirs.get(name)
            if _state(here) != _state(there):
                yield Difference(f"parameter `{name}`", _state(here), _state(there), _site(here), _site(there))
        return
    if _summary(one) != _summary(other):
        yield Difference("parameters", _summary(one), _summary(other))


def _state(parameter: Parameter | None) -> str:
    if parameter is None:
        return ""
    trained = "trainable" if parameter.trainable else "frozen"
    held = "held by an optimizer" if parameter.optimizer else "in no optimizer"
    return f"{trained}, {held}, gradient {parameter.gradient}"


def _summary(step: Step) -> str:
    trainable = [p for p in step.parameters if p.trainable]
    return f"{len(trainable)} trainable, {sum(p.gradient == 'finite' for p in trainable)} with a gradient"


def _frameworks(record: Record) -> set[str]:
    return {framework.name for framework in record.frameworks}


def _events(one: Step, other: Step, *, untold: tuple[str, ...]) -> Iterator[Difference]:
    """What happened between the ops, in order."""
    mine, theirs = ([event for event in step.events if event.kind not in untold] for step in (one, other))
    first, second = [str(event.kind) for event in mine], [str(event.kind) for event in theirs]
    for tag, start, end, begin, stop in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag != "equal":
            here, there = next(iter(mine[start:end]), None), next(iter(theirs[begin:stop]), None)
            told = ", ".join(first[start:end]), ", ".join(second[begin:stop])
            yield Difference("events of the step", told[0], told[1], _site(here), _site(there))
    if one.modes != other.modes and one.modes.keys() == other.modes.keys():
        yield Difference("modes", _modes(one), _modes(other))


def _modes(step: Step) -> str:
    return ", ".join(f"{name or 'the model'}: {'train' if on else 'eval'}" for name, on in step.modes.items())


def _optimizers(one: Record, other: Record) -> Iterator[Difference]:
    for mine, theirs in zip_longest(one.optimizers, other.optimizers):
        if _rated(mine).lower() != _rated(theirs).lower():
            yield Difference("optimizer", _rated(mine), _rated(theirs), _site(mine), _site(theirs))


def _rated(optimizer: Optimizer | None) -> str:
    return f"{optimizer.native}, rate {f'{optimizer.rates[0]:.6g}' if optimizer.rates else 'unknown'}" if optimizer is not None else ""


def _magnitudes(one: Step, other: Step, pairs: list[Pair]) -> Iterator[Figures]:
    for mine, theirs in pairs:
        label = one.graph.values[mine.output].called if mine.output in one.graph.values else ""
        for name, read in _FIGURES.items():
            what = f"{name} of {f'`{label}`, the ' if label else 'the '}result of `{mine.kind}`"
            yield from _both(what, read(one, mine), read(other, theirs), mine.site, theirs.site)
    for what in ("loss", "gradient_norm", "label_sensitivity"):
        yield from _both(what.replace("_", " "), getattr(one.measures, what), getattr(other.measures, what))
    theirs_by_name = {p.name: p for p in other.parameters}
    for parameter in one.parameters:
        same = theirs_by_name.get(parameter.name)
        if same is not None:
            yield from _both(f"gradient norm of `{parameter.name}`", parameter.gradient_norm, same.gradient_norm, parameter.site, same.site)


def _both(what: str, one: float | None, other: float | None, *sites: Site | None) -> Iterator[Figures]:
    """The figure, where both records have it."""
    if one is not None and other is not None:
        yield Figures(what, one, other, *sites)


def _size(step: Step, op: Op) -> float | None:
    """The root of the mean square: a norm that does not grow with the batch."""
    value = step.graph.values.get(op.output)
    figures = value.statistics if value is not None else None
    return figures.norm / sqrt(figures.count) if figures is not None and figures.norm is not None and figures.count else None


def _finite(step: Step, op: Op) -> float | None:
    value = step.graph.values.get(op.output)
    return value.statistics.finite if value is not None and value.statistics is not None else None


_FIGURES: dict[str, Callable[[Step, Op], float | None]] = {"finite share": _finite, "size": _size}
