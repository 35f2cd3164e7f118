"""Puts a step of the neutral record together from the programs of its derivatives."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.flow import StepIndex
from whygrad.flow.labels import find_labels
from whygrad.frontends import source
from whygrad.frontends.arrays import norm, numbers, sample_of, wide
from whygrad.frontends.jax.building import Builder, Facts
from whygrad.frontends.jax.derivations import Derivation
from whygrad.frontends.jax.evaluation import Engine, deleted
from whygrad.frontends.jax.programs import Program
from whygrad.frontends.jax.scopes import Activations
from whygrad.frontends.jax.surroundings import Around
from whygrad.garbage import uncollected
from whygrad.ir import Attribute, Event, Graph, Parameter, Scope, Step, Value
from whygrad.ir.steps import GradientState

SNAPSHOT = 65_536
"""Entries of a parameter that are kept to measure its update: whole for small ones, an even sample of large ones."""
MOST_PARTS = 8
"""Arrays that a batch may consist of: larger trees are states."""
DIGESTED = 1_000_000
"""Entries up to which an array is recognised by its contents."""


@dataclass(slots=True)
class Part:
    """One derivative of a step, with every value that is known and its gradients."""

    program: Program
    arrays: dict[int, Any]
    activations: Activations
    gradients: Mapping[str, Any]
    loss: Any = None
    engine: Engine | None = None
    """The program, compiled already."""
    before: Around = field(default_factory=Around)
    turned: Mapping[str, Any] = field(default_factory=dict)
    """Within a loop that JAX compiles: what one turn makes of the parameters."""
    given: Mapping[int, Any] = field(default_factory=dict)
    """Of a derivative that raised while it was traced: arrays that stood for its parameters."""


@dataclass(slots=True)
class Snapshot:
    """One parameter as the step found it."""

    sample: Any
    norm: float
    count: int


@dataclass(slots=True)
class Built:
    """A step before its update, and what is needed to finish it."""

    step: Step
    parts: list[Part]
    facts: list[Facts]
    snapshots: dict[str, Snapshot] = field(default_factory=dict)


class Names:
    """Names of values: the same array under the same path keeps its name from step to step."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def of(self, path: str, array: Any) -> str:
        """The name of an argument's value."""
        key = (path, digest(array))
        return self._known.setdefault(key, f"t{len(self._known)}")


def digest(array: Any) -> str:
    """The contents of an array in short; its identity for large ones."""
    if array is None or deleted(array):
        return ""
    if np.size(array) > DIGESTED:
        return str(id(array))
    found = numbers(array)
    return hashlib.blake2b(found.tobytes(), digest_size=8).hexdigest() if found is not None else str(id(array))


