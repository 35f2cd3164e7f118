"""WG103: every label seen is the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, log

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.changes import backward_site, began_late
from whygrad.flow.makers import BROUGHT, maker
from whygrad.flow.origins import decided_at
from whygrad.idioms import idiom
from whygrad.ir import Batches, Site, Value
from whygrad.loss_contracts import REGRESSIONS, target_of
from whygrad.rules import rule
from whygrad.rules.labels.blanked import blanked
from whygrad.rules.labels.evidence import once_varied, varied
from whygrad.rules.labels.one_sided import one_sided
from whygrad.rules.phrases import distinct, figure, places, plural
from whygrad.rules.remedies import remedy

MAJORITY = 0.95
"""The share of its largest class up to which a data set should stay silent."""
CHANCE = 0.01
"""How often a sample from such a data set may look constant by luck."""
ENOUGH = ceil(log(CHANCE) / log(MAJORITY))
"""Labels that must have been seen: 0.95 ** 90 is just below 1 %."""

_DIFFERENCES = REGRESSIONS | {"sub"}
_REARRANGED = ("layout", "cast", "select")


@dataclass(frozen=True, slots=True)
class Constant:
    """Labels of one name over the recorded steps, all of one value."""

    step: StepIndex
    value: Value
    at: float
    """The value that all of them have."""
    examples: int
    batches: Batches | None = None
    """What the loader handed out over the run, where it made them."""


@rule("WG103", "constant-labels", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Every label seen is the same, so there is nothing to tell apart.

    ## What it finds
    Labels without any variety: a comparison with a threshold in the wrong unit, masks that were scaled twice, a file name that was split
    at the wrong character, a column of zeros. A step with several binary losses that all compare with one constant, such as a discriminator's that is told 1 of
    real and made examples alike. Labels that the step itself multiplies by 0, takes from themselves, or replaces by numbers in their form (`zeros_like`), whatever they hold.

    ## Why it matters
    A constant output reaches the best possible loss. The loss falls, the accuracy is 100 %, and nothing was learnt.

    ## When it is fine
    Targets that the program makes itself as constants (the ones and zeros of a GAN), labels beside those of another line that trains the same model, residuals that are driven to zero, one constant
    target beside others that vary, and entries that the loss ignores are left alone. A rare class may be missing from a few batches: with
    95 % in the largest class, n labels are all the same with probability 0.95 to the power of n. The rule speaks from 90 labels on,
    where that is below 1 %; entries of one example (pixels, tokens) count once.

    ## How sure
    Suspected where only the recorded steps were seen, and the message says how many labels. Where a data loader handed the labels out, all
    its batches over the run are counted, which proves it for this run. Where the step can be replayed, the labels are drawn anew, and the report says how far the gradient differs then.

    ## References
    `whygrad explain WG105` (every label is ignored), `WG109` (one class a batch, but not the same in all), `WG113` (imbalance).
    """
    yield from one_sided(index)
    gone = list(blanked(index))
    yield from gone
    for steps in runs(index) if not gone else ():
        columns = tuple(zip(*(step.step.labels.values for step in steps), strict=False))
        found = [constant(index, tuple(zip(steps, names, strict=True))) for names in columns]
        # timid: one constant target beside others that vary is often a boundary condition or a mask
        if found and None not in found:
            yield from distinct(diagnosis(index, one) for one in found if one and one.examples >= ENOUGH and not told_apart(index, one))


def runs(index: Index) -> Iterator[tuple[StepIndex, ...]]:
    """The steps of each kind, and all those of kinds that came in its place later on: labels that stop varying are seen in what follows."""
    for steps in index.kinds.values():
        yield tuple(steps)
        place = backward_site(steps[0])
        later = [s for s in index.steps if s.step.index > steps[-1].step.index and place is not None and backward_site(s) == place]
        if later:
            yield (*steps, *later)


