"""WG106: a regression target through which gradient flows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import apart, ways
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Value, family
from whygrad.loss_contracts import REGRESSIONS, input_of, target_of
from whygrad.rules import rule
from whygrad.rules.labels.cancelling import cancelled, trained_above
from whygrad.rules.phrases import distinct, listed, places, typed
from whygrad.rules.remedies import operand, remedy

_COMPARING = REGRESSIONS | {"kl_div"}
_EVEN = frozenset(("square", "abs", "pow", "norm"))
_COPIES = ("layout", "cast")


@dataclass(frozen=True, slots=True)
class Moving:
    """A comparison whose target is trained too."""

    step: StepIndex
    op: Op
    target: str
    made: Op
    """What made the part of the target that depends on parameters."""
    parameters: tuple[str, ...]
    story: str
    cut: Op | None = None
    """What stops the prediction, where that is the side that gets no gradient."""


@rule("WG106", "undetached-target", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradient flows into the target of a regression, so that the target is moved towards the prediction.

    ## What it finds
    Bootstrapped targets, as in temporal-difference learning: a reward plus what the same network says of the next state, with gradient. And a
    The same with the gradient stopped on the wrong side: the prediction is cut off, and the sum is what is trained. And a
    teacher that was trained on labels before, whose outputs are now the target of a student while its own parameters still get gradient. And an old value that is
    computed anew from the same parameters, such as the log-probabilities of a policy before the update: the difference is 0, and the two gradients cancel.

    ## Why it matters
    The shortest way to a small loss is to make the target agree with the prediction: values drift, and a teacher is trained towards an
    untrained student.

    ## When it is fine
    Two branches that are meant to approach one another (consistency, joint embeddings) both get gradient. So the rule speaks only where one
    side holds data added to an output of the network that the other side comes from, or belongs to a network that learned from labels in
    another kind of step. Some published methods follow the full gradient of the temporal difference on purpose.

    ## How sure
    Proved by the recorded graph.

    ## References
    Sutton and Barto, semi-gradient methods; `torch.Tensor.detach`, `torch.no_grad`; `tf.stop_gradient`; `jax.lax.stop_gradient`.
    """
    yield from distinct(diagnosis(index, found) for step in index.steps if step.losses for found in moving(index, step))
    yield from cancelled(index)


def moving(index: Index, step: StepIndex) -> Iterator[Moving]:
    """Comparisons on the way to the loss whose target is trained."""
    for op, one, other in comparisons(step):
        for target, prediction in ((one, other), (other, one)):
            mine, theirs = trained_above(step, target), trained_above(step, prediction)
            term = bootstrapped(step, target)
            cut = stopped(step, prediction, mine) if mine and not theirs else None
            if term is not None and mine and (mine & theirs or cut is not None):
                yield Moving(
                    step,
                    op,
                    target,
                    maker(step, term, op),
                    tuple(sorted(mine)),
                    "the sum of a reward and what the same network says of the next state",
                    cut,
                )
                return
            if mine and theirs and not mine & theirs and taught_before(index, step, mine) and not taught_before(index, step, theirs):
                yield Moving(
                    step,
                    op,
                    target,
                    maker(step, target, op),
                    tuple(sorted(mine)),
                    "the output of a network that learned from labels before",
                )
                return


def comparisons(step: StepIndex) -> Iterator[tuple[Op, str, str]]:
    """Regressions by a loss function or by a squared difference: the op and its two sides, the target first."""
    for op in step.of("sub", *_COMPARING):
        if op.failed or step.shapes_loss.isdisjoint(op.outputs):
            continue
        target, given = target_of(op), input_of(op)
        if op.kind in _COMPARING and target is not None and given is not None:
            yield op, target, given
        elif op.kind == "sub" and len(op.inputs) == 2 and any(_is_even(reader) for reader in step.consumers.get(op.output, ())):  # noqa: PLR2004 - two operands
            yield op, op.inputs[0], op.inputs[1]


def _is_even(reader: Op) -> bool:
    """What it makes of a difference does not depend on its sign: a square, or a loss function of the difference alone."""
    return reader.kind in _EVEN or (reader.kind in _COMPARING and target_of(reader) is None)


