"""Where values came from: the line that made labels, the loader that handed them out, the layer whose output a loss reads."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from whygrad.flow.index import Index, StepIndex
from whygrad.flow.origins import decided_at
from whygrad.ir import Batches, Op, Parameter, Site, family

_PICKED = ("layout", "select")
"""Families of ops that leave the entries as they are: picking rows, another shape, batching."""
BROUGHT = ("enter", "opaque", "copy")
"""Kinds of op that bring numbers in which were decided elsewhere: the source may say where."""
_BY_STEPS = frozenset(("rnn", "conv", "max_pool", "avg_pool"))
_ON_LAST = frozenset(("linear", "dropout", "batch_norm", "layer_norm"))
_LAYERS = frozenset(("linear", "conv", "matmul", "bilinear", "embedding", "rnn"))


@dataclass(frozen=True, slots=True)
class Made:
    """The op that gave a value its entries, and the step that recorded it."""

    step: StepIndex
    op: Op
    name: str


def maker(index: Index, step: StepIndex, name: str) -> Made | None:
    """What gave `name` its entries, followed back through picking and reshaping; for later batches of a loader, what made the first one."""
    base = step.origin(name, _PICKED)
    made = step.producer.get(base)
    if made is not None:
        return Made(step, made[1], base)
    batches = handed_out(index, step, base)
    for other in index.steps if batches else ():
        for first in batches.values if batches else ():
            if first in other.producer and first != base:
                origin = other.origin(first, _PICKED)
                return Made(other, other.producer[origin][1], origin) if origin in other.producer else None
    return None


def making_site(index: Index, step: StepIndex, name: str) -> Site | None:
    """The user's line that made the entries of `name`, as far as the source says; None where all that is known is the loop that got it from a loader."""
    made, decided = maker(index, step, name), decided_at(index, name)
    if decided and (made is None or made.op.kind in BROUGHT):
        return decided[0]
    if made is None or made.op.site is None:
        return None
    loops = {(event.site.file, event.site.line) for event in made.step.events("batch") if event.site}
    return None if (made.op.site.file, made.op.site.line) in loops else made.op.site


def handed_out(index: Index, step: StepIndex, name: str) -> Batches | None:
    """The loader's element that `name` is, or was made from by picking, reshaping or casting."""
    names = set(_back(step, name))
    return next((batches for batches in index.record.batches if not names.isdisjoint(batches.values)), None)


def _back(step: StepIndex, name: str) -> Iterator[str]:
    """`name` and what it is a mere rearrangement of, step by step."""
    yield name
    while name in step.producer:
        op = step.producer[name][1]
        if (family(op.kind) not in (*_PICKED, "cast") and op.kind not in ("integer_cast", "one_hot")) or not op.inputs:
            return
        name = op.inputs[0]
        yield name


def edited_at(step: StepIndex, op: Op) -> Site | None:
    """The line to edit for an op: where its layer was made, or where it is called if it is no layer of the framework's.

    Where one line makes several layers, as in a function that makes a block, it is the call that made this one.
    """
    made = op.made
    if made is None:
        return op.site
    alike = [other for other in step.graph.ops if other.made and other.kind == op.kind and other.module != op.module]
    twins = [other.made.callers for other in alike if other.made and other.made.line_of_code == made.line_of_code]
    for at, frame in enumerate(made.callers if twins else ()):
        twins = [callers for callers in twins if callers[at : at + 1] == (frame,)]
        if not twins:
            return made.caller(at)
    return made


def ways(sites: Iterable[Site | None]) -> frozenset[tuple[str, int]]:
    """The lines on the way to some places, the places included."""
    return frozenset(place for site in sites if site is not None for place in _chain(site))


def apart(site: Site | None, shared: frozenset[tuple[str, int]]) -> Site | None:
    """The innermost place on the way to `site` that is not on the `ways` to others: where two of a kind are made by one line, the call that made this one."""
    if site is None:
        return None
    for at, place in enumerate(_chain(site)):
        if place not in shared:
            return site if at == 0 else site.caller(at - 1)
    return site