def constant(index: Index, labels: tuple[tuple[StepIndex, str], ...]) -> Constant | None:
    """The labels of one name, step by step, if all of them are known to be the same and are meant as labels."""
    handed, late = handed_out(index, labels), began_late(index, labels[0][0])
    levels = {level(step, name) for step, name in labels}
    if handed and not late:
        levels.add(handed.minimum if handed.constant_batches == handed.seen and handed.minimum == handed.maximum else None)
    at = levels.pop() if len(levels) == 1 else None
    if at is None or not all(compared(step, name, at) for step, name in labels):
        return None
    step, name = labels[0]
    if not late:
        return Constant(step, step.value(name), at, counted(labels, handed), handed)
    # as many batches as were of one value: those before the labels stopped to vary were not
    many = handed.constant_batches * min(leading(step.value(name)) for step, name in labels) if handed else 0
    return Constant(step, step.value(name), at, max(many, counted(labels, None)))


def told_apart(index: Index, found: Constant) -> bool:
    """Steps of another kind run the same model, or a part of it, with labels that are constant as well, and others: a critic is told of real and of made examples by turns."""
    model = reached(found.step)
    others = (other for other in index.steps if other.step.kind != found.step.step.kind and reached(other) and reached(other) <= model)
    levels = {level(other, name) for other in others for name in other.step.labels.values}
    # labels that vary in other steps are those that later become constant
    return bool(model) and bool(levels - {None, found.at})


def reached(step: StepIndex) -> frozenset[str]:
    """The parameters that the step reads."""
    return frozenset(p.name for p in step.step.parameters if p.reached)


def handed_out(index: Index, labels: tuple[tuple[StepIndex, str], ...]) -> Batches | None:
    """The loader's element that these labels are, or were made from."""
    made_from = {name for step, label in labels for name in (label, base(step, label))}
    return next((batches for batches in index.record.batches if not made_from.isdisjoint(batches.values)), None)


def base(step: StepIndex, name: str) -> str:
    """The tensor that a label was cut out of: the whole data set, where the program indexes it."""
    return step.origin(name, _REARRANGED)


def level(step: StepIndex, name: str) -> float | None:
    """The one value of a label and of the tensor that it was cut out of; None if they vary, or nothing is known of them."""
    found = {only_entry(step.value(name))}
    source = step.value(base(step, name))
    if source.statistics is not None and source.name != name:
        found.add(only_entry(source))
    return found.pop() if len(found) == 1 else None


def only_entry(value: Value) -> float | None:
    """The value of every entry; None if they vary, or were not all seen, or are not numbers."""
    figures = value.statistics
    if figures is None or figures.sampled or figures.finite != 1.0 or figures.minimum != figures.maximum:
        return None
    return figures.minimum


def compared(step: StepIndex, name: str, at: float) -> bool:
    """The label is what a loss compares with, and its one value is not one that says "nothing to learn here"."""
    if step.value(name).role == "constant" or name in step.depends_on_parameters or made_here(step, name):
        return False
    below = step.downstream((name,))
    ops = [op for op in step.loss_ops() if target_of(op) is not None]
    mine = [op for op in ops if target_of(op) in below]
    if not mine and any(target_of(op) in step.from_data for op in ops):
        return False
    # timid: ones for what is real and zeros for what was made are two targets of one step
    if any(only_entry(step.value(target_of(op) or "")) not in (at, None) for op in ops):
        return False
    if not mine:
        mine = [op for op in step.graph.ops if op.kind == "sub" and not below.isdisjoint(op.inputs)]
    # timid: ids that the loss ignores are WG105's, and a residual that is driven to zero has zeros for its target
    ignored = any(op.attributes.get("ignore_index") == at for op in mine)
    residual = at == 0 and step.value(name).dtype.startswith(("f", "bf")) and any(op.kind in _DIFFERENCES for op in mine)
    return not ignored and not residual and not below.isdisjoint(step.shapes_loss)


def made_here(step: StepIndex, name: str) -> bool:
    """The step itself filled it with a constant, or with one number that it was given."""
    source = base(step, name)
    one = step.value(source).shape == () and step.value(name).shape != ()
    return one or step.value(source).role == "constant" or (source in step.producer and step.producer[source][1].kind == "create")


def counted(labels: tuple[tuple[StepIndex, str], ...], handed: Batches | None) -> int:
    """How many labels were seen: rows, since the entries of one example are not independent. The same tensor counts once, and as a whole only where it was looked at as a whole."""
    rows = {name: leading(step.value(name)) for step, name in labels}
    bases = [step.value(base(step, name)) for step, name in labels]
    whole = max((leading(value) for value in bases if only_entry(value) is not None), default=0)
    if handed is not None:
        return max(handed.seen * min(rows.values()), whole)
    return max(sum(rows.values()), whole)


