"""Variables that each step makes anew at one line, trains once and throws away: a part of WG314."""

from collections.abc import Iterator
from itertools import pairwise

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Parameter
from whygrad.rules.phrases import listed, plural
from whygrad.rules.remedies_of_settings import made_once


def remade(index: Index) -> Iterator[Diagnosis]:
    """Of two steps in a row: what the second trains in the place of what the first has trained."""
    for steps in index.kinds.values():
        for first, second in pairwise(steps):
            follows = second.step.index == first.step.index + 1
            found = tuple(replaced(first, second)) if follows and alike(first) and alike(second) else ()
            if found and kept(first, second):
                yield diagnosis(first, second, found)
                return


def alike(step: StepIndex) -> bool:
    """One backward and an update: an inner loop may well train a copy that it throws away."""
    return step.step.updated and sum(1 for _ in step.events("backward")) == 1


def trained(parameter: Parameter) -> bool:
    """It took part in the step, got a gradient and was moved."""
    return parameter.trainable and parameter.reached and parameter.gradient == "finite" and (parameter.update_norm or 0.0) > 0


def replaced(first: StepIndex, second: StepIndex) -> Iterator[tuple[Parameter, Parameter]]:
    """Parameters of the first step that the second does not read, each with a new one that was made at the same line with the same shape."""
    before, after = ({p.name: p for p in step.step.parameters} for step in (first, second))
    new = [p for p in after.values() if p.name not in before and trained(p) and p.site is not None]
    for old in filter(trained, before.values()):
        still = after.get(old.name)
        if old.site is None or (still and still.reached):
            continue
        heir = next((p for p in new if p.site == old.site and second.value(p.value).shape == first.value(old.value).shape), None)
        if heir is not None:
            yield old, heir


def kept(first: StepIndex, second: StepIndex) -> bool:
    """Something else is trained in both steps: one and the same training goes on."""
    return bool({p.name for p in first.step.parameters if trained(p)} & {p.name for p in second.step.parameters if trained(p)})


def diagnosis(first: StepIndex, second: StepIndex, found: tuple[tuple[Parameter, Parameter], ...]) -> Diagnosis:
    """What is said, where they are made."""
    names = tuple(dict.fromkeys(old.name for old, _ in found))
    them = "it" if len(names) == 1 else "them"
    return Diagnosis(
        rule="WG314",
        name="untracked-variable",
        severity="error",
        confidence="proved",
        message=f"{listed(names)} {'is' if len(names) == 1 else 'are'} made anew at every step: one update trains {them}, and the next step begins with others",
        site=found[0][0].site,
        label="made within the step",
        evidence=(
            Evidence(
                f"step {first.step.index} trained {plural(len(names), 'parameter')} made here; step {second.step.index} reads none of them, and trains what was made here since",
                "parameters",
                len(names),
            ),
        ),
        help="make the layer once, before the loop over the batches",
        facts=frozenset(Fact("unheld", name) for name in names),
        explains=frozenset(
            {
                Fact("stands", str(second.step.kind)),
                *(Fact(what, p.name) for pair in found for p in pair for what in ("no-gradient", "unmoved", "unheld", "unused")),
            }
        ),
        kind=second.step.kind,
        step=second.step.index,
        names=names[:1],
        remedy=made_once(found[0][0].site, "the layer"),
    )
