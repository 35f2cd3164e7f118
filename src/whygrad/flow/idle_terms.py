"""Terms of a loss that trained parameters shape and through which no gradient comes back: they change its value and train nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from whygrad.flow.cuts import cuts
from whygrad.flow.frontier import Story
from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Op, Site, Value, family, passing

Reason = Story | Literal["graphless"]
"""Why a term is idle: as a path is cut, or a derivative that was taken without a graph of its own."""

_SUMMING = frozenset(("add", "sub", "neg", "cast", "reshape", "copy"))
_LINEAR = _SUMMING | frozenset(("mul", "div", "expand", "mean", "sum", "index", "concat", "transpose", "detach"))


@dataclass(frozen=True, slots=True)
class IdleTerm:
    """One such term, in the first step that shows it."""

    step: StepIndex
    value: Value
    cut: Op
    """The last op on its way that lost a gradient."""
    story: Reason
    behind: tuple[str, ...]
    """The trainable parameters that it was computed from."""


def idle_terms(index: Index) -> tuple[IdleTerm, ...]:
    """Those that every recorded step of a kind has, unless parameters starve at the same op."""
    told = {op.site for cut in index.once(cuts) for op in (*cut.ops, *cut.chain, *cut.others)}
    found = index.lasting(_of_step, lambda term: term.cut.site)
    return tuple(_together(term for term in found if term.cut.site not in told))


def _together(found: Iterable[IdleTerm]) -> Iterator[IdleTerm]:
    """One for each line that cuts: the terms of a sum that a loop adds up."""
    groups: dict[Site | None, list[IdleTerm]] = {}
    for term in found:
        groups.setdefault(term.cut.site, []).append(term)
    for terms in groups.values():
        yield replace(terms[-1], behind=tuple(dict.fromkeys(name for term in reversed(terms) for name in term.behind)))


def _of_step(step: StepIndex) -> Iterator[IdleTerm]:
    if not any(p.trainable and p.value in step.gets_gradient for p in step.step.parameters):
        return
    for name in _terms(step):
        if name in step.depends_on_parameters and name not in step.differentiable:
            cut = _cut(step, name)
            story = _story(cut) if cut is not None else None
            if cut is not None and story is not None and not _on_purpose(step, name, cut):
                above = step.upstream(name)
                behind = tuple(p.name for p in step.step.parameters if p.trainable and p.value in above)
                yield IdleTerm(step, step.value(name), cut, story, behind)


def _terms(step: StepIndex) -> Iterator[str]:
    """What the loss is a sum of, each with its factor; a term that is zero, as in a warm-up, is none."""
    waiting = list(step.losses)
    while waiting:
        name = waiting.pop()
        made, figures = step.producer.get(name), step.value(name).statistics
        if made is None or (figures is not None and figures.minimum == 0 and figures.maximum == 0):
            continue
        op = _stacked(step, made[1]) or made[1]
        shaped = [one for one in op.inputs if one in step.depends_on_parameters]
        scaled = op.kind in ("mul", "div") and len(shaped) == 1 and op.inputs[0] == shaped[0]
        if (op.kind in _SUMMING or op.kind == "concat" or scaled) and all(_is_number(step, one) for one in shaped):
            waiting += shaped
        else:
            yield name


def _stacked(step: StepIndex, op: Op) -> Op | None:
    """What stacked the numbers that an op adds up, as Keras does with the losses of layers."""
    made = step.producer.get(op.inputs[0]) if op.kind in ("sum", "mean") and op.inputs else None
    return made[1] if made is not None and made[1].kind == "concat" and all(_is_number(step, one) for one in made[1].inputs) else None


def _is_number(step: StepIndex, name: str) -> bool:
    shape = step.value(name).shape
    return shape is not None and all(size == 1 for size in shape)


def _cut(step: StepIndex, name: str) -> Op | None:
    above = step.upstream(name)
    ways = (op for op in reversed(step.graph.ops) if not above.isdisjoint(op.outputs) and step.differentiable.isdisjoint(op.outputs))
    return next((op for op in ways if not step.differentiable.isdisjoint(op.inputs)), None)


def _story(cut: Op) -> Reason | None:
    """Why no gradient passes: on request, outside the framework, without tracking, or for lack of a derivative; of other ways nothing is said."""
    if cut.kind == "detach":
        return "detached"
    if cut.kind == "leave":
        return "rebuilt"
    if cut.kind == "opaque" and cut.native == "grad" and cut.tracking:
        return "graphless"
    if family(cut.kind) == "decision" or cut.kind in ("integer_cast", "one_hot"):
        return "decided"
    return "disabled" if not cut.tracking and passing(cut.kind) != "cut" else None


def _on_purpose(step: StepIndex, name: str, cut: Op) -> bool:
    """The whole term is stopped, or a value that trains by another way is only weighed, as where a gradient is scaled or passed straight through."""
    if cut.kind == "detach" and step.origin(name, ("layout", "cast", "detach")) == step.origin(cut.inputs[0], ("layout", "cast", "detach")):
        return True
    after = step.downstream(tuple(cut.outputs)) & step.upstream(name)
    bends = [op for op in step.graph.ops if not after.isdisjoint(op.outputs) and op.kind not in _LINEAR]
    return not bends and not step.gets_gradient.isdisjoint(cut.inputs)
