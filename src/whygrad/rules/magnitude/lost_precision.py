"""WG514: what the labels say is finer than the numbers can tell apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan, prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.magnitude.coarse_phases import coarse_phases
from whygrad.rules.magnitude.numbers import exact, largest, spacing
from whygrad.rules.magnitude.scales import source_of
from whygrad.rules.phrases import distinct, figure, places, typed
from whygrad.rules.remedies import remedy, unseen

LEVELS = 8
"""Steps between the smallest and the largest label up to which little is left of them: three binary digits."""
_FORMS = ("layout", "cast", "select")
_SCALED = ("mul", "div", "neg", "add", "sub")


@dataclass(frozen=True, slots=True)
class Coarse:
    """Labels that differ by a few spacings of the numbers that they are held in, added to or compared with."""

    call: Call
    where: Value
    """The value whose spacing is too wide."""
    how: str
    """`held`, `added` or `compared`."""
    spacing: float
    spread: float
    """Largest less smallest label, in the units of `where`."""
    scaled: bool = False
    """The label is that times a number."""


@rule("WG514", "lost-precision", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The labels differ by less than the numbers that they are held in, taken from or compared with can tell apart.

    ## What it finds
    Floating labels whose whole range is at most eight spacings of their dtype at their size: seconds since 1970 in float32, which come in steps of 128, years in bfloat16, which come in steps of 8;
    labels that are the difference of such numbers; labels compared with predictions in half precision.

    And inputs of which a remainder, a sine or a cosine is taken, where fewer than eight of the numbers that their dtype has at this size lie in one cycle: the minute of a time in float32.

    ## Why it matters
    What tells one example from another was rounded off before the loss saw it. The loss stands at the size of the rounding.

    ## When it is fine
    Whole numbers that the dtype holds exactly: ids, ratings, counts. Two-valued labels. Labels that are all the same are another fault (`whygrad explain WG103`).

    ## How sure
    Proved by the recorded range of the labels and the spacing of their dtype.

    ## References
    `torch.finfo`, `numpy.spacing`.
    """
    told: dict[str, Coarse] = {}
    for call in calls(index):
        for found in coarse(call):
            told.setdefault(call.target.shown, found)
    yield from distinct(diagnosis(found) for found in told.values())
    yield from distinct(coarse_phases(index))


def coarse(call: Call) -> Iterator[Coarse]:
    """The place where a target's information is lost, if it is."""
    target = call.target
    if not target.dtype.startswith(("f", "bf")) or target.name in call.step.depends_on_parameters:
        return
    for where, how, made, factor in places_of(call):
        spread, size = spread_of(made, factor), spacing(where.dtype, largest(where if how == "added" else made))
        if spread and size is not None and spread <= LEVELS * size and not exact(made, size):
            yield Coarse(call, where, how, size, spread, abs(factor) != 1)
            return


def places_of(call: Call) -> Iterator[tuple[Value, str, Value, float]]:
    """The values that a target passed through, what it was the sum or difference of, and what it is compared with; each with the value whose range counts, and what that is to be multiplied by."""
    step, name = call.step, call.target.name
    yield call.target, "held", call.target, 1.0
    same, factor, moved = call.target, 1.0, False
    while name in step.producer:
        op = step.producer[name][1]
        rows = _of_rows(step, op)
        picked = family(op.kind) in _FORMS
        data = [
            given for given in op.inputs[: 1 if picked else None] if rows or not _single(step.value(given)) or _single(step.value(name))
        ]
        if op.kind in ("add", "sub"):
            yield from ((whole(step, given), "added", same, factor) for given in data)
        if len(data) != 1 or not (picked or op.kind in _SCALED):
            break
        name = data[0]
        factor, moved = (factor, moved) if picked else (factor * _undone(op), True)
        if moved and step.value(name).statistics is not None:
            same, factor, moved = step.value(name), 1.0, False
        if not moved:
            yield step.value(name), "held", same, factor
    # timid: a prediction that is still small says nothing of what it will be rounded to, so the label's size counts
    if call.contract.elementwise and call.contract.input == "real":
        yield call.prediction, "compared", call.target, 1.0


