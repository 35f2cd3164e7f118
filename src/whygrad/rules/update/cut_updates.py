"""For WG414: a clipping behind the whole optimizer that cuts its updates to almost nothing."""

from collections.abc import Iterator
from math import hypot, isclose

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, expected_ratios, failure, fresh, optimizer_of, supervised
from whygrad.ir import Descend, Event, Optimizer
from whygrad.rules.magnitude.scales import fell_told
from whygrad.rules.phrases import figure, plural

LEFT = 1e-2
"""Largest share of an update that counts as almost nothing, as for gradients (WG410): limits that are meant for updates stop outliers and leave most as they are."""
EXACT = 0.02
"""Share by which the norm of a clipped update may differ from the limit: parameters in half precision round."""
WITHOUT = Descend(steps=16, unlimited=True)
"""Adam's updates without the limit need some steps to show on a loss."""


def cut_updates(index: Index) -> Iterator[Diagnosis]:
    """One for each kind of step whose recorded updates are all cut, in a run whose loss stands still, or has only begun."""
    for steps in index.kinds.values():
        cuts = [cut for step in steps if (cut := _cut(index, step)) is not None]
        stands = fresh(index, steps[-1]) or failure(course_of(index, steps[-1])) == "stands"
        if cuts and len(cuts) == len(steps) and stands and supervised(index, steps[-1]):
            yield _about(steps[0], cuts[0][0], max(share for _, share in cuts), len(cuts))


def _cut(index: Index, step: StepIndex) -> tuple[Optimizer, float] | None:
    """The optimizer, and the share of its update that the limit behind it leaves, judged by its rate; None where that is more, or unknown."""
    optimizer = optimizer_of(index, step)
    limit = optimizer.groups[0].settings.get("update_limit") if optimizer is not None and optimizer.groups else None
    if optimizer is None or not isinstance(limit, float) or limit <= 0:
        return None
    held = [p for p in step.step.parameters if p.optimizer == optimizer.name]
    moved = [p.update_norm for p in held if p.update_norm is not None]
    ratios = expected_ratios(step, optimizer, held)
    # a parameter that is 0 has no ratio: what is known of the others is the least that the update would be
    meant = hypot(*(ratio * p.norm for ratio, p in zip(ratios, held, strict=True) if ratio is not None and p.norm is not None))
    as_told = len(moved) < len(held) or isclose(hypot(*moved), limit, rel_tol=EXACT)
    return (optimizer, limit / meant) if as_told and meant > 0 and limit <= LEFT * meant else None


def _about(step: StepIndex, optimizer: Optimizer, share: float, count: int) -> Diagnosis:
    clip: Event | None = next((event for event in step.events("clip") if event.attributes.get("after")), None)
    name, limit = (clip.attributes["after"] if clip is not None else optimizer.native), optimizer.groups[0].settings["update_limit"]
    assert isinstance(limit, float)  # `_cut` has seen it
    return Diagnosis(
        "WG414",
        "wrong-order",
        "error",
        "measured",
        f"the clipping comes after `{name}` in the chain: it gets updates, not gradients, and leaves {share:.1g} of each",
        site=clip.site if clip is not None else optimizer.site,
        label=f"comes after `{name}`",
        evidence=(
            Evidence(
                f"in {plural(count, 'recorded update')} the norm of the whole update was {figure(limit)}, the limit; at the rate of `{name}` it is about {figure(limit / share)}",
                "share_left",
                share,
            ),
            *fell_told(step, WITHOUT, "without the limit"),
        ),
        help=f"put the clipping in front of `{name}` in the chain",
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=("updates",),
        test=Test(WITHOUT, "without the limit the loss falls at least twice as far", required=True),
    )
