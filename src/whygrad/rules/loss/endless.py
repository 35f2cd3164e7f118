"""The part of WG215 that tells of a value which lowers the loss in every way as it grows, once without a bound: a log-variance with the wrong sign."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.flow.signs import Sign, loss_signs
from whygrad.ir import Op, family
from whygrad.rules.phrases import finite, places

_SUMMING = frozenset(("add", "sub", "neg", "mean", "sum", "index", "concat"))
_BOUNDED = frozenset(
    ("sigmoid", "tanh", "softmax", "log_softmax", "logsigmoid", "clamp", "hardtanh", "sin", "cos", "layer_norm", "batch_norm")
)
_BELOW = frozenset(("relu", "softplus", "exp", "square", "abs", "norm"))
"""What never falls below 0, or not far."""


@dataclass(frozen=True, slots=True)
class Endless:
    """A value that parameters shape, and two ways on which it moves the loss to the same side."""

    name: str
    sign: Sign
    straight: Op
    """The first op of the way that has no bound."""
    curved: Op
    """The first op of another, on which the labels are met."""


def endless(step: StepIndex) -> Iterator[Endless]:
    """All of them, the last in the order of the ops first."""
    signs, straight = step.once(loss_signs), _straight(step)
    made = [name for name in reversed(step.producer) if name in step.depends_on_parameters and signs.get(name)]
    for name in (name for name in made if len(step.consumers.get(name, ())) > 1):
        readers = [op for op in step.consumers[name] if any(out in signs for out in op.outputs)]
        sums = [op for op in readers if op.kind in _SUMMING and not straight.isdisjoint(op.outputs)]
        # timid: without labels on the other way, a score of a critic or of a policy is lowered on purpose
        others = [op for op in readers if op not in sums and not step.towards_labels.isdisjoint(op.outputs)]
        if sums and others and _unlimited(step, name, signs[name]):
            yield Endless(name, signs[name], sums[0], others[0])


def _straight(step: StepIndex) -> frozenset[str]:
    """Values that reach the loss by sums, and products with what no parameter shapes, alone."""
    found = set(step.losses)
    for op in reversed(step.graph.ops):
        if found.isdisjoint(op.outputs) or op.failed:
            continue
        shaped = [name for name in op.inputs if name in step.depends_on_parameters]
        scaled = op.kind in ("mul", "div") and len(shaped) == 1 and op.inputs[0] == shaped[0]
        if op.kind in _SUMMING or family(op.kind) in ("layout", "cast") or scaled:
            found.update(shaped)
    return frozenset(found)


def _unlimited(step: StepIndex, name: str, sign: Sign) -> bool:
    """Nothing that made it keeps it from going as far as it likes to the side that lowers the loss."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind in _BOUNDED or (sign > 0 and op.kind in _BELOW):
            return False
        if family(op.kind) not in ("layout", "cast") and op.kind not in ("index", *_BELOW):
            return True
        name = op.inputs[0]
    return True


def about(step: StepIndex, found: Endless) -> Diagnosis:
    """What is said, at the term that has no bound."""
    value, loss, measured = step.value(found.name).shown, step.value(step.losses[0]).shown, step.step.measures.loss
    grows = "grows" if found.sign < 0 else "falls"
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error",
        confidence="proved",
        message=f"`{loss}` falls without end as `{value}` {grows}: the sign of one of its terms is wrong",
        site=found.straight.site,
        label=f"lowers the loss as `{value}` {grows}, without a bound",
        related=places((found.curved.site, "and here as well, where the labels are met")),
        evidence=(
            Evidence(
                f"followed op by op from `{value}` to `{loss}`: every way lowers it as `{value}` {grows}, so that nothing holds `{value}` back"
            ),
            *(
                (Evidence(f"`{loss}` is {measured:.3g} in this step", "loss", measured),)
                if measured is not None and finite(measured)
                else ()
            ),
        ),
        help="turn the sign of this term round: what makes the other one small has to cost something here",
        facts=frozenset({Fact("odd-input", step.losses[0]), Fact("diverges", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss,),
    )
