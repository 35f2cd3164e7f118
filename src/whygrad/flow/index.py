"""Questions about a record, answered once and shared by all rules. Pure; every answer is linear in the ops."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from heapq import merge
from itertools import compress
from operator import itemgetter
from typing import Any, Self, TypeVar

from whygrad.ir import KINDS, Event, Op, Parameter, Record, Step, Value, family

Answer = TypeVar("Answer")
Found = TypeVar("Found")


LOSSES = tuple(name for name, kind in KINDS.items() if kind.family == "loss")
"""The kinds of op that are a loss."""


class Answered:
    """What keeps the answers to questions, so that each is worked out once however many rules ask it."""

    def __init__(self) -> None:
        self._answers: dict[Callable[[Any], Any], Any] = {}

    def once(self, question: Callable[[Self], Answer]) -> Answer:
        """The answer of `question` about this."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: Answer = self._answers[question]
        return answer


class StepIndex(Answered):
    """Questions about one step."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._upstream: dict[str, frozenset[str]] = {}
        self.step = step
        self.graph = step.graph
        self.values = step.graph.values

    @cached_property
    def producer(self) -> dict[str, tuple[int, Op]]:
        """Value name to the position and op that made it. What was read before it was made has no maker, so that every way back has an end."""
        read: set[str] = set()
        found: dict[str, tuple[int, Op]] = {}
        for at, op in enumerate(self.graph.ops):
            read.update(op.inputs)
            for out in op.outputs:
                if out not in read:
                    found[out] = at, op
        return found

    @cached_property
    def consumers(self) -> dict[str, list[Op]]:
        """Value name to the ops that read it, in order."""
        found: dict[str, list[Op]] = defaultdict(list)
        for op in self.graph.ops:
            for name in op.inputs if len(op.inputs) == 1 else dict.fromkeys(op.inputs):
                found[name].append(op)
        return dict(found)

    @cached_property
    def _first_reader(self) -> dict[str, int]:
        """Value name to the position of the first op that reads it."""
        found: dict[str, int] = {}
        for at, op in enumerate(self.graph.ops):
            for name in op.inputs:
                found.setdefault(name, at)
        return found

    @cached_property
    def _last_maker(self) -> dict[str, int]:
        """Value name to the position of the last op that makes it."""
        return {name: at for at, op in enumerate(self.graph.ops) for name in op.outputs}

    @cached_property
    def carrying(self) -> tuple[tuple[bool, ...], ...]:
        """For each op, to which of its inputs a gradient can flow back."""
        return tuple([op.carrying for op in self.graph.ops])

    @cached_property
    def failed(self) -> tuple[Op, ...]:
        """The ops that raised, in order."""
        return tuple([op for op in self.graph.ops if op.failed])

    @cached_property
    def by_kind(self) -> dict[str, list[tuple[int, Op]]]:
        """Kind to the ops of that kind with their positions, in order."""
        found: dict[str, list[tuple[int, Op]]] = defaultdict(list)
        for at, op in enumerate(self.graph.ops):
            found[op.kind].append((at, op))
        return dict(found)

    def of(self, *kinds: str) -> Iterator[Op]:
        """The ops of these kinds, in order."""
        here = [self.by_kind[kind] for kind in kinds if kind in self.by_kind]
        return (op for _, op in (here[0] if len(here) == 1 else merge(*here, key=itemgetter(0))))

    @cached_property
    def readers_of_parameters(self) -> tuple[Op, ...]:
        """Ops that read a parameter, in order."""
        held = set(self.parameter_of)
        return tuple([op for op in self.graph.ops if not held.isdisjoint(op.inputs)])

    @cached_property
    def parameter_of(self) -> dict[str, Parameter]:
        """Value name to the parameter whose value it is."""
        return {parameter.value: parameter for parameter in self.step.parameters}

    @cached_property
    def losses(self) -> tuple[str, ...]:
        """What was differentiated; if nothing was, what the program computed last that looks like a loss."""
        return self.step.differentiated or tuple(name for name, value in self.values.items() if value.role == "loss")

    @cached_property
    def shapes_loss(self) -> frozenset[str]:
        """Every value that the loss was computed from, through cuts and trips out of the framework too."""
        found = set(self.losses)
        for op in self._back(found):
            if not found.isdisjoint(op.outputs):
                found.update(op.inputs)
        return frozenset(found)

    @cached_property
    def gets_gradient(self) -> frozenset[str]:
        """Every value that a gradient of the loss can flow back to."""
        found = {name for name in self.losses if self.values[name].differentiable or name not in self.producer}
        found |= {name for name in self.losses if name in self.producer and any(self.producer[name][1].carrying)}
        for op, carrying in zip(reversed(self.graph.ops), reversed(self.carrying), strict=True):
            if not found.isdisjoint(op.outputs):
                found.update(op.inputs if all(carrying) else compress(op.inputs, carrying))
        return frozenset(found)

    @cached_property
    def differentiable(self) -> frozenset[str]:
        """Every value from which a gradient would flow back to some trainable parameter, the parameters included."""
        found = {p.value for p in self.step.parameters if p.trainable}
        for op, carrying in zip(self.graph.ops, self.carrying, strict=True):
            if not found.isdisjoint(op.inputs) and not found.isdisjoint(compress(op.inputs, carrying)):
                found.update(op.outputs)
        return frozenset(found)

    @cached_property
    def depends_on_parameters(self) -> frozenset[str]:
        """Every value computed from a trainable parameter, through cuts too."""
        return self.downstream(p.value for p in self.step.parameters if p.trainable)

    @cached_property
    def from_labels(self) -> frozenset[str]:
        """Every value computed from a label, the labels included, but not by way of a model's input; what the step's own parameters made is no label."""
        found = {name for name in self.step.labels.values if name not in self.depends_on_parameters}
        made = self.made_from_labels
        for op in self._on(found):
            if not found.isdisjoint(op.inputs):
                found.update(name for name in op.outputs if name not in made)
        return frozenset(found)

    @cached_property
    def towards_labels(self) -> frozenset[str]:
        """Every value that labels enter, or that is combined with something made of them further on."""
        found = set(self.from_labels)
        for op in self._back(found):
            if not found.isdisjoint(op.outputs):
                found.update(op.inputs)
        return frozenset(found)

    @cached_property
    def labels_reach_loss(self) -> bool:
        """Some label is read on the way to the loss, and not only by what makes a model's input."""
        if self.made_from_labels:
            return not self.from_labels.isdisjoint(self.losses)
        return not self.from_labels.isdisjoint(self.shapes_loss)

    @cached_property
    def made_from_labels(self) -> frozenset[str]:
        """The model's inputs that the program computed from its labels, as in `x = glyphs[y] + noise`. None, where labels came beside their inputs."""
        labels = self.step.labels.values
        met = self.meeting_parameters
        return (self.downstream(tuple(labels)) - frozenset(labels)) & met if met.isdisjoint(labels) else frozenset()

    @cached_property
    def meeting_parameters(self) -> frozenset[str]:
        """Data that an op reads together with a parameter: the inputs of models."""
        trained = self.depends_on_parameters | self.parameter_of.keys()
        return frozenset(name for op in self.readers_of_parameters for name in op.inputs if name not in trained)

    @cached_property
    def from_data(self) -> frozenset[str]:
        """Every value computed from the batch: from inputs, labels and what a loader handed out."""
        given = {name for name, value in self.values.items() if value.role in ("input", "label")}
        given.update(name for event in self.events("batch") for name in event.targets)
        return self.downstream(frozenset(given)) | self.from_labels

    def upstream(self, name: str) -> frozenset[str]:
        """Every value that `name` was computed from, itself included."""
        if name not in self._upstream:
            found = {name}
            for op in self._back(found):
                if not found.isdisjoint(op.outputs):
                    found.update(op.inputs)
            self._upstream[name] = frozenset(found)
        return self._upstream[name]

    def downstream(self, names: Iterable[str]) -> frozenset[str]:
        """Every value computed from one of `names`, themselves included."""
        found = set(names)
        for op in self._on(found):
            if not found.isdisjoint(op.inputs):
                found.update(op.outputs)
        return frozenset(found)

    def _on(self, names: Iterable[str]) -> tuple[Op, ...]:
        """The ops from the first on that reads one of these values: nothing before it is made of them."""
        return self.graph.ops[
            min((self._first_reader[name] for name in names if name in self._first_reader), default=len(self.graph.ops)) :
        ]

    def _back(self, names: Iterable[str]) -> Iterator[Op]:
        """The ops backwards, from the last that makes one of these values: nothing behind it has a part in them."""
        last = max((self._last_maker[name] for name in names if name in self._last_maker), default=-1)
        return reversed(self.graph.ops[: last + 1])

    def origin(self, name: str, families: tuple[str, ...] = ("layout", "cast")) -> str:
        """The value that `name` is a mere rearrangement of: follows first inputs back through ops of these families."""
        while name in self.producer:
            op = self.producer[name][1]
            if family(op.kind) not in families or not op.inputs:
                return name
            name = op.inputs[0]
        return name

    def value(self, name: str) -> Value:
        """The value called `name`; an unknown one is described by its name alone."""
        return self.values.get(name) or Value(name)

    def events(self, *kinds: str) -> Iterator[Event]:
        """The step's events of these kinds, in order."""
        return (event for event in self.step.events if event.kind in kinds)

    @cached_property
    def _loss_ops(self) -> tuple[Op, ...]:
        return tuple(op for op in self.of(*LOSSES) if op.failed or not self.shapes_loss.isdisjoint(op.outputs))

    def loss_ops(self) -> Iterator[Op]:
        """Ops of the loss family that the loss was computed from (or that raised)."""
        return iter(self._loss_ops)


