"""WG204: a label outside of what its loss is defined for."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.births import origin
from whygrad.flow.makers import making_site
from whygrad.flow.written import made_within
from whygrad.idioms import idiom, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.loss.amounts import for_amounts
from whygrad.rules.loss.calls import Call, about_labels, about_loss, bounds, calls, known, once_a_fault, relabelled
from whygrad.rules.loss.ids import Outside, outsiders, seen
from whygrad.rules.loss.regression_for_classes import an_output_each
from whygrad.rules.loss.sparse_labels_for_dense_loss import compares_columns
from whygrad.rules.loss.written_hinges import written_hinges
from whygrad.rules.phrases import figure, percent, typed
from whygrad.rules.remedies import GIVEN, names_of, operand, remedy, setting
from whygrad.rules.remedies_of_settings import in_place_of

MOSTLY = 0.5
"""Share of whole numbers from which on labels are no amounts."""
TOLERANCE = 1e-3
"""How far rounding may take a share outside of 0 to 1."""
_PROBABILITIES = frozenset(("binary_cross_entropy", "bce_with_logits", "kl_div"))
_ENDLESS = ("binary_cross_entropy", "bce_with_logits")
_SIGNED = ("soft_margin_loss", "hinge_embedding_loss", "cosine_embedding_loss", "margin_ranking_loss")


@rule("WG204", "label-out-of-range", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Labels lie outside of the range that the loss is defined for.

    ## What it finds
    Class ids counted from 1, or with a mark such as 255 or -1 that the loss was not told to ignore; targets of a binary cross-entropy
    outside of 0 to 1, as masks that are still 0 and 255, or amounts, for which the loss is the wrong one; zeros and ones where a margin loss needs -1 and 1, be it called or written out as `max(0, 1 - y * score)`.

    ## Why it matters
    Ids raise an exception, on a GPU one that names no line. A binary cross-entropy on targets of 255 has no lower bound, so that the loss
    falls for ever. A margin loss multiplies the score with the label: a label of 0 makes that example constant, and nothing pushes its
    score down.

    ## When it is fine
    Targets a rounding error outside of 0 to 1 are left alone, and so are those with random noise added: noisy labels are how some adversarial
    networks are steadied. A 0 is a tie for a ranking loss as long as some label is -1. Where the ids only
    outnumber the model's outputs, the outputs are at fault: WG220.

    ## How sure
    Proved by the values that the loss was given; for margin losses all recorded labels, and all that the loader handed out, are looked at.

    ## References
    `torch.nn.BCEWithLogitsLoss`, `torch.nn.SoftMarginLoss`, `ignore_index` of `torch.nn.CrossEntropyLoss`; `whygrad explain WG220`.
    """
    ids = [about_ids(found) for found in outsiders(index) if not found.too_few_outputs]
    odd = [call for call in calls(index) if call.op.kind in _PROBABILITIES and beyond(call) and not compares_columns(call)]
    shares = [about_amounts(call) if amounts(call) else about_shares(call) for call in odd]
    signs = [about_signs(call) for call in calls(index) if unsigned(index, call)]
    hinges = [about_hinge(call, product) for call, product in written_hinges(index) if zeros_for_signs(index, call)]
    yield from once_a_fault((*ids, *shares, *signs, *hinges))


def beyond(call: Call) -> bool:
    """Some target lies outside of 0 to 1, and not in the logarithms that a divergence may be given."""
    range_ = bounds(call.target)
    if range_ is None or call.op.attributes.get("log_target") is True:
        return False
    # timid: zeros and ones with a little random noise are meant
    return (range_[0] < -TOLERANCE or range_[1] > 1 + TOLERANCE) and not noisy(call)


def noisy(call: Call) -> bool:
    """The target is a sum with random numbers in it, and nearer to 0 to 1 than the width of that range."""
    made = (call.step.producer[name][1] for name in call.step.upstream(call.target.name) if name in call.step.producer)
    low, high = bounds(call.target) or (0.0, 0.0)
    return low > -1 and high < 2 and any(op.kind == "random" for op in made)  # noqa: PLR2004 - within 1 of the range


def unsigned(index: Index, call: Call) -> bool:
    """A margin loss that was given zeros and ones, and never a -1."""
    return any(name in call.op.native for name in _SIGNED) and zeros_for_signs(index, call)


def zeros_for_signs(index: Index, call: Call) -> bool:
    """The labels of all calls at the place are zeros and ones, and some are zeros."""
    figures = known(call.target)
    if figures is None or figures.whole != 1.0 or not figures.zeros:
        return False
    same = [call, *(other for other in calls(index) if other.op.site == call.op.site)]
    ranges = [seen(other) for other in same]
    return all(low is not None and low >= 0 and high == 1 for low, high in ranges)


