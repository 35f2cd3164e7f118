"""WG516: dropout so strong that two draws give unrelated gradients."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, course_of, supervised
from whygrad.flow.makers import edited_at
from whygrad.flow.trials import trial_of
from whygrad.idioms import speaks
from whygrad.ir import Course, Intervention, Op, Reseed
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import course_told
from whygrad.rules.phrases import figure, percent, places, plural
from whygrad.rules.remedies import remedy, setting

STRONG = 0.75
"""Share of units dropped from which the gradients are compared: usual rates are 0.1 to 0.5, and a rate that was meant as the share to keep is 0.8 and more."""
LEARNS = 0.5
"""Share of its first value below which the loss of a run has fallen all the same."""

_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "dropout")


@rule("WG516", "noise-dominates", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Dropout takes away so much that two draws of it give gradients with little in common.

    ## What it finds
    Dropout of three quarters of the units and more, in a run whose loss does not halve, where the gradient of the recorded step, calculated with three other draws, points in directions whose
    mean cosine is below 0.2.

    ## Why it matters
    Each update follows what was drawn, not the labels, so that the steps mostly undo one another. Often the number was meant as the share to keep, as other frameworks have had it.

    ## When it is fine
    Ordinary dropout: with a rate of 0.5 the cosine was 0.22 to 0.76 in the networks it was measured on. Noise that is the point of a method (diffusion, variational sampling) is left alone.

    ## How sure
    Measured, with everything held but the draws.

    ## References
    `torch.nn.Dropout` takes the share of zeros, and so do `keras.layers.Dropout` and `Dropout` of flax; `tf.nn.dropout` of TensorFlow 1 took the share to keep.
    """
    for step in index.steps:
        found = strong(step) if supervised(index, step) and not learns(course_of(index, step)) else ()
        if found:
            yield diagnosis(index, step, found)


def strong(step: StepIndex) -> tuple[Op, ...]:
    """Dropout on the way of the gradient that takes most units away."""
    return tuple(
        op
        for op in step.graph.ops
        if op.kind == "dropout"
        and op.attributes.get("training") is not False
        and rate(op) >= STRONG
        and not step.gets_gradient.isdisjoint(op.outputs)
    )


def rate(op: Op) -> float:
    """The share of entries that a dropout sets to zero; 1 is no noise but a cut, and counts as 0, like what is unknown."""
    share = op.attributes.get("p")
    return float(share) if isinstance(share, int | float) and 0 <= share < 1 else 0.0


def learns(course: Course | None) -> bool:
    """The loss fell far over a run that was long enough to tell."""
    if course is None or course.steps < ENOUGH or course.first is None or course.last is None:
        return False
    return course.last < LEARNS * course.first


def diagnosis(index: Index, step: StepIndex, found: tuple[Op, ...]) -> Diagnosis:
    """What is said, at the strongest dropout."""
    worst = max(found, key=rate)
    test = Test(Reseed(tuple(op.output for op in found)), "gradients under other draws have little in common", required=True)
    trial = trial_of(step.step, test.intervention)
    cosine = trial.figures.get("cosine") if trial is not None else None
    site = edited_at(step, worst)
    return Diagnosis(
        rule="WG516",
        name="noise-dominates",
        severity="warning",
        confidence="measured",
        message=f"dropout takes away {percent(rate(worst))} of the units, and what is left of the gradient depends on the draw more than on the labels",
        site=site,
        label=f"drops {percent(rate(worst))}, keeps {percent(1 - rate(worst))}",
        related=places((worst.site if site != worst.site else None, "it is called here")),
        evidence=(
            *(
                [
                    Evidence(
                        f"the same step with other draws at {plural(len(found), 'dropout')}: the mean cosine of two gradients is {figure(cosine)}",
                        "cosine",
                        cosine,
                    )
                ]
                if cosine is not None
                else []
            ),
            *course_told(course_of(index, step)),
        ),
        help=f"the number is the share that is dropped: `{figure(1 - rate(worst))}`, if {figure(rate(worst))} was meant to be kept; else 0.1 to 0.5",
        kind=step.step.kind,
        step=step.step.index,
        names=("dropout",),
        remedy=_turned(index, step, worst, found, test.intervention),
        test=test,
    )


_NAMED = re.compile(r"Dropout\w*\(\s*(?:(?:p|rate)\s*=\s*)?[A-Za-z_][\w.]*\s*[,)]")
"""A layer whose share has a name."""


def _turned(index: Index, step: StepIndex, worst: Op, found: tuple[Op, ...], proof: Intervention) -> Remedy | None:
    """The share that is kept in the place of the share that is dropped, at every dropout of that share."""
    kept, torch = figure(1 - rate(worst)), speaks(index, "torch")
    sites = dict.fromkeys((edited_at(step, op), op.site) for op in found if rate(op) == rate(worst))
    functional = torch or worst.native.startswith("tf.")
    where = {site: 1 if functional and site is called else 0 for site, called in sites}
    texts = {site: "1 - {x}" if site is not None and _NAMED.search(site.text) else kept for site in where}
    return remedy(
        f"drop {kept}",
        *(setting(site, "p" if torch else "rate", texts[site], calls=_DROPOUTS, position=at) for site, at in where.items()),
        otherwise=[setting(site, "rate", texts[site], calls=_DROPOUTS, position=0) for site in where] if torch else (),
        changes=f"if {figure(rate(worst))} was not meant as the share to keep, another share is due",
        proof=proof,
    )
