"""Weights of positive labels that are the wrong way round: the rare class, which was to count for more, counts for less."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, log

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.makers import maker
from whygrad.idioms import speaks_torch
from whygrad.ir import Value
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.phrases import figure, percent, places, typed
from whygrad.rules.remedies import remedy

RARE = 3.0
"""How many times more often the one class must occur than the other: nearer to one another, weights of any kind change little."""
NEAR = 2.0
"""Factor by which the weight may differ from the ratio of the classes in the recorded batches, of which a few rare labels tell no more: of 10 the deviation is a third."""
FEWEST = 5
"""Labels of the rare class from which the ratio is known so far: where five are to be expected, and five or more are seen, it is within a factor of 2 in 98 of 100 draws (10: 99.8)."""
STEPS = 2


@dataclass(frozen=True, slots=True)
class Weighted:
    """Losses of one line that weigh positive labels, over the recorded steps."""

    call: Call
    weight: Value
    by: float
    share: float
    """Of positive ones among all labels."""
    seen: int


def turned_weights(index: Index) -> Iterator[Diagnosis]:
    """One for each line at which a loss is given such a weight."""
    by_line: dict[object, list[Call]] = {}
    for call in calls(index):
        if call.op.kind == "bce_with_logits" and call.op.site is not None:
            by_line.setdefault(call.op.site.line_of_code, []).append(call)
    for found in by_line.values():
        weighted = _weighted(found) if len(found) >= STEPS else None
        if weighted is not None and _is_turned(weighted):
            yield _said(index, weighted)


def _weighted(found: list[Call]) -> Weighted | None:
    """The same weight in all recorded steps, and the share of ones over all of them."""
    weights = [_weight(call) for call in found]
    levels = {weight.statistics.maximum for weight in weights if weight is not None and weight.statistics is not None}
    figures = [call.target.statistics for call in found]
    ones = [
        f for f in figures if f is not None and f.mean is not None and (f.minimum, f.maximum) in ((0, 1), (0, 0), (1, 1)) and f.whole == 1.0
    ]
    by = levels.pop() if len(levels) == 1 and None not in weights else None
    count = sum(f.count for f in ones)
    if by is None or weights[0] is None or len(ones) < len(found) or not count:
        return None
    return Weighted(found[0], weights[0], by, sum((f.mean or 0.0) * f.count for f in ones) / count, count)


def _weight(call: Call) -> Value | None:
    """The only number that the loss is given beside prediction and target."""
    others = [call.step.value(name) for name in call.op.inputs if name not in (call.prediction.name, call.target.name)]
    figures = others[0].statistics if len(others) == 1 else None
    return others[0] if figures is not None and figures.count == 1 and others[0].name not in call.step.depends_on_parameters else None


def _is_turned(found: Weighted) -> bool:
    """The weight is the ratio of positive to negative labels, where its inverse makes both count alike."""
    rare = min(found.share, 1 - found.share)
    if not isfinite(found.by) or found.by <= 0 or rare * found.seen < FEWEST:
        return False
    odds = found.share / (1 - found.share)
    # timid: a weight of another size than this ratio may have been chosen to be careful with positive answers
    return abs(log(odds)) >= log(RARE) and abs(log(found.by / odds)) <= log(NEAR)


def _said(index: Index, found: Weighted) -> Diagnosis:
    """What is said, where the weight is made."""
    call, share = found.call, found.share
    made = maker(index, call.step, found.weight.name)
    site = made.op.site if made is not None else None
    few, kind = "positive" if share < 1 - share else "negative", str(call.step.step.kind)
    now, turned = (share * by / (share * by + 1 - share) for by in (found.by, 1 / found.by))
    return Diagnosis(
        rule="WG108",
        name="few-labels-used",
        severity="warning",
        confidence="suspected",
        message=f"the weight of positive labels is the wrong way round: the {few} ones are few, and count for less still",
        site=site or call.op.site,
        label="is the ratio of positive to negative labels" if site else "the weight is used here",
        related=places((call.op.site if site else None, "the labels are weighed with it here")),
        evidence=(
            Evidence(
                f"{percent(share, 1)} of {found.seen:,} labels seen in {typed(call.target)} are 1, and the weight is {figure(found.by)}: they make up {percent(now, 1)} of what counts",
                "share",
                share,
            ),
            Evidence(f"with its inverse, {figure(1 / found.by)}, they would make up {percent(turned)}", "turned", turned),
        ),
        help="divide the other way: the number of negative labels by that of positive ones",
        facts=frozenset({Fact("odd-input", found.weight.name)}),
        explains=frozenset({Fact("stands", kind), Fact("imbalanced", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(found.weight.shown,),
        remedy=remedy("turn the ratio round", Edit("wrap", site, "1 / {x}"), changes="the rare class counts for more")
        if site is not None and speaks_torch(index)
        else None,
    )