class Assembly:
    """Builds steps."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.names = Names()
        self.freezers: dict[str, source.Trace] = {}
        """Parameter name to where the program froze it, as far as that is known."""
        self.makers: dict[str, source.Trace | None] = {}
        """Parameter name to where it was made, as the first step that has it found it."""

    def build(self, index: int, parts: Sequence[Part], before: Sequence[Event] = ()) -> Built:
        """The step, as it is before its update; `before` happened ahead of it."""
        with uncollected():
            return self._built(index, parts, before)

    def _built(self, index: int, parts: Sequence[Part], before: Sequence[Event]) -> Built:
        graph, facts = Graph(), list[Facts]()
        events, parameters, scopes = list(before), dict[str, Parameter](), list[Scope]()
        snapshots: dict[str, Snapshot] = {}
        for at, part in enumerate(parts):
            known = self.facts(index, at, part)
            facts.append(known)
            own = self._graph(part, known)
            records = part.activations.records(known.names, self.builder.sources, self.builder.site)
            own = _shifted(own, len(scopes))
            scopes += [replace(item, parent=None if item.parent is None else item.parent + len(scopes)) for item in records]
            graph = Graph((*graph.ops, *own.ops), {**own.values, **graph.values}) if at else own
            events += self._events(part, known, len(graph.ops))
            found = self._parameters(part, known, own, snapshots)
            parameters.update({item.name: item for item in found if item.reached or item.name not in parameters})
        step = Step(
            index, graph=graph, events=tuple(events), parameters=tuple(parameters.values()), scopes=tuple(scopes), modes=modes(graph)
        )
        step = replace(step, labels=find_labels(StepIndex(step)))
        return Built(step, list(parts), facts, snapshots)

    def with_after(self, built: Built, after: Around, gradients: Mapping[int, str]) -> Built:
        """The step with what was computed from its parameters and gradients after its derivative."""
        if not after.bounds:
            return built
        facts, step = built.facts[-1], built.step
        facts.arrays.update(after.arrays)
        facts.types.update(after.types)
        for number, name in gradients.items():
            facts.roles[number], facts.called[number] = "gradient", f"gradient of {name}"
        every = {number for bound in after.bounds for number in (*bound.outputs, *(i for i in bound.inputs if isinstance(i, int)))}
        for number in sorted(every):
            facts.names.setdefault(number, f"s{step.index}a{abs(number)}" + ("g" if number in gradients else ""))
        more = self.builder.graph(after.bounds, facts, [])
        built.step = replace(step, graph=Graph((*step.graph.ops, *more.ops), {**more.values, **step.graph.values}))
        return built

    def facts(self, index: int, at: int, part: Part) -> Facts:
        """What is known of the values of one derivative."""
        derivation = part.program.derivation
        arrays, types = {**part.before.arrays, **part.arrays}, {**part.before.types, **part.program.types}
        facts = Facts(arrays=arrays, types=types, moving=set(part.program.moving))
        facts.closed_over = {*part.program.external()} - {argument.number for argument in derivation.arguments}
        facts.given = {*(argument.number for argument in derivation.arguments), *facts.closed_over}
        facts.called.update({number: name for number, name in derivation.numbers.called.items() if name})
        facts.called.update(part.activations.names())
        for argument in derivation.arguments:
            if argument.differentiated or argument.number not in facts.called:
                facts.called[argument.number] = argument.path
            array = part.arrays.get(argument.number)
            if argument.differentiated or argument.frozen:
                facts.roles[argument.number] = "parameter"
            elif argument.state:
                facts.roles[argument.number] = "buffer"
            facts.names[argument.number] = self.names.of(argument.path, array)
        if derivation.loss is not None:
            facts.called.setdefault(derivation.loss, "loss")
        every = {
            number
            for bound in (*part.before.bounds, *part.program.bounds)
            for number in (*bound.outputs, *(i for i in bound.inputs if isinstance(i, int)))
        }
        every |= {number for item in part.activations.all for number in item.arguments.values()}
        every |= {derivation.loss} if derivation.loss is not None else set()
        for number in part.program.external():
            if number in part.arrays and number not in facts.names:
                facts.names[number] = self.names.of(f"~{number}", part.arrays[number])
        for number in sorted(every):
            facts.names.setdefault(number, f"s{index}p{at}v{number}" if number >= 0 else f"o{-number}")
        return facts

    def _graph(self, part: Part, facts: Facts) -> Graph:
        derivation = part.program.derivation
        losses = [derivation.loss] if derivation.loss is not None else []
        graph = self.builder.graph([*part.before.bounds, *part.program.bounds], facts, losses)
        loose: dict[str, Value] = {}
        wanted = [argument.number for argument in derivation.arguments]
        wanted += [number for item in part.activations.all for number in item.arguments.values()]
        for number in wanted:
            name = facts.names[number]
            if name not in graph.values and name not in loose:
                loose[name] = self.builder.value(name, number, facts, live=number in facts.moving)
        return Graph(graph.ops, {**graph.values, **loose})

    def _events(self, part: Part, facts: Facts, at: int) -> list[Event]:
        derivation = part.program.derivation
        site = self.builder.site(derivation.trace)
        batch = tuple(facts.names[number] for number in batch_of(part))
        found = [*self._freezes(derivation), *([Event("batch", 0, batch)] if batch else [])]
        if derivation.loss is not None:
            told: dict[str, Attribute] = {"failed": True} if derivation.failed is not None else {}
            told |= (
                {} if derivation.parameters or derivation.frozen else {"asked": 0, "plain": derivation.plain, "put_at": derivation.put_at}
            )
            found.append(Event("backward", at, (facts.names[derivation.loss],), site, told))
        return found

    def _freezes(self, derivation: Derivation) -> Iterator[Event]:
        """Where the program froze parameters, each place once."""
        sites = {argument.path: self.builder.site(self.freezers.get(argument.path)) for argument in derivation.frozen}
        for site in dict.fromkeys(site for site in sites.values() if site is not None):
            yield Event("freeze", 0, tuple(path for path, own in sites.items() if own == site), site)

    def _parameters(self, part: Part, facts: Facts, graph: Graph, snapshots: dict[str, Snapshot]) -> list[Parameter]:
        read = {name for op in graph.ops for name in op.inputs}
        own = {facts.names[argument.number] for argument in part.program.derivation.parameters}
        found = []
        for argument in part.program.derivation.parameters:
            array = part.arrays.get(argument.number)
            gradient = part.gradients.get(argument.path)
            reached = facts.names[argument.number] in read
            size = norm([gradient]) if gradient is not None else None
            # JAX fills in zeros for what the function never reads; where it reads none of them, it reads others in their place
            size = size if reached or size != 0 or read.isdisjoint(own) else None
            if array is not None:
                snapshots[argument.path] = snapshot(array)
            found.append(
                Parameter(
                    name=argument.path,
                    value=facts.names[argument.number],
                    site=self.builder.site(self.makers.get(argument.path)),
                    reached=reached,
                    gradient=gradient_state(size),
                    gradient_norm=size,
                    norm=snapshots[argument.path].norm if array is not None else None,
                    symmetric=symmetric(array, gradient),
                )
            )
        return [*found, *self._frozen(part, facts, read)]

    def _frozen(self, part: Part, facts: Facts, read: set[str]) -> Iterator[Parameter]:
        """What the program keeps as it is."""
        for argument in part.program.derivation.frozen:
            name, array, site = (
                facts.names[argument.number],
                part.arrays.get(argument.number),
                self.builder.site(self.makers.get(argument.path)),
            )
            size = norm([array]) if array is not None else None
            yield Parameter(name=argument.path, value=name, site=site, reached=name in read, gradient="none", trainable=False, norm=size)


def modes(graph: Graph) -> dict[str, bool]:
    """Each batch normalisation to whether it runs on the batch's own statistics; dropouts that drop."""
    found = {op.module: op.attributes.get("training") for op in graph.ops if op.kind == "batch_norm" and op.module}
    found |= {op.module: True for op in graph.ops if op.kind == "dropout" and op.module}
    return {name: on for name, on in found.items() if isinstance(on, bool)}


