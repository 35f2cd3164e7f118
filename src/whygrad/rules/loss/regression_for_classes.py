"""WG213: a regression on class ids."""

import re
from collections.abc import Iterator
from math import sqrt

from whygrad.diagnosis import Confidence, Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.makers import edited_at, layer_behind, sized_at
from whygrad.idioms import idiom, names_activations, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Fit, Op, Statistics
from whygrad.loss_contracts import REGRESSIONS
from whygrad.rules import rule
from whygrad.rules.loss.best_scores import best_scores
from whygrad.rules.loss.calls import INTEGERS, Call, about_loss, calls, known, went_back
from whygrad.rules.phrases import figure, percent, typed
from whygrad.rules.remedies import ACTIVATIONS, operand, other_loss, remedy, setting
from whygrad.rules.remedies_of_settings import sized

FEWEST, MOST = 3, 30
"""Different ids between which a lack of order can be guessed: two are a yes or no, and hundreds are a count."""
ENOUGH = 30
"""Labels that must have been seen for their spread to mean anything."""
NEAR = 0.2
"""Share by which mean and standard deviation may differ from those of equally frequent ids 0, 1, 2, …; of 30 labels they differ by less in nine cases of ten."""
_ORIGIN = ("layout", "cast", "select")
UNORDERED = 0.05
"""
Share of other numberings that must be fitted better than the given one. Of 24 tables of classes whose numbers mean nothing it was 0.12 and more in 23; of 48 tables of
quantities with 4 to 10 levels, half of them hardly told by their inputs, 0.02 at most.
"""
TOLD = 0.7
"""Share of rows whose class a fit must name: of what the inputs do not tell, no numbering is fitted well."""