class Index(Answered):
    """Questions about the whole record."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record
        self.steps = tuple(StepIndex(step) for step in record.steps)

    @cached_property
    def kinds(self) -> dict[int, tuple[StepIndex, ...]]:
        """Kind of step to its recorded steps."""
        found: dict[int, tuple[StepIndex, ...]] = {}
        for step in self.steps:
            found[step.step.kind] = (*found.get(step.step.kind, ()), step)
        return found

    def lasting(self, find: Callable[[StepIndex], Iterable[Found]], place: Callable[[Found], object]) -> Iterator[Found]:
        """What is found at one and the same place in every recorded step of a kind that has a loss, as the first of them shows it."""
        for steps in self.kinds.values():
            each = [tuple(find(step)) for step in steps if step.losses]
            places = [{place(found) for found in group} for group in each]
            yield from (found for found in (each[0] if each else ()) if all(place(found) in here for here in places))

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Parameter name to its state in the last step that lists it."""
        return {parameter.name: parameter for step in self.steps for parameter in step.step.parameters}

    @cached_property
    def with_gradient(self) -> frozenset[str]:
        """Parameters that had a gradient in some step, zero or not."""
        return frozenset(p.name for s in self.steps for p in s.step.parameters if p.gradient != "none")

    @cached_property
    def reached(self) -> frozenset[str]:
        """Parameters that some forward read, or another op but one that takes a copy of their numbers."""
        return frozenset(p.name for s in self.steps for p in s.step.parameters if _reads(s, p))

    @cached_property
    def held(self) -> frozenset[str]:
        """Parameters that some optimizer holds."""
        return frozenset(name for optimizer in self.record.optimizers for group in optimizer.groups for name in group.parameters)


def _reads(step: StepIndex, parameter: Parameter) -> bool:
    """The parameter takes part in what the step reckons: not so where it is only detached, and what is copied so stays out of the loss, as for a print of how far it moved."""
    readers = step.consumers.get(parameter.value, ())
    if readers and all(op.kind == "detach" for op in readers):
        return not step.shapes_loss.isdisjoint(name for op in readers for name in op.outputs)
    return parameter.reached or bool(readers)