def _shifted(graph: Graph, scopes: int) -> Graph:
    if not scopes:
        return graph
    ops = tuple(replace(op, scope=op.scope + scopes) if op.scope is not None else op for op in graph.ops)
    return Graph(ops, graph.values)


def batch_of(part: Part) -> list[int]:
    """The data that the step's functions were given: arrays with rows that nothing made, that are not differentiated and hold no random key."""
    derivation = part.program.derivation
    moving, made = set(part.program.moving), set(part.program.made())
    found = {argument.number: argument.root for argument in derivation.arguments if not argument.state}
    for item in part.activations.all:
        # what a function around a loop was given is not what one of its turns is given
        known = {name: number for name, number in item.arguments.items() if number in part.arrays or derivation.failed is not None}
        found.update({number: name.partition("[")[0] for name, number in known.items() if number not in found})
    parts = Counter(found.values())
    own = {root for number, root in found.items() if number in moving}
    return [
        number
        for number, root in found.items()
        if root not in own and parts[root] <= MOST_PARTS and number not in made and _has_rows(part, number)
    ]


def _has_rows(part: Part, number: int) -> bool:
    kind = part.arrays.get(number, part.program.types.get(number))
    shape, dtype = tuple(getattr(kind, "shape", ())), str(getattr(kind, "dtype", ""))
    return bool(shape) and shape[0] > 1 and not (dtype == "uint32" and shape[-1] == 2) and "key<" not in dtype  # noqa: PLR2004 - a random key of two words