def whole(step: StepIndex, name: str) -> Value:
    """A value, or what it was picked from, whichever has figures."""
    value = step.value(name)
    return value if value.statistics is not None else step.value(step.origin(name, _FORMS))


def _of_rows(step: StepIndex, op: Op) -> bool:
    """Single labels that a data set made are put together to a batch here."""
    return op.kind == "concat" and all(_single(step.value(given)) for given in op.inputs)


def _undone(op: Op) -> float:
    """What the range of an op's result is to be multiplied by to have that of what it was made of; NaN where a scale is unknown."""
    by = op.attributes.get("by")
    if op.kind in ("neg", "add", "sub"):
        return 1.0
    if not isinstance(by, int | float) or not by:
        return nan
    return float(by) if op.kind == "div" else 1 / by if op.kind == "mul" else nan


def _single(value: Value) -> bool:
    """One number for all labels: a scale or an offset."""
    return value.shape is not None and prod(value.shape) == 1


def spread_of(value: Value, factor: float = 1.0) -> float | None:
    """Largest less smallest entry, times a factor; None where it is unknown or not finite."""
    figures = value.statistics
    if figures is None or figures.finite != 1.0 or figures.minimum is None or figures.maximum is None:
        return None
    spread = abs(factor) * (figures.maximum - figures.minimum)
    return spread if isfinite(spread) else None


def diagnosis(found: Coarse) -> Diagnosis:
    """What is said, where the labels were made or where they meet the wide numbers."""
    call, where = found.call, found.where
    site = site_of(call.step, found)
    how = {
        "held": f"{typed(where)} holds numbers that are {figure(found.spacing)} apart",
        "added": f"the labels are made of {typed(where)}, whose numbers are {figure(found.spacing)} apart",
        "compared": f"the labels are compared with {typed(where)}, whose numbers are {figure(found.spacing)} apart at their size",
    }[found.how]
    return Diagnosis(
        rule="WG514",
        name="lost-precision",
        severity="warning",
        confidence="proved",
        message=f"the labels `{call.target.shown}` differ by {figure(found.spread)} at most{', before they are scaled,' if found.scaled else ','} where {where.dtype} comes in steps of {figure(found.spacing)}",
        site=site or call.op.site,
        label=f"rounded to steps of {figure(found.spacing)}",
        related=places((call.op.site if site else None, "the loss compares with them here")),
        evidence=(
            Evidence(
                f"{how}; the labels range over {figure(found.spread)}, which is {found.spread / found.spacing:.1f} steps",
                "steps",
                found.spread / found.spacing,
            ),
        ),
        help="subtract what the labels have in common while they are in float64 or whole numbers, or divide by their spread, and convert then",
        facts=frozenset({Fact("odd-scale", call.target.name)}),
        explains=frozenset({Fact("stands", str(call.step.step.kind)), Fact("odd-scale", call.target.name)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(call.target.shown,),
        remedy=_unrounded(site),
    )


CASTS = ("float", "half", "bfloat16", "to", "astype", "cast", "type")
"""What makes fewer digits of numbers, in all frameworks."""


def _unrounded(site: Site | None) -> Remedy | None:
    """The labels in the type that they had, where they are put into a shorter one; whether the loss takes them, trying it shows."""
    cast = site is not None and any(f"{name}(" in site.text for name in CASTS)
    edit = Edit("unwrap", site, calls=CASTS) if site is not None and cast else None
    return unseen(remedy("leave the labels in the type that they had", edit, changes="what is computed with them has that type, too"))


def site_of(step: StepIndex, found: Coarse) -> Site | None:
    """Where the values got their dtype, or were handed out; for a comparison that is the loss."""
    if found.how == "compared":
        return None
    made = step.producer.get(step.origin(found.where.name, ("layout", "select")))
    return (made[1].site if made is not None else None) or source_of(step, found.where) or source_of(step, found.call.target)
