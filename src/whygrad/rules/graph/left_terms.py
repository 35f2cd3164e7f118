"""The part of WG302 that asks for terms of a loss that leave as plain numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms import spelled
from whygrad.ir import Op, Parameter, family
from whygrad.rules.graph.starvation import framework
from whygrad.rules.phrases import distinct, places


@dataclass(frozen=True, slots=True)
class Term:
    """A loss on data of the batch that only leaves, and the trained parameters that nothing but it was computed from."""

    step: StepIndex
    loss: Op
    leave: Op
    starved: tuple[Parameter, ...]


def left_terms(index: Index) -> Iterator[Diagnosis]:
    """What is said of such terms."""
    yield from distinct(_told(index, term) for step in index.steps for term in _terms(index, step))


def _terms(index: Index, step: StepIndex) -> Iterator[Term]:
    for op in step.graph.ops:
        if op.kind != "leave" or not op.inputs or not step.losses:
            continue
        made = step.producer.get(step.origin(op.inputs[0], ("layout", "cast", "gradient")))
        if (
            made is None
            or family(made[1].kind) != "loss"
            or not step.shapes_loss.isdisjoint(made[1].outputs)
            or not _on_data(step, made[1])
        ):
            continue
        starved = tuple(_starved(index, step, made[1]))
        if starved:
            yield Term(step, made[1], op, starved)


def _on_data(step: StepIndex, op: Op) -> bool:
    """It compares what parameters made with something of the batch."""
    trained = step.depends_on_parameters
    return any(name in trained for name in op.inputs) and any(name not in trained and _is_data(step, name) for name in op.inputs)


def _is_data(step: StepIndex, name: str) -> bool:
    """Of the batch, or of data that the program itself drew or brought in: more than zeros, ones or a range."""
    if name in step.from_data:
        return True
    makers = [step.producer[above][1] for above in step.upstream(name) if above in step.producer]
    return any(op.kind in ("random", "enter") for op in makers)


def _starved(index: Index, step: StepIndex, loss: Op) -> Iterator[Parameter]:
    """Trainable parameters in an optimizer that this term read, the differentiated loss did not, and that had no gradient in the whole run."""
    # timid: a run that was cut short may have trained them later, in a step of another kind
    whole = not index.record.outcome.stopped
    read = step.upstream(loss.output)
    for parameter in step.step.parameters if whole else ():
        ending = index.record.endings.get(parameter.name)
        never = parameter.name not in index.with_gradient and ending is not None and not ending.gradient_seen
        trained = parameter.trainable and parameter.name in index.held
        if never and trained and parameter.value in read and parameter.value not in step.shapes_loss:
            yield parameter


def _told(index: Index, term: Term) -> Diagnosis:
    step, value = term.step, term.step.value(term.leave.inputs[0])
    names = [parameter.name for parameter in term.starved]
    them = f"`{names[0]}`" + (f" and {len(names) - 1} more get" if len(names) > 1 else " gets")
    return Diagnosis(
        rule="WG302",
        name="rebuilt-tensor",
        severity="error",
        confidence="measured",
        message=f"`{value.shown}`, a loss of its own, leaves {framework(index)} through `{spelled(term.leave)}` and is differentiated nowhere: {them} no gradient",
        site=term.leave.site,
        label="a plain number, whatever it is added to",
        related=places((term.loss.site, "this loss is computed here")),
        evidence=(
            Evidence(f"`{names[0]}` is read by this loss, is in an optimizer, and had no gradient in the whole run", "gradient"),
        ),
        help=f"add `{value.shown}` itself to what is differentiated, and keep its number for logs alone",
        facts=frozenset(Fact("term-left", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("no-gradient", "unmoved", "unused")),
        kind=step.step.kind,
        step=step.step.index,
        names=(*names[:1],),
    )  # fmt: skip