def stopped(step: StepIndex, prediction: str, trained: frozenset[str]) -> Op | None:
    """The cut between a prediction and the very parameters that the target is trained with; None where no gradient is cut off."""
    above = step.upstream(prediction)
    values = {p.value for p in step.step.parameters if p.name in trained}
    cut = next((op for op in step.graph.ops if op.kind == "detach" and op.output in above), None)
    return cut if cut is not None and not values.isdisjoint(step.upstream(cut.output)) else None


def bootstrapped(step: StepIndex, name: str) -> str | None:
    """The part of a target that is an output of the network and has data added to it; None where it is no such sum."""
    made = step.producer.get(step.origin(name, _COPIES))
    if made is None or made[1].kind != "add" or len(made[1].inputs) != 2:  # noqa: PLR2004 - data and an output
        return None
    one, other = made[1].inputs
    for data, output in ((one, other), (other, one)):
        plain = data not in step.depends_on_parameters and data in step.from_data and bool(step.value(data).shape)
        scaled = step.producer.get(step.origin(output, _COPIES))
        if plain and scaled is not None and scaled[1].kind == "mul" and output in step.depends_on_parameters:
            return output
    return None


def taught_before(index: Index, step: StepIndex, names: frozenset[str]) -> bool:
    """These parameters learned from labels in another kind of step, and no label reaches the loss of this one."""
    if step.labels_reach_loss:
        return False
    earlier = (other for other in index.steps if other.step.kind != step.step.kind and other.step.index < step.step.index)
    return any(
        other.labels_reach_loss and names <= {p.name for p in other.step.parameters if p.value in other.gets_gradient} for other in earlier
    )


def maker(step: StepIndex, name: str, otherwise: Op) -> Op:
    """The last op, before copies and arithmetic with numbers, that made a value."""
    while name in step.producer:
        op = step.producer[name][1]
        scaled = op.kind in ("mul", "div", "add", "sub")
        inner = next((given for given in op.inputs if given in step.depends_on_parameters), None)
        if not (family(op.kind) in _COPIES or scaled) or inner is None:
            return op
        name = inner
    return otherwise


def diagnosis(index: Index, found: Moving) -> Diagnosis:
    """What is said, where the target comes from the network."""
    value: Value = found.step.value(found.target)
    prediction = next((name for name in found.op.inputs if name != found.target), "")
    if found.cut is not None:
        return _reversed(index, found, found.cut)
    above = found.step.upstream(prediction)
    others = [op.site for op in found.step.graph.ops if not above.isdisjoint(op.outputs)]
    return Diagnosis(
        rule="WG106",
        name="undetached-target",
        severity="warning",
        confidence="proved",
        message=f"the target `{value.shown}` is trained towards the prediction: a gradient flows into it",
        site=apart(found.made.site, ways(others)) or found.op.site,
        label="computed with a gradient",
        related=places((found.op.site, f"`{value.shown}` is the target here")),
        evidence=(
            Evidence(
                f"{typed(value)} is {found.story}; a gradient flows through it to {listed(found.parameters)}",
                "parameters",
                len(found.parameters),
            ),
        ),
        help=idiom(index, "no gradient target"),
        facts=frozenset({Fact("odd-input", found.target)}),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(value.shown,),
        remedy=_stopped(operand(found.op, value, spelling(index, "no gradient"))),
    )


def _stopped(edit: Edit | None) -> Remedy | None:
    """The target without a gradient; a loss falls faster, and further, while it moves the target as well, so that it does not tell the runs apart."""
    made = remedy("let no gradient into the target", edit)
    return replace(made, beside=True, closes=True) if made is not None else None


def _reversed(index: Index, found: Moving, cut: Op) -> Diagnosis:
    """What is said, where the prediction is cut off instead of the target."""
    value, side = found.step.value(found.target), found.step.value(cut.inputs[0] if cut.inputs else cut.output)
    return Diagnosis(
        rule="WG106",
        name="undetached-target",
        severity="warning",
        confidence="proved",
        message=f"the gradient is stopped on the wrong side: the prediction `{side.shown}` gets none, and the target `{value.shown}` is trained",
        site=cut.site or found.op.site,
        label="stops the prediction",
        related=places((found.op.site, f"`{value.shown}` is the target here")),
        evidence=(
            Evidence(
                f"{typed(value)} is {found.story}; the only gradient of this comparison flows through it to {listed(found.parameters)}",
                "parameters",
                len(found.parameters),
            ),
        ),
        help="let the prediction keep its gradient; " + idiom(index, "no gradient target"),
        facts=frozenset({Fact("odd-input", found.target)}),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(value.shown,),
    )