@rule("WG213", "regression-for-classes", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A squared or absolute error is taken on class ids, as if class 4 were twice class 2.

    ## What it finds
    A regression loss with one output whose target is token ids that an embedding reads as well, or integers that look like class ids: 0, 1,
    2, … without a gap, each about equally often, and made as integers, or measured to have no order. And the largest of several scores (`values, _ = torch.max(scores, 1)`) that is compared with as many ids as there are scores.

    ## Why it matters
    The network is rewarded for naming a class in the middle. Classes whose numbers happen to be neighbours are mixed up, and those in the
    middle are never told apart from a doubt between the ends.

    ## When it is fine
    Counts, ratings, ages and other quantities are whole numbers with an order. They are rarely equally frequent from 0 on; ratings begin at
    1. Labels that were computed (sums, differences) are quantities.

    ## How sure
    Proved where the same tensor is read by an embedding, which has no order either; measured where fits of the first rows reach the same classes better under other numbers, and one
    output for each tells them apart; else suspected from the labels' figures.

    ## References
    `torch.nn.CrossEntropyLoss`, with one output for each class.
    """
    winners = list(best_scores(index))
    yield from winners
    told, seen = {found.site for found in winners}, set[object]()
    for call in calls(index):
        sure = confidence(index, call)
        if sure is not None and call.op.site not in told and (call.op.site, call.op.kind) not in seen:
            seen.add((call.op.site, call.op.kind))
            yield diagnosis(call, sure)


def confidence(index: Index, call: Call) -> Confidence | None:
    """How sure it is that the target holds class ids; None where it does not look like it."""
    step, source = call.step, call.step.value(call.step.origin(call.target.name, _ORIGIN))
    figures = known(call.target)
    if call.op.kind not in REGRESSIONS or figures is None or figures.whole != 1.0 or figures.distinct is None or figures.distinct < FEWEST:
        return None
    measured = unordered(index, source.name)
    whole = (
        (source.dtype in INTEGERS or measured is not None)
        and call.target.name not in step.depends_on_parameters
        and (call.prediction.shape or ()) == (call.target.shape or ())
    )
    if not whole or figures.sampled or (figures.minimum or 0) < 0:
        return None
    if any(op.kind == "embedding" and any(step.origin(name, _ORIGIN) == source.name for name in op.inputs) for op in step.graph.ops):
        return "proved"
    same = [known(other.target) for other in calls(index) if other.op.site == call.op.site]
    made = step.producer.get(source.name)
    quantity = made is not None and made[1].kind not in ("random", "enter", "create")
    if quantity or not uniform([one for one in same if one is not None]):
        return None
    return "suspected" if measured is None else "measured"


def unordered(index: Index, name: str) -> Fit | None:
    """The fit that shows that the numbers of these labels have no order: others in their place are fitted better, and one column for each tells them apart."""
    fits = (fit for fit in index.record.fits if name in fit.labels and fit.better is not None and fit.told is not None)
    return next((fit for fit in fits if (fit.better or 0.0) >= UNORDERED and (fit.told or 0.0) >= TOLD), None)


def uniform(groups: list[Statistics]) -> bool:
    """Ids from 0 without a gap, each about equally often."""
    count, top = sum(one.count for one in groups), max(one.maximum or 0 for one in groups)
    distinct = max(one.distinct or 0 for one in groups)
    if count < ENOUGH or not FEWEST <= distinct <= MOST or distinct != top + 1 or min(one.minimum or 0 for one in groups) != 0:
        return False
    mean = sum((one.mean or 0.0) * one.count for one in groups) / count
    square = sum(((one.std or 0.0) ** 2 + (one.mean or 0.0) ** 2) * one.count for one in groups) / count
    expected = sqrt((distinct**2 - 1) / 12)
    return abs(mean - top / 2) <= NEAR * top / 2 and abs(sqrt(max(square - mean**2, 0.0)) - expected) <= NEAR * expected


def diagnosis(call: Call, sure: Confidence) -> Diagnosis:
    """What is said, at the loss."""
    figures, name = known(call.target), call.target.shown
    low, high = (figures.minimum, figures.maximum) if figures else (None, None)
    why = "an embedding reads the same ids" if sure == "proved" else "each about equally often"
    fit = unordered(call.index, call.step.origin(call.target.name, _ORIGIN)) if sure == "measured" else None
    return about_loss(
        call,
        "measures how far apart the numbers of two classes are",
        rule="WG213",
        name="regression-for-classes",
        severity="warning",
        confidence=sure,
        message=f"`{call.called}` treats `{name}` as a quantity, and it {'seems to hold' if sure == 'suspected' else 'holds'} class ids",
        evidence=(
            Evidence(
                f"{typed(call.target)} {'holds' if fit else 'was made as'} whole numbers from {figure(low)} to {figure(high)}, {why}",
                "distinct",
                figures.distinct if figures else None,
            ),
            *(_measured(fit) if fit is not None else ()),
        ),
        help=idiom(call.index, "output each", ids=_as_ids(call)),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        remedy=an_output_each(call),
    )


def _measured(fit: Fit) -> Iterator[Evidence]:
    yield Evidence(
        f"fits on {fit.rows} rows: {percent(fit.better or 0.0)} of other numberings of the same classes are fitted better than 0, 1, 2, …, and one output for each names {percent(fit.told or 0.0)} of the rows",
        "better",
        fit.better,
    )


def _as_ids(call: Call) -> str:
    """What stands for the ids in code: whole numbers, as they were before they were made floating ones for this loss."""
    before = call.step.value(call.step.origin(call.target.name, ("cast",)))
    if before.dtype.startswith(("i", "u")) and before.called:
        return before.written
    if unordered(call.index, before.name) is not None:
        whole = (
            "tf.cast({}, tf.int32)" if speaks(call.index, "tensorflow") else "{}.long()" if speaks_torch(call.index) else "{}.astype(int)"
        )
        return whole.format(call.target.written)
    return _FLOATED.sub("", call.target.written.strip("()")) if _FLOATED.search(call.target.written) else call.target.written


_FLOATED = re.compile(r"\.(?:float\(\)|(?:astype|to)\([^()]*\))\)?$")
"""What makes floating numbers of ids, at the end of an expression."""


def an_output_each(call: Call) -> Remedy | None:
    """One output for each class, with a softmax where a sigmoid was, and the cross-entropy on ids."""
    behind, figures = layer_behind(call.step, call.prediction.name), known(call.target)
    site = sized_at(behind[1], 1) if behind is not None and behind[1] is not None else None
    widened = sized(site, 1, int(figures.maximum) + 1) if figures is not None and figures.maximum is not None else None
    if widened is None or site is None or behind is None or not handed_on(call, behind[0]):
        return None
    torch = speaks_torch(call.index)
    ids = [operand(call.op, call.target, "{x}.long()" if len(call.target.shape or ()) == 1 else "{x}.long().flatten()")] if torch else []
    squashed = went_back(call.step, call.op)
    place = edited_at(call.step, squashed) if squashed is not None else None
    shares = [setting(site, "activation", '"softmax"')] if not torch and names_activations(call.index) else []
    if place is not None and squashed is not None and place.line_of_code != site.line_of_code:
        shares = [Edit("swap", place, spelling(call.index, "softmax", axis=-1), ACTIVATIONS[squashed.kind])]
    return remedy(
        "give each class an output of its own",
        *widened.edits,
        other_loss(call.index, call.op, "cross-entropy by ids"),
        *ids,
        *shares,
        changes="the model gives a score for each class, of which the largest is the answer",
    )


def handed_on(call: Call, layer: Op) -> bool:
    """The loss is given what the layer makes, without an axis of size 1 at most, which PyTorch leaves alone where there are more."""
    name, step = call.prediction.name, call.step
    while name in step.producer and step.producer[name][1] is not layer:
        op = step.producer[name][1]
        last_of_layer = op.kind == "add" and layer.output in op.inputs
        if not last_of_layer and not (speaks_torch(call.index) and op.native.rsplit(".", 1)[-1] == "squeeze"):
            return False
        name = layer.output if last_of_layer else op.inputs[0]
    return True
