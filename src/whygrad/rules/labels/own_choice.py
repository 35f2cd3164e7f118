"""What WG101 says of a loss whose target is the choice that the prediction itself makes, where the program has no labels at all."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms import spelled
from whygrad.ir import Op
from whygrad.loss_contracts import REGRESSIONS, input_of, target_of
from whygrad.rules.phrases import places, typed

CHOICES = ("argmax", "compare", "round")
"""Ops that make a decision of scores."""
_SAME = ("layout", "cast")
_SCORES = (*_SAME, "activation")
_NUMBERS = (*_SAME, "detach")
"""What hands on the same numbers."""


@dataclass(frozen=True, slots=True)
class OwnChoice:
    """A loss, and what made its target of the scores that it judges."""

    step: StepIndex
    loss: Op
    made: Op


def own_choice(index: Index) -> Iterator[Diagnosis]:
    """One for each loss that has it in every recorded step of its kind."""
    # timid: a model that was trained before may be taken further by its own decisions
    if not any(parameter.loaded for parameter in index.parameters.values()):
        yield from (_told(found) for found in index.lasting(_of_step, lambda own: own.loss.site))


def _of_step(step: StepIndex) -> Iterator[OwnChoice]:
    losses = list(step.loss_ops())
    if len(losses) != 1 or step.step.labels.values or not any(True for _ in step.events("optimizer_step", "update")):
        return
    op = losses[0]
    prediction, target = input_of(op), target_of(op)
    made = step.producer.get(step.origin(target, _SAME)) if target else None
    if prediction and target and op.kind in REGRESSIONS and step.origin(prediction, _NUMBERS) == step.origin(target, _NUMBERS):
        yield from (OwnChoice(step, op, op),) if prediction in step.depends_on_parameters and _is_whole(step, op) else ()
    elif prediction is None or made is None or made[1].kind not in CHOICES or not _is_whole(step, op):
        return
    elif step.origin(prediction, _SCORES) in {step.origin(name, _SCORES) for name in made[1].inputs[:1]} & step.depends_on_parameters:
        yield OwnChoice(step, op, made[1])


def _is_whole(step: StepIndex, op: Op) -> bool:
    """Its result is the loss: nothing weights it, as the gain of an action does."""
    return any(step.origin(name, (*_SAME, "reduction")) == step.origin(op.output, (*_SAME, "reduction")) for name in step.losses)


def _told(found: OwnChoice) -> Diagnosis:
    step, op, made = found.step, found.loss, found.made
    if made is op:
        return _about_itself(step, op)
    scores, target = step.value(made.inputs[0]), step.value(made.output)
    choice = f"`{spelled(made)}`" if made.kind != "compare" else "a comparison"
    return Diagnosis(
        rule="WG101",
        name="unused-labels",
        severity="error",
        confidence="proved",
        message=f"no labels enter the loss: its target `{target.shown}` is what the prediction itself decides",
        site=made.site,
        label="makes the target from the prediction",
        related=places((op.site, f"`{op.kind}` compares the two here")),
        evidence=(
            Evidence(f"{typed(target)} is made from {typed(scores)} by {choice}, and `{op.kind}` compares it with the same scores"),
            Evidence("nothing else of the program's data is compared with the prediction", "labels", 0),
        ),
        help="compare the prediction with labels of the data; what the model decides belongs into the accuracy alone",
        explains=frozenset({Fact("insensitive", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(target.shown,),
    )


def _about_itself(step: StepIndex, op: Op) -> Diagnosis:
    """A difference from itself, which is 0 whatever the model says."""
    own, kind = step.value(step.origin(input_of(op) or "", _NUMBERS)), str(step.step.kind)
    unmoved = [p.name for p in step.step.parameters if p.gradient == "zero"]
    return Diagnosis(
        rule="WG101",
        name="unused-labels",
        severity="error",
        confidence="proved",
        message=f"no labels enter the loss: it compares `{own.shown}` with itself",
        site=op.site,
        label=f"prediction and target are both `{own.shown}`",
        evidence=(
            Evidence(f"both sides of `{op.kind}` are {typed(own)}, so that it is 0 whatever the model says"),
            Evidence("nothing else of the program's data is compared with the prediction", "labels", 0),
        ),
        help=f"give `{op.kind}` the labels of the batch in the place of one of the two",
        explains=frozenset({Fact("insensitive", kind), Fact("stands", kind), *(Fact("no-gradient", name) for name in unmoved)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(own.shown,),
    )