def _chain(site: Site) -> list[tuple[str, int]]:
    return [site.line_of_code, *((frame.file, frame.line) for frame in site.callers)]


def layer_behind(step: StepIndex, name: str) -> tuple[Op, Parameter | None] | None:
    """The layer that a value comes from through activations and reshaping alone, with the parameter that gives it its size."""
    parameters = {p.value: p for p in step.step.parameters}
    base = step.origin(name, ("layout", "cast", "select", "activation"))
    made = step.producer.get(_before_bias(step, base, parameters))
    if made is None or made[1].kind not in _LAYERS:
        return None
    return made[1], next((parameters[given] for given in made[1].inputs if given in parameters), None)


def _before_bias(step: StepIndex, name: str, parameters: Mapping[str, Parameter]) -> str:
    """Of `x @ w + b` written out, the product."""
    op = step.producer[name][1] if name in step.producer else None
    if op is None or op.kind != "add" or not any(step.origin(given) in parameters for given in op.inputs):
        return name
    return next((given for given in op.inputs if step.origin(given) not in parameters), name)


def keeps_axis(step: StepIndex, name: str) -> Op | None:
    """The recurrent layer, convolution or pooling whose axis of steps or places, the second one, has come through to a value as it was: each example has a row for each of them.

    Behind it there are only layers that work on the last axis alone, ops that work entry by entry, and axes of size 1 that are put to it and taken off.
    """
    axes = _long(step, name)[:2]
    while name in step.producer and len(axes) > 1:
        op = step.producer[name][1]
        if op.kind in _BY_STEPS:
            shape = _long(step, op.output)
            return op if shape[:2] == axes and len(shape) == len(axes) + 1 else None
        # timid: pooling over all steps, attention and other reshaping may have been meant to leave the axes as they are
        given = _wrapped(step, op) or op.inputs[:1]
        through = (
            given != op.inputs[:1]
            or op.kind in (*_ON_LAST, "concat", "reshape", "index")
            or family(op.kind) in ("activation", "arithmetic", "cast")
            or _turned(step, op)
        )
        if not through or not given or _long(step, given[0])[:2] != axes:
            return None
        name = given[0]
    return None


def _wrapped(step: StepIndex, op: Op) -> tuple[str, ...]:
    """What a wrapper has taken apart step by step, worked on and put together again, the steps first and then turned back: Keras' `TimeDistributed`."""
    packed = step.producer.get(op.inputs[0]) if op.kind == "transpose" and op.inputs else None
    if packed is None or packed[1].kind != "concat" or not op.module:
        return ()
    sources = {_taken_apart(step, name, op.module) for name in packed[1].inputs}
    return (source,) if len(sources) == 1 and (source := sources.pop()) else ()


def _taken_apart(step: StepIndex, name: str, module: str) -> str:
    """The value of which this is one step, behind the layer inside; empty where it is none."""
    made = step.producer.get(name)
    while made is not None and made[1].module == module and made[1].inputs:
        if made[1].kind == "index":
            turned = step.producer.get(made[1].inputs[0])
            return turned[1].inputs[0] if turned is not None and turned[1].kind == "transpose" and turned[1].module == module else ""
        made = step.producer.get(made[1].inputs[0])
    return ""


def _long(step: StepIndex, name: str) -> tuple[int, ...]:
    """A shape without the axes of size 1 behind its first."""
    shape = step.value(name).shape or ()
    return (*shape[:1], *(size for size in shape[1:] if size != 1))


def _turned(step: StepIndex, op: Op) -> bool:
    """It only put the entries along some axis into another order: the way back of a recurrent layer in both directions."""
    return op.kind == "transpose" and step.value(op.inputs[0]).shape == step.value(op.output).shape


def sized_at(parameter: Parameter, size: int) -> Site | None:
    """The line that gave a layer its number of outputs: the layer's own where the number stands there, else the call that made the model."""
    site = parameter.site
    if site is None or not site.callers or str(size) in _words(site.text):
        return site
    return site.caller()


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
