"""WG219: the regulariser's gradient swamps the data term."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ends_at_chance
from whygrad.flow.origins import penalised_at
from whygrad.flow.penalties import alone, stacked
from whygrad.ir import Op, Site
from whygrad.rules import rule
from whygrad.rules.loss.decays import swamped
from whygrad.rules.loss.summed_beside_mean import summed
from whygrad.rules.phrases import distinct, figure, finite, percent, places
from whygrad.rules.remedies import remedy

TIMES = 10.0
"""How many times larger than the data term the penalty must be in every recorded step."""
FELT = 0.1
"""Label sensitivity (0 to 2) below which the labels steer a tenth of the gradient at most; a plain loss has about 1."""

LESS = 0.5
"""The same where the run ends at chance: the penalty then steers at least as much as the labels do, and its part grows as the data's gradient shrinks with the weights."""
DECLARES = "_regularizer"
"""What Keras' layers call the argument that declares a penalty."""
REGULARISERS = ("l1", "l2", "L1", "L2", "OrthogonalRegularizer")
"""What makes one from a single factor, in all of Keras' spellings."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of a term with data and a term of parameters alone."""

    step: StepIndex
    op: Op
    data: float
    penalty: float
    made: Op
    """What made the penalty."""


@rule("WG219", "penalty-dominates", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A penalty is so large that its gradient drowns that of the data.

    ## What it finds
    A loss that adds a term of the parameters alone to one that depends on the data, where the penalty is ten times larger in every recorded
    step and permuting the labels hardly changes the gradient; where the run ends no better than an even guess or the mean of the targets, half of the gradient at most.
    And a term without labels that is summed over the whole batch beside one that is averaged over all entries, and ten times larger, in every recorded step or in the first one of a run
    that ends where the averaged one began, as the divergence of a variational autoencoder beside a mean squared error.
    And a weight decay inside the optimizer that is three times the gradient, in a run whose loss stands still or ends at chance, where a few updates without it take the loss clearly lower.

    ## Why it matters
    The updates shrink the parameters whatever the data say. The loss falls nicely, because the penalty does, and the fit stays at the mean.

    ## When it is fine
    A penalty that is large in number can have a small gradient, so the label sensitivity has to say so too. A weight decay inside the
    optimizer is in balance with the gradient once a model has learnt, however large it is.

    ## How sure
    Measured: the two terms, and the gradient with the labels permuted; of a decay by updates on copies of the parameters, with and without it.

    ## References
    Ridge regression; `weight_decay` of the optimizers.
    """
    for steps in index.kinds.values():
        found = [next(sums(index, step), None) for step in steps if step.losses]
        if found and None not in found:
            yield from distinct(diagnosis(index, one, len(found)) for one in found if one)
    yield from summed(index)
    yield from distinct(swamped(index))


def sums(index: Index, step: StepIndex) -> Iterator[Sum]:
    """Sums on the way to the loss of which the penalty is far larger, where the labels are hardly felt."""
    felt = step.step.measures.label_sensitivity
    if felt is None or not felt < (LESS if ends_at_chance(index, step) else FELT):
        return
    for op in step.graph.ops:
        if step.shapes_loss.isdisjoint(op.outputs):
            continue
        terms = stacked(step, op.output)
        if terms and (found := of_terms(step, op, terms)) is not None:
            yield found
        if op.kind != "add" or len(op.inputs) != 2:  # noqa: PLR2004 - two terms
            continue
        for data, penalty in (op.inputs, op.inputs[::-1]):
            made = step.producer.get(penalty)
            if made and data in step.from_labels and alone(step, penalty) and (pair := sizes(step, data, penalty)) is not None:
                yield Sum(step, op, *pair, made[1])


def _declared(index: Index, found: Sum) -> Site | None:
    """Where the penalty's factor stands, or the layer is made whose parameter it is computed from, since its library computes it unseen."""
    step, penalty = found.step, found.step.upstream(found.made.output)
    own = [p for p in step.step.parameters if p.value in penalty and p.site is not None]
    return next((penalised_at(index, p) or p.site for p in own), None)


def of_terms(step: StepIndex, op: Op, terms: tuple[str, ...]) -> Sum | None:
    """The one term of the data, and the penalties, which count together; the largest is the one that is shown."""
    data, penalties = [name for name in terms if name in step.from_labels], [name for name in terms if alone(step, name)]
    figures = {
        name: found.mean for name in (*data, *penalties) if (found := step.value(name).statistics) is not None and finite(found.mean)
    }
    if len(data) != 1 or not penalties or len(figures) != 1 + len(penalties):
        return None
    one, other = figures[data[0]] or 0.0, sum(figures[name] or 0.0 for name in penalties)
    shown = max(penalties, key=lambda name: abs(figures[name] or 0.0))
    return Sum(step, op, one, other, step.producer[shown][1]) if abs(other) > TIMES * abs(one) > 0 else None


def sizes(step: StepIndex, data: str, penalty: str) -> tuple[float, float] | None:
    """Both terms, where the penalty is far larger."""
    one, other = (step.value(name).statistics for name in (data, penalty))
    if one is None or other is None or one.mean is None or other.mean is None or not finite(one.mean) or not finite(other.mean):
        return None
    # timid: a data term of zero is switched off, which is WG102's
    return (one.mean, other.mean) if abs(other.mean) > TIMES * abs(one.mean) > 0 else None


def diagnosis(index: Index, found: Sum, steps: int) -> Diagnosis:
    """What is said, at the sum."""
    step, felt = found.step, found.step.step.measures.label_sensitivity
    inside = found.made.site is not None and found.made.site == found.op.site
    declared = _declared(index, found) if inside else None
    return Diagnosis(
        rule="WG219",
        name="penalty-dominates",
        severity="warning",
        confidence="measured",
        message=f"the penalty is {abs(found.penalty / found.data) if found.data else float('inf'):,.0f} times the data term, and drowns its gradient",
        site=declared or found.op.site,
        label=f"{figure(found.data)} + {figure(found.penalty)}",
        related=places(
            (found.made.site if not inside else None, "the penalty is made here"),
            (found.op.site if declared else None, "is added to the loss here"),
        ),
        evidence=(
            Evidence(
                f"data term {figure(found.data)}, penalty {figure(found.penalty)}; the same picture in {steps} of {steps} recorded steps",
                "penalty",
                found.penalty,
            ),
            Evidence(
                f"permuting the labels changes the gradient by {percent(felt, 1)} of its norm" if felt is not None else "",
                "label_sensitivity",
                felt,
            ),
        ),
        help="make the penalty's factor smaller, until both terms are of a size",
        facts=frozenset({Fact("odd-input", found.op.output)}),
        explains=frozenset(
            {
                *(Fact(what, str(step.step.kind)) for what in ("stands", "diverges")),
                *(Fact("non-finite", name) for one in index.steps for name in one.losses),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(step.value(found.op.output).shown,),
        remedy=_weaker(index, found) if inside else _smaller(found),
    )


def _smaller(found: Sum) -> Remedy | None:
    """A factor by which the penalty is a hundredth of the data term."""
    factor = _factor(found)
    return remedy(
        "make the penalty smaller",
        Edit("wrap", found.made.site, f"{factor} * {{x}}") if found.made.site else None,
        changes=f"with {factor} the penalty is a hundredth of the data term, which is a start and not a tuned value",
    )


def _weaker(index: Index, found: Sum) -> Remedy | None:
    """The same where layers declare the penalty: what their regularisers were given, by as much smaller."""
    factor = _factor(found)
    declaring = [p for p in found.step.step.parameters if p.site is not None and DECLARES in p.site.text]
    wrapped = dict.fromkeys(_times(penalised_at(index, p), p.site, factor) for p in declaring)
    return remedy(
        "make the penalty smaller",
        *wrapped,
        changes=f"with {factor} times as much the penalty is a hundredth of the data term, which is a start and not a tuned value",
    )


def _times(own: Site | None, layer: Site | None, factor: str) -> Edit | None:
    """The number that has a place of its own, or what the regulariser is given there or in the layer's call."""
    if own is not None and not any(f"{name}(" in own.text for name in REGULARISERS):
        return Edit("wrap", own, f"{{x}} * {factor}")
    site = own or layer
    return Edit("wrap", site, f"{{x}} * {factor}", REGULARISERS, position=0) if site is not None else None


def _factor(found: Sum) -> str:
    """What makes the penalty a hundredth of the data term."""
    return f"{float(f'{abs(found.data / found.penalty) / 100:.0e}'):g}"