def leading(value: Value) -> int:
    """Rows of a value: its size along the first axis."""
    return value.shape[0] if value.shape else 1


def diagnosis(index: Index, found: Constant) -> Diagnosis:
    """What is said, where the labels came from."""
    name, at = found.value.shown, figure(found.at)
    many = plural(found.examples, "label")
    since = f" from step {found.step.step.index} on" if began_late(index, found.step) else ""
    over = f"in all {plural(found.batches.seen, 'batch')} of the run" if found.batches else f"in the recorded steps{since}"
    loss = next((op.site for op in found.step.loss_ops()), None)
    site, said = origin_site(index, found.step, found.value.name)
    return Diagnosis(
        rule="WG103",
        name="constant-labels",
        severity="warning",
        confidence="proved" if found.batches else "suspected",
        message=f"every label in `{name}` is {at}{since}: {many} seen, no two of them different",
        site=site or loss,
        label=said if site else "the loss compares with them here",
        related=places(*further(index, found.value.name), (loss if site else None, "the loss compares with them here")),
        evidence=(
            Evidence(f"`{name}` ({found.value.type}) has minimum {at} and maximum {at} {over}", "labels", found.examples),
            chance(found),
            *once_varied(found.step, found.value.name),
        ),
        help=f"print a few entries of `{name}` where the data are made; look for a comparison in the wrong unit, a second scaling, or a name that never matches",
        facts=frozenset({Fact("constant", found.value.name)}),
        explains=frozenset({Fact("insensitive", str(found.step.step.kind))}),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(name,),
        test=varied(found.step, found.value.name),
        remedy=_told_apart(site) if found.at == 0 else None,
    )


_SCALED = re.compile(r"[\w.\[\]]+\s*/\s*255(\.0*)?(?![\w.])")
_COMPARED = re.compile(r"(?<![\w.\]])([A-Za-z_]\w*)\s*==\s*[\"'][^\"']*[\"']")


def _told_apart(site: Site | None) -> Remedy | None:
    """Masks that are scaled before they are compared, and names that are compared with blanks at their ends: whether it was that, trying it shows."""
    scaled, compared = (pattern.search(site.text) if site is not None else None for pattern in (_SCALED, _COMPARED))
    if site is not None and scaled is not None:
        at = replace(site, column=scaled.start() + 1, end_column=scaled.end() + 1, end_line=site.line)
        return remedy("leave the scaling out", Edit("unwrap", at), changes="masks are compared as they come, if they come between 0 and 1")
    if site is None or compared is None:
        return None
    at = replace(site, column=compared.start(1) + 1, end_column=compared.end(1) + 1, end_line=site.line)
    stripped = Edit("replace", at, f"numpy.char.strip({compared[1]})")
    return remedy("compare without blanks at the ends", stripped, changes="entries that differ in such blanks alone count as the same")


def chance(found: Constant) -> Evidence:
    """How improbable that is by luck."""
    probability = MAJORITY**found.examples
    return Evidence(
        f"had one class {100 * MAJORITY:.0f} % of all labels, {found.examples} in a row would be of that class with a probability of {figure(probability)}",
        "chance",
        probability,
    )


def further(index: Index, name: str) -> tuple[tuple[Site, str], ...]:
    """What the labels are decided from."""
    return tuple((site, "and comes from here") for site in decided_at(index, name)[1:2])


def origin_site(index: Index, step: StepIndex, name: str) -> tuple[Site | None, str]:
    """The line that decides the labels, or that at which they came into the step."""
    recorded, decided = maker(index, step, name), decided_at(index, name)
    if decided and (recorded is None or recorded.op.kind in BROUGHT):
        return decided[0], "the labels are decided here"
    source = base(step, name)
    made = step.producer.get(source) or step.producer.get(name)
    if made and made[1].site:
        return made[1].site, "the labels are made here"
    handed = next((event.site for event in step.events("batch") if not {source, name}.isdisjoint(event.targets)), None)
    return handed, f"the labels come from {idiom(index, 'loader')} here"