def about_ids(found: Outside) -> Diagnosis:
    """Ids that are counted from 1, or marks."""
    call, name = found.call, found.call.target.shown
    last = found.classes - 1
    if found.from_one:
        label, help_ = "the ids begin at 1", f"subtract 1 where the labels are made, so that they run from 0 to {last}"
    else:
        label = f"{figure(found.offender)} is no class"
        help_ = f"{idiom(call.index, 'ignore an id', id=figure(found.offender), labels=call.target.written)} if it marks what must not count; else give every label an id from 0 to {last}"
    return about_labels(
        call,
        label,
        f"`{call.called}` counts classes from 0 to {last} here",
        rule="WG204",
        name="label-out-of-range",
        severity="error",
        confidence="proved",
        message=f"`{name}` holds the class id {figure(found.offender)}, and `{call.called}` has the classes 0 to {last}",
        evidence=(Evidence(f"{typed(call.prediction)} has {found.classes} classes; `{name}` {_range(found)}", "label", found.offender),),
        help=help_,
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=made_within(call.op),  # JAX fills what lies outside with NaN
        remedy=_of_ids(found),
    )


def _range(found: Outside) -> str:
    if found.low is None or found.high is None:
        return f"holds {figure(found.offender)}"
    return f"runs from {figure(found.low)} to {figure(max(found.high, found.offender))}"


def amounts(call: Call) -> bool:
    """One number for each example, and most of them no whole ones: prices and lengths, not marks or pixels."""
    figures, shape = known(call.target), call.target.shape or ()
    return figures is not None and figures.whole is not None and figures.whole < MOSTLY and prod(shape[1:]) == 1 and len(shape) > 0


