"""Puts a step of the neutral record together from everything that was gathered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from whygrad.flow import StepIndex
from whygrad.flow.attended import marks
from whygrad.flow.labels import find_labels
from whygrad.frontends import source
from whygrad.frontends.torch.activations import Activations
from whygrad.frontends.torch.calls import Call, Happened
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.lowering import dtype_name
from whygrad.frontends.torch.modules import Modules, Owned
from whygrad.frontends.torch.optimizers import Optimizers
from whygrad.frontends.torch.running import Running
from whygrad.frontends.torch.steps import Alone, Builder, kept, leaves
from whygrad.frontends.torch.watching import Figures, ParameterWatch
from whygrad.ir import Graph, Measures, Op, Parameter, Step, Value, family

DEPTH = 6
"""Ops behind a label that are followed to what it was calculated from."""
_SUMS = frozenset(("add", "sub", "mul", "div"))


@dataclass(slots=True)
class Assembly:
    """The sources of a step."""

    ledger: Ledger
    modules: Modules
    optimizers: Optimizers
    activations: Activations
    watch: ParameterWatch
    builder: Builder
    names: dict[int, str] = field(default_factory=dict)
    """Id of each parameter to its name, as last known."""
    asked: set[int] = field(default_factory=set)
    """Object numbers of tensors that a transform of functions differentiates by: the model is a function of these."""

    def known_parameters(self) -> dict[int, Owned]:
        """Parameters of models, what optimizers hold, and leaves of models without modules."""
        found = {key: owned for key, owned in self.modules.parameters().items() if not is_lazy(owned.tensor)}
        held, of_models = self.optimizers.held(), frozenset(found)
        named, modular = self.ledger.names, bool(found)
        alone = Alone(self.ledger.calls)
        for number, tensor in leaves(self.ledger.calls).items():
            asked = number in self.asked and not held  # beside an optimizer it is a derivative by data: a force, a slope
            plain = asked or id(tensor) in held or isinstance(tensor, nn.Parameter) or not modular
            if id(tensor) not in found and plain and number not in self.activations.batch_paths:
                name = alone.named(number, self.watch.of_model(tensor) or named.get(number, f"parameter {number}"))
                found[id(tensor)] = Owned(name, tensor, id(tensor) in held or not modular, "", False, "")
        self.names |= {key: owned.name for key, owned in found.items()}
        self.watch.name(self.names, of_models)
        return found

    def parameter_tensors(self, running: Running) -> list[Tensor]:
        """The parameters as last known; gathered anew at each backward."""
        known = (owned.tensor for owned in (running.seen or self.known_parameters()).values())
        return [tensor for tensor in known if not tensor.is_meta]  # without memory there is nothing to measure

    def build(self, index: int, running: Running, calls: list[Call], events: list[Happened]) -> Step:
        """The step under way, as the neutral record has it, from these of its calls and events."""
        owned = running.seen or self.known_parameters()
        self.modules.settle(owned.values())
        numbers = {self.ledger.identity.meet(item.tensor).number: item.name for item in owned.values()}
        self.builder.defaults = self.activations.default_names()
        losses = set(running.losses)
        graph = self.builder.graph(calls, numbers, losses, guess_returns=not self._differentiable(losses))
        named = self._events(events, numbers, graph)
        graph = Graph(graph.ops, {**graph.values, **self._loose(graph, named, list(owned.values()), numbers, losses)})
        step = Step(
            index=index,
            graph=graph,
            events=self.builder.events(named, kept(calls, numbers)),
            parameters=self._parameters(list(owned.values()), graph, losses),
            scopes=self.builder.scopes(self.activations.all),
            measures=running.measures or Measures(),
            trials=running.trials,
            updated=running.updated,
            births=running.births,
            modes=running.modes,
        )
        step = replace(step, labels=find_labels(StepIndex(step), making=True))
        return replace(step, graph=self._with_label_figures(step, numbers, losses))

    def _with_label_figures(self, step: Step, numbers: Mapping[int, str], losses: set[str]) -> Graph:
        """The graph with figures of the labels, and of the marks that an attention reads, where no differentiable call read them as they are: ids before `one_hot`, say."""
        values = step.graph.values
        makers = {name: op for op in step.graph.ops for name in op.outputs}
        attention = next((op for op in step.graph.ops if op.kind == "attention"), None)
        wanted = (*step.labels.values, *(made for name in step.labels.values for made in _differences(name, makers)))
        wanted += tuple(marks(values, makers, attention)) if attention is not None and step.labels.values else ()
        missing = [name for name in dict.fromkeys(wanted) if name in values and values[name].statistics is None]
        self.ledger.measure(missing)
        measured = {name: self.builder.value(name, makers.get(name), numbers, losses) for name in missing}
        return Graph(step.graph.ops, {**values, **measured}) if missing else step.graph

    def _differentiable(self, losses: set[str]) -> bool:
        """Whether a gradient can flow from any of the losses into recorded calls."""
        return any(
            (seen := self.ledger.values.get(name)) is not None and seen.differentiable and self.ledger.producer(name) is not None
            for name in losses
        )

    def _loose(
        self, graph: Graph, events: list[Happened], owned: list[Owned], numbers: Mapping[int, str], losses: set[str]
    ) -> dict[str, Value]:
        """Values that no op of the step reads or makes, and that something names all the same."""
        names = [name for item in events if item.kind in ("batch", "backward") for name in item.targets]
        names += [self.ledger.identity.meet(item.tensor).name for item in owned]
        names += [name for scope in self.activations.all for name in scope.arguments.values()]
        missing = [name for name in dict.fromkeys(names) if name not in graph.values]
        self.ledger.measure(missing)
        unread = {self.ledger.identity.meet(item.tensor).name: item for item in owned}
        plain = {name: _unread(name, unread[name]) for name in missing if name in unread and name not in self.ledger.values}
        return {name: self.builder.value(name, None, numbers, losses) for name in missing} | plain

    def _events(self, events: list[Happened], numbers: Mapping[int, str], graph: Graph) -> list[Happened]:
        found = []
        for item in events:
            marked = tuple(name for target in item.targets if (name := f"t{target}") in graph.values and target not in numbers)
            if item.kind == "unfreeze" and marked:
                found.append(Happened("marked", item.at, marked, item.trace, item.attributes))
            targets = tuple(numbers.get(target, "") if isinstance(target, int) else target for target in item.targets)
            kept = tuple(name for name in targets if name)
            if kept or item.kind not in ("freeze", "unfreeze", "clear", "update"):
                found.append(Happened(item.kind, item.at, kept, item.trace, item.attributes))
        return found

    def _parameters(self, owned: list[Owned], graph: Graph, losses: set[str]) -> tuple[Parameter, ...]:
        """Every parameter as this step found and left it."""
        numbers = {f"t{self.ledger.identity.meet(item.tensor).number}" for item in owned}
        read = _versions_read(graph.ops, numbers) | _versions_read(_shaping(graph.ops, losses), numbers)
        held, places = self.optimizers.held(), self.modules.places()
        first: dict[str, source.Trace | None] = {}
        for call in reversed(self.ledger.calls):
            first.update((name.partition(".")[0], call.trace) for name in (*(slot.value for slot in call.slots), *call.made))
        bare = self.modules.bare(self.builder.sources)
        found = (self._parameter(item, read, held, places, first) for item in owned)
        return tuple(replace(one, site=bare.get(id(item.tensor), one.site)) for one, item in zip(found, owned, strict=True))

    def _parameter(
        self,
        owned: Owned,
        read: Mapping[str, str],
        held: Mapping[int, str],
        places: Mapping[int, source.Trace],
        first: Mapping[str, source.Trace | None],
    ) -> Parameter:
        entry, key = self.ledger.identity.meet(owned.tensor), id(owned.tensor)
        base = f"t{entry.number}"
        figures = self.watch.figures.get(key, Figures())
        return Parameter(
            name=owned.name,
            value=read.get(base, entry.name),
            trainable=owned.tensor.requires_grad,
            registered=owned.registered,
            owner=owned.owner,
            library=owned.library,
            loaded=key in self.modules.loadings.taken,
            optimizer=held.get(key, ""),
            reached=base in read,
            gradient=figures.gradient,
            gradient_norm=figures.gradient_norm,
            gradient_at_update=figures.at_update,
            norm=figures.norm,
            update_norm=figures.update_norm,
            moved=figures.moved,
            rounded=figures.rounded,
            symmetric=figures.symmetric,
            unwritten=figures.unwritten,
            site=self.builder.site(places.get(key) or first.get(base)),
        )


def _shaping(ops: Sequence[Op], losses: set[str]) -> list[Op]:
    """The ops that the losses were computed by, in order: an average of weights that follows the update reads newer versions of the parameters."""
    found, shaping = set(losses), []
    for op in reversed(ops):
        if not found.isdisjoint(op.outputs):
            found.update(op.inputs)
            shaping.append(op)
    return shaping[::-1]


def _versions_read(ops: Sequence[Op], numbers: set[str]) -> dict[str, str]:
    """The last version of each of these tensors that an op reads."""
    return {
        base: name for op in ops if not op.attributes.get("inplace") for name in op.inputs if (base := name.partition(".")[0]) in numbers
    }


def _differences(name: str, makers: Mapping[str, Op]) -> list[str]:
    """What labels are a difference or sum of, back to the data that it was picked from: the sizes there say what was rounded off."""
    found: list[str] = []
    kinds: set[str] = set()
    for _ in range(DEPTH):
        op = makers.get(name)
        if op is None or not op.inputs or not (op.kind in _SUMS or family(op.kind) in ("layout", "cast", "select")):
            break
        kinds.add(op.kind)
        found.extend(op.inputs)
        name = op.inputs[0]
    return found if kinds & {"add", "sub"} else []


def _unread(name: str, owned: Owned) -> Value:
    """A parameter that no recorded call has read."""
    return Value(name, "parameter", dtype_name(owned.tensor.dtype), tuple(owned.tensor.shape), None, owned.name, owned.tensor.requires_grad)