def snapshot(array: Any) -> Snapshot:
    """What is kept of a parameter: the program may hand its memory on."""
    found = np.asarray(array)
    sample = np.array(sample_of(found, SNAPSHOT), copy=True)
    return Snapshot(sample, (norm([sample]) or 0.0) * (found.size / max(1, sample.size)) ** 0.5, found.size)


def gradient_state(size: float | None) -> GradientState:
    """Whether there is a gradient, and of what sort, from its norm."""
    if size is None:
        return "none"
    if not np.isfinite(size):
        return "non-finite"
    return "zero" if size == 0 else "finite"


def symmetric(array: Any, gradient: Any) -> bool:
    """All columns are equal, and those of the gradient are as well: units that start equal stay equal. So do whole layers in a stack of them."""
    if array is None or gradient is None or np.ndim(array) < 2:  # noqa: PLR2004 - rows and columns
        return False
    values, slopes = np.asarray(array), np.asarray(gradient)
    columns = values.shape[-1] > 1 and _alike(values, values[..., :1]) and _alike(slopes, slopes[..., :1])
    stacked = values.ndim > 2 and len(values) > 1  # noqa: PLR2004 - a stack of matrices
    return columns or (stacked and _alike(values, values[:1]) and _alike(slopes, slopes[:1]))


def _alike(every: NDArray[Any], first: NDArray[Any]) -> bool:
    return bool((every == first).all())


AGREE = 0.02
"""Share by which the factors of several parameters may differ and be one learning rate: rounding stays below."""


def factor(before: Snapshot, after: Any, gradient: Any) -> float | None:
    """What a parameter was moved by, as a multiple of its gradient; None where it is none."""
    if deleted(after) or gradient is None or deleted(gradient):
        return None
    now, slope = sample_of(np.asarray(after), SNAPSHOT), sample_of(np.asarray(gradient), SNAPSHOT)
    if now.shape != before.sample.shape or now.shape != slope.shape:
        return None
    delta, along = wide(before.sample) - wide(now), wide(slope)
    square = float((along * along).sum())
    if not np.isfinite(square) or square == 0:
        return None
    rate = float((delta * along).sum()) / square
    rest = float(np.linalg.norm(delta - rate * along))
    return rate if rest <= AGREE * float(np.linalg.norm(delta)) else None


def rounded(before: Snapshot | None, after: Any, gradient: Any) -> float | None:
    """Of the entries with a gradient, the share that an update left as they were; None where that is not known."""
    if before is None or after is None or gradient is None or deleted(after) or deleted(gradient):
        return None
    now, slope = sample_of(np.asarray(after), SNAPSHOT), sample_of(np.asarray(gradient), SNAPSHOT)
    asked = slope != 0
    return float((now == before.sample)[asked].mean()) if now.shape == before.sample.shape == slope.shape and asked.any() else None


def compared(before: Snapshot, after: Any) -> tuple[float, float] | None:
    """How far a parameter moved, and the share of its entries that did; None where shapes differ or it is gone."""
    if after is None or deleted(after):
        return None
    found = np.asarray(after)
    now = sample_of(found, SNAPSHOT)
    if now.shape != before.sample.shape:
        return None
    way = wide(now) - wide(before.sample)
    scale = (before.count / max(1, now.size)) ** 0.5
    return float(np.linalg.norm(way)) * scale, float((now != before.sample).mean()) if now.size else 0.0
