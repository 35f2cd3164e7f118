"""Puts a step of the neutral record together from everything that was gathered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from whygrad.flow import StepIndex
from whygrad.flow.labels import find_labels
from whygrad.frontends import places
from whygrad.frontends.tensorflow import building
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.calls import Call, Happened
from whygrad.frontends.tensorflow.departures import ASSIGNING
from whygrad.frontends.tensorflow.layers import Layers, Owned
from whygrad.frontends.tensorflow.ledger import Ledger
from whygrad.frontends.tensorflow.optimizers import Optimizers
from whygrad.frontends.tensorflow.running import Running
from whygrad.frontends.tensorflow.watching import Figures, ParameterWatch
from whygrad.ir import Graph, Labels, Measures, Op, Parameter, Step, Value

SUMS = ("Sub", "AddV2", "Add")


@dataclass(slots=True)
class Assembly:
    """The sources of a step."""

    ledger: Ledger
    layers: Layers
    optimizers: Optimizers
    watch: ParameterWatch
    builder: Builder
    names: dict[int, str] = field(default_factory=dict)
    """Number of each parameter to its name, as last known."""

    def known_parameters(self) -> dict[int, Owned]:
        """Parameters of models, and trainable variables that took part."""
        found = self.layers.parameters(self.ledger.values)
        self.names |= {number: owned.name for number, owned in found.items()}
        self.watch.name(self.names)
        return found

    def build(self, index: int, running: Running, calls: list[Call], events: list[Happened]) -> Step:
        """The step under way, as the neutral record has it."""
        owned = running.seen or self.known_parameters()
        losses = tuple(dict.fromkeys(running.losses))
        about = building.Step(
            {number: item.name for number, item in owned.items()},
            self.layers.buffers(self.ledger.values),
            losses,
            frozenset(running.unfolded),
            bool(losses) and not any(self._differentiable(name) for name in losses),
            running.driver,
            running.loss_site,
        )
        part = self._part(once_entered(calls), losses, events, running, guessing=about.guessing)
        graph = self.builder.graph(part, about)
        graph = self._with_origins(graph)
        graph = Graph(graph.ops, {**graph.values, **self._loose(graph, events, owned, running, about)})
        step = Step(
            index=index,
            graph=graph,
            events=self.builder.events(events, graph.ops, part),
            parameters=self._parameters(owned, graph, running),
            scopes=self.builder.scopes(self.ledger.scopes.all),
            measures=running.measures or Measures(),
            trials=running.trials,
            updated=running.updated,
            births=running.births,
            modes=dict(running.modes),
        )
        known = tuple(name for name in running.labels if name in graph.values)
        labels = Labels(known, "framework") if known else find_labels(StepIndex(step))
        return replace(step, labels=labels)

    def _differentiable(self, name: str) -> bool:
        """A gradient can flow from a loss into recorded calls."""
        return any(name in call.outputs and any(call.watched) for call in self.ledger.calls)

    def _part(self, calls: list[Call], losses: tuple[str, ...], events: list[Happened], running: Running, *, guessing: bool) -> list[Call]:
        """Calls that a tape saw or that failed, and what they and the losses were made from."""
        needed = {*losses, *running.labels, *(name for item in events if item.kind == "batch" for name in item.targets)}
        for scope in self.ledger.scopes.all:
            needed.update(scope.arguments.values())
        kept: list[Call] = []
        asked = next((item.at for item in events if item.kind == "backward"), None)
        by_hand = asked is not None and not any(item.kind in ("update", "optimizer_step") for item in events)
        for call in reversed(calls):
            followed = any(call.watched) if call.name == "leave" else call.tracking and (any(call.watched) or not losses)
            alive = followed and call.settings.get("native") != ASSIGNING  # of those only what is read again is a part of the step
            computed = by_hand and asked is not None and call.at >= asked and self._moves(call)
            if alive or computed or call.failed or call.settings.get("edited") or not needed.isdisjoint(call.outputs):
                kept.append(call)
                needed.update(call.inputs)
                guess = call.settings.get("guess")
                needed.update((guess,) if guessing and isinstance(guess, str) else ())
        return kept[::-1]

    def _moves(self, call: Call) -> bool:
        """A sum or difference of a trained variable and something else, after its gradient: what an update by hand computes, and may throw away."""
        seen = self.ledger.values.seen.get(call.inputs[0]) if call.name in SUMS and call.inputs else None
        return seen is not None and seen.variable is not None

    def _with_origins(self, graph: Graph) -> Graph:
        """The graph with the lines at which arrays were made that became tensors inside the library."""
        made = {name for op in graph.ops for name in op.outputs}
        ops: list[Op] = []
        for name in graph.values:
            seen = self.ledger.values.seen.get(name)
            if seen is None or name in made or seen.holder is None:
                continue
            site = places.assigned_at(self.builder.sources, seen.holder[0], seen.holder[1], seen.holder[2])
            if site is not None:
                ops.append(Op("enter", (), (name,), "numpy.asarray", (), tracking=False, site=site))
        return Graph((*ops, *graph.ops), graph.values) if ops else graph

    def _loose(
        self, graph: Graph, events: Iterable[Happened], owned: Mapping[int, Owned], running: Running, about: building.Step
    ) -> dict[str, Value]:
        """Values that no op of the step reads or makes, and that something names all the same."""
        names = [name for item in events if item.kind in ("batch", "backward") for name in item.targets]
        names += [running.before.get(number) or self.ledger.values.of_variable(item.entry).name for number, item in owned.items()]
        names += [name for scope in self.ledger.scopes.all for name in scope.arguments.values()]
        names += running.labels
        missing = [name for name in dict.fromkeys(names) if name not in graph.values]
        return self.builder.all_values((), replace(about, losses=()), missing)

    def _parameters(self, owned: Mapping[int, Owned], graph: Graph, running: Running) -> tuple[Parameter, ...]:
        """Every parameter as this step found and left it."""
        read = {
            seen.variable: name for op in graph.ops for name in op.inputs if (seen := self.ledger.values.seen.get(name)) and seen.variable
        }
        held = {**self.optimizers.meant(self._without_gradient()), **self.optimizers.held(self.ledger.values)}
        return tuple(self._parameter(number, item, read, held, running.before.get(number)) for number, item in owned.items())

    def _without_gradient(self) -> frozenset[int]:
        """Variables that the tape gave no gradient for."""
        return frozenset(number for number, figures in self.watch.figures.items() if figures.gradient == "none")

    def _parameter(self, number: int, owned: Owned, read: Mapping[int, str], held: Mapping[int, str], before: str | None) -> Parameter:
        figures = self.watch.figures.get(number, Figures())
        return Parameter(
            name=owned.name,
            value=read.get(number) or before or self.ledger.values.of_variable(owned.entry).name,
            trainable=owned.trainable,
            registered=owned.registered,
            owner=owned.owner,
            library=owned.library,
            optimizer=held.get(number, ""),
            reached=number in read,
            gradient=figures.gradient,
            gradient_norm=figures.gradient_norm,
            gradient_at_update=figures.at_update,
            norm=figures.norm,
            update_norm=figures.update_norm,
            moved=figures.moved,
            symmetric=figures.symmetric,
            site=self.builder.site(owned.made),
            along=figures.along,
        )


def once_entered(calls: Iterable[Call]) -> list[Call]:
    """Without the second time that the same numbers became a tensor: one array is one value."""
    made: set[str] = set()
    kept = []
    for call in calls:
        if call.name != "enter" or made.isdisjoint(call.outputs):
            kept.append(call)
        made.update(call.outputs)
    return kept