def about_amounts(call: Call) -> Diagnosis:
    """Real numbers, one for each example, for a loss on shares: the loss is what was mistaken."""
    low, high = bounds(call.target) or (0.0, 0.0)
    name, figures = call.target.shown, known(call.target)
    share = figures.whole if figures is not None and figures.whole is not None else 0.0
    return about_loss(
        call,
        "needs targets between 0 and 1",
        rule="WG204",
        name="label-out-of-range",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` needs targets between 0 and 1, and `{name}` holds amounts from {figure(low)} to {figure(high)}",
        evidence=(
            Evidence(f"{typed(call.target)} has minimum {figure(low)} and maximum {figure(high)}, and {percent(share)} of it are whole numbers", "maximum", high),
        ),
        help="for amounts take a loss on real numbers, such as the mean squared error, and an output without a sigmoid",
        remedy=for_amounts(call),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=frozenset(_without_end(call)),
    )  # fmt: skip


def about_shares(call: Call) -> Diagnosis:
    """Targets outside of 0 to 1."""
    low, high = bounds(call.target) or (0.0, 0.0)
    name = call.target.shown
    scale = f"divide by {figure(high)} where the labels are made" if low >= 0 else "scale the labels to lie between 0 and 1"
    one_of_two = known(call.target)
    two = one_of_two is not None and one_of_two.distinct == 2  # noqa: PLR2004 - yes and no
    ids = ids_for_one_output(call)
    return about_labels(
        call,
        f"`{name}` lies between {figure(low)} and {figure(high)}",
        f"`{call.called}` needs targets between 0 and 1 here",
        rule="WG204",
        name="label-out-of-range",
        severity="error",
        confidence="proved",
        message=f"`{call.called}` needs targets between 0 and 1, and `{name}` goes {'up to ' + figure(high) if high > 1 else 'down to ' + figure(low)}",
        evidence=(Evidence(f"{typed(call.target)} has minimum {figure(low)} and maximum {figure(high)}", "maximum", high),),
        help=idiom(call.index, "threshold", name=call.target.written, limit=figure((low + high) / 2))
        if two
        else _several(call, high)
        if ids
        else scale,
        remedy=an_output_each(call) if ids else _of_shares(call, low, high, two=two),
        facts=frozenset({Fact("odd-input", call.target.name)}),
        explains=frozenset(_without_end(call)),
    )


def _without_end(call: Call) -> Iterator[Fact]:
    """A loss without a minimum drives the scores on and on: it runs down for ever (WG215), and numbers that were finite at first are not later on."""
    if call.op.kind in _ENDLESS and any(c.last is not None and c.last < 0 for c in call.index.record.courses):
        yield from (Fact("diverges", str(call.step.step.kind)), *(Fact("odd-input", loss) for loss in call.step.losses))
    found = origin(call.index)
    began = {course.non_finite for course in call.index.record.courses} | {found.birth.step if found is not None else None}
    if call.op.kind not in _ENDLESS or 0 in began or began <= {None}:
        return
    yield from (Fact("non-finite", name) for step in call.index.steps for name, value in step.values.items() if value.role == "loss")
    if found is not None and found.op is not None and not found.step.shapes_loss.isdisjoint(found.op.outputs):
        yield from (Fact("non-finite", name) for name in found.op.outputs)


def ids_for_one_output(call: Call) -> bool:
    """Every whole number from 0 to the largest occurs, one for each example, and there is one output: classes that were counted, not shares."""
    figures, shape = known(call.target), call.target.shape or ()
    if figures is None or figures.whole != 1.0 or figures.minimum != 0.0 or not shape or prod(shape[1:]) != 1:
        return False
    labels = [call.step.value(name).statistics for name in call.step.step.labels.values]
    distinct = max((count for found in (figures, *labels) if found is not None and (count := found.distinct) is not None), default=0)
    return figures.maximum is not None and figures.maximum + 1 == distinct > 2 and prod((call.prediction.shape or (0,))[1:]) == 1  # noqa: PLR2004 - more than yes and no


def _several(call: Call, high: float) -> str:
    """What to do about classes that one output is to tell apart."""
    classes = int(high) + 1
    ids = idiom(call.index, "classes for one output", classes=classes)
    return f"the labels are the whole numbers from 0 to {figure(high)}, as ids of {classes} classes are: {ids}"


def about_signs(call: Call) -> Diagnosis:
    """Zeros and ones for a loss on signs."""
    name, zeros = call.target.shown, known(call.target)
    share = zeros.zeros if zeros is not None and zeros.zeros is not None else 0.0
    function = call.op.native.rsplit(".", 1)[-1] or call.op.kind
    return about_labels(
        call,
        f"`{name}` holds 0 and 1, never -1",
        f"`{function}` multiplies the score with the label here",
        rule="WG204",
        name="label-out-of-range",
        severity="error",
        confidence="proved",
        message=f"`{function}` needs labels -1 and 1, and `{name}` holds 0 and 1",
        evidence=(
            Evidence(f"{percent(share)} of `{name}` are 0: the loss of those examples does not depend on the prediction", "zeros", share),
        ),
        help=f"pass `2 * {call.target.written} - 1`",
        remedy=relabelled(call, "pass signs", "2 * {x} - 1"),
        facts=frozenset({Fact("odd-input", call.target.name)}),
    )


def about_hinge(call: Call, product: Op) -> Diagnosis:
    """Zeros and ones for a hinge that is written out."""
    name, zeros = call.target.shown, known(call.target)
    share = zeros.zeros if zeros is not None and zeros.zeros is not None else 0.0
    return replace(
        about_signs(call),
        site=product.site,
        label=f"the score is multiplied with `{name}`, and what is below zero behind it is cut off",
        related=(),
        message=f"a hinge loss needs labels -1 and 1, and `{name}` holds 0 and 1",
        evidence=(
            Evidence(
                f"{percent(share)} of `{name}` are 0: the loss of those examples is the same for any prediction, and nothing else reads their scores",
                "zeros",
                share,
            ),
        ),
        help=f"use `2 * {call.target.written} - 1` in place of `{call.target.written}`",
        remedy=remedy("use signs", operand(product, call.target, "2 * {x} - 1")),
    )


def _of_ids(found: Outside) -> Remedy | None:
    """Ids from 0 on; a mark is ignored, which is a guess at what it stands for."""
    call = found.call
    if found.from_one:
        if call.op.attributes.get("one_hot") and call.op.site is not None:
            return remedy("count the classes from 0", Edit("wrap", call.op.site, "{x} - 1", ("one_hot",), position=GIVEN))
        return relabelled(call, "count the classes from 0", "{x} - 1")
    ignoring, mark = "ignore_index" if speaks_torch(call.index) else "ignore_class", figure(found.offender)
    return remedy(
        f"ignore the id {mark}",
        setting(call.op.site, ignoring, mark, calls=names_of(call.op)),
        changes=f"entries with the id {mark} no longer count",
    )


def _of_shares(call: Call, low: float, high: float, *, two: bool) -> Remedy | None:
    """Targets between 0 and 1: yes or no by the larger of two values, else shares of the largest."""
    if two:
        limit = figure((low + high) / 2)
        one = in_place_of(making_site(call.index, call.step, call.target.name), high, "1") if not low else None
        text = spelling(call.index, "threshold", data=True, limit=limit)
        return relabelled(call, "make zeros and ones of the two values", text, written=one)
    if low < 0 or not high > 1:
        return None
    return relabelled(
        call, f"divide by {figure(high)}", f"{{x}} / {figure(high)}", changes="labels are read as shares of the largest one seen"
    )
