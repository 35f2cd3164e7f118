"""The exceptions that ended steps, and what was carried into a step from an earlier one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from whygrad.diagnosis import Fact
from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Event, Op, Site, Value

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NODE = re.compile(r"^\{\{[^}]*\}\} *")
_NUMBERS = re.compile(r"(Received: |x=)\[+(?:array\(\[*)?[-\d. ]{4,}.*")
_QUOTED = re.compile(r"(for input )(?:\[|Tensor\().*")
_PREFACES = (
    "Exception encountered when calling",
    "Graph execution error",
    "Detected at node",
    "File ",
    "Stack trace",
    "In call to configurable",
)
_CONVERTED = "in user code:"
"""Begins what is raised in a function that TensorFlow has rewritten: places follow, and the complaint comes last."""
_QUOTING = "Error encountered:"
"""Ends the line behind which Keras quotes what a layer raised as it was looked at."""
_SIZE = re.compile(r"\bNone\b|\d+")


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that ended the program, with the recorded step that it ended."""

    type: str
    message: str
    step: StepIndex | None = None
    """None where that step was not recorded."""
    site: Site | None = None
    """The line of the user's that raised."""
    about: str = ""
    """What was found that it is about, by its name."""
    made: Site | None = None
    """Where that was made."""


def failures(index: Index) -> tuple[Failure, ...]:
    """Every exception once, in order."""
    found: dict[tuple[str, str], Failure] = {}
    for step in index.steps:
        for event in step.events("exception"):
            failure = _failure(index, event, step)
            found.setdefault((failure.type, failure.message), failure)
    raised = index.record.outcome.exception
    if raised is not None:
        last = index.steps[-1] if index.steps and _ended_in(index, index.steps[-1]) else None
        told = [key for key, failure in found.items() if failure.step is last and key[0] == raised.type and _alike(key[1], raised.message)]
        if told:
            known = found[told[-1]]
            # a message that quotes all numbers is cut before it comes to the point
            message = raised.message if _QUOTED.search(gist(known.message)) else known.message
            found[told[-1]] = replace(known, message=message, site=known.site or raised.site)
        else:
            found[raised.type, raised.message] = Failure(raised.type, raised.message, last, raised.site, raised.about, raised.made)
    return tuple(found.values())


def gist(message: str) -> str:
    """The line of a message that says what was wrong, without the numbers of an array that it may quote.

    Keras puts the layer that was called in front of it, and colours it; TensorFlow the node of a graph, and where it was made, or the places in what it has rewritten.
    """
    lines = [line.strip() for line in _COLOUR.sub("", message).splitlines() if line.strip()]
    last = lines[-1:] if lines and lines[0].startswith(_CONVERTED) else []
    behind = [after for line, after in pairwise(lines) if line.endswith(_QUOTING)]
    found = next((line for line in (*last, *behind, *lines) if not line.startswith(_PREFACES)), lines[0] if lines else "")
    return _NUMBERS.sub(r"\1…", _NODE.sub("", found))


def _alike(one: str, other: str) -> bool:
    """The same complaint: a step that is looked at before it is compiled knows numbers, and sizes that the compiled one calls None."""
    return _SIZE.sub("#", _QUOTED.sub(r"\1", gist(one))) == _SIZE.sub("#", _QUOTED.sub(r"\1", gist(other)))


def _failure(index: Index, event: Event, step: StepIndex) -> Failure:
    raised = index.record.outcome.exception
    kind, message = str(event.attributes.get("type", "")), str(event.attributes.get("message", ""))
    site = event.site or (raised.site if raised is not None and raised.message == message else None)
    return Failure(kind, message, step, site, str(event.attributes.get("about", "")))


def _ended_in(index: Index, step: StepIndex) -> bool:
    """A record without an event for the exception: it ended the last step, if that is the last that was seen."""
    return index.record.outcome.steps_seen <= step.step.index + 1


def matching(index: Index, pattern: "re.Pattern[str]") -> Iterator[tuple[Failure, "re.Match[str]"]]:
    """The exceptions whose message fits, with the match."""
    for failure in index.once(failures):
        match = pattern.search(failure.message)
        if match is not None:
            yield failure, match


def failed_op(step: StepIndex | None) -> Op | None:
    """The last call of a step that raised."""
    return next((op for op in reversed(step.graph.ops) if op.failed), None) if step is not None else None


def failed_backward(step: StepIndex) -> Event | None:
    """The backward that raised; where none is marked, the last one."""
    backwards = list(step.events("backward"))
    marked = [event for event in backwards if event.attributes.get("failed")]
    return (marked or backwards)[-1] if backwards else None


@dataclass(frozen=True, slots=True)
class Carried:
    """A value with a graph behind it that an earlier step made and this one uses for its loss."""

    step: StepIndex
    value: Value
    made: Op | None
    """The op that made it, if its step was recorded."""
    born: StepIndex | None
    used: Op
    """The first op of this step that reads it."""

    @property
    def recurrent(self) -> bool:
        """It was itself made from something carried, or its like is made anew in each step: a state handed on."""
        if self.made is None:
            return False
        here, there = self.made.site, self.used.site
        if here is not None and there is not None and (here.file, here.line) == (there.file, there.line):
            return True
        origins = self.born.upstream(self.value.name) if self.born is not None else frozenset()
        return self.born is not None and any(name in origins for name, _ in _foreign(self.born))


def carried(index: Index) -> tuple[Carried, ...]:
    """Everything that was carried into a recorded step with its graph."""
    found: list[Carried] = []
    makers: dict[str, tuple[Op, StepIndex]] = {}
    foreign = {step: tuple(_foreign(step)) for step in index.steps}
    for step in index.steps if any(foreign.values()) else ():
        for name, used in foreign[step]:
            made, born = makers.get(name, (None, None))
            if made is not None or step.value(name).role == "state":
                found.append(Carried(step, step.value(name), made, born, used))
        for op in step.graph.ops:
            for name in op.outputs:
                makers.setdefault(name, (op, step))
    return tuple(found)


def _foreign(step: StepIndex) -> Iterator[tuple[str, Op]]:
    """Values that no op of the step made and into whose graph a gradient goes back, each with its first reader; what is detached on its way is data."""
    known = {parameter.value for parameter in step.step.parameters}
    for name, value in step.values.items():
        plain = name in step.producer or value.role not in ("state", "activation") or name in known
        if not plain and value.differentiable and name in step.consumers and name in step.gets_gradient:
            yield name, next((op for op in step.consumers[name] if not step.shapes_loss.isdisjoint(op.outputs)), step.consumers[name][0])


def consequences(failure: Failure, step: StepIndex | None) -> frozenset[Fact]:
    """The exception as a fact, and what it left undone in its step."""
    facts = {Fact("exception", failure.type)}
    if step is not None:
        facts |= {Fact("no-update", str(step.step.kind))}
        facts |= {Fact(what, p.name) for p in step.step.parameters for what in ("no-gradient", "unmoved")}
    return frozenset(facts)
