"""WG501: NaN or infinity in what the step is given."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.births import Origin, origin
from whygrad.flow.makers import making_site
from whygrad.idioms import idiom
from whygrad.idioms.spellings import SPELLINGS, spelling
from whygrad.ir import Site, family
from whygrad.rules import rule
from whygrad.rules.magnitude.phrases import consequences, differentiated, when
from whygrad.rules.magnitude.scales import data_of
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import before_loop, behind, remedy

_WHAT = {"label": "the labels", "parameter": "the parameter", "buffer": "the buffer"}


@rule("WG501", "non-finite-input", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Inputs, labels or initial parameters hold NaN or infinity before the model has computed anything.

    ## What it finds
    A loss that is not finite because a value that the step was given was not: missing entries of a table read as NaN, a division by a
    column's zero standard deviation, a checkpoint of a run that had diverged.

    ## Why it matters
    One NaN in one example makes the loss NaN, then all gradients, then all parameters, for the rest of the run.

    ## When it is fine
    Infinities in a mask that is added before a softmax are finite again behind it, and NaN in a column that the model drops or replaces
    never reaches the loss: both stay silent, since only values that make the loss NaN or infinite count.

    ## How sure
    Proved: all entries are looked at, and the loss is followed back to them.

    ## References
    `whygrad explain WG502` (the model makes them), `WG504` (the update makes them), `WG515` (a parameter was never written).
    """
    found = origin(index)
    if found is None or found.birth.stage != "given" or found.value is None or uninitialised(found):
        return
    # timid: parameters that were finite in an earlier step are the update's doing (WG503, WG504)
    if found.value.role == "parameter" and found.birth.step > 0:
        return
    yield diagnosis(index, found)


def uninitialised(found: Origin) -> bool:
    """A parameter that nothing was ever written to is WG515's."""
    return any(p.unwritten for p in found.step.step.parameters if found.value is not None and p.value == found.value.name)


def place(index: Index, found: Origin) -> tuple[Site | None, str]:
    """Where the value was made or handed out, or else first read."""
    name = found.value.name if found.value is not None else ""
    made = found.step.producer.get(name)
    picked = made is not None and family(made[1].kind) in ("select", "layout")
    if made is not None and made[1].site is not None:
        entries = making_site(index, found.step, name) if picked else None
        return (entries, "it is a part of what is made here") if entries not in (None, made[1].site) else (made[1].site, "it is made here")
    handed = _handed(found)
    entries = making_site(index, found.step, name)
    if entries is not None:
        return entries, "what it is made of is computed here"
    if handed is not None:
        return handed, f"it comes from {idiom(index, 'loader')} here"
    read = next((op.site for op in found.step.consumers.get(name, ()) if op.site), None)
    return read, "it is read here first"


def _handed(found: Origin) -> Site | None:
    """Where a loader hands it out."""
    name = found.value.name if found.value is not None else ""
    return next((event.site for event in found.step.events("batch") if name in event.targets and event.site), None)


def diagnosis(index: Index, found: Origin) -> Diagnosis:
    """What is said, where the value comes from."""
    value = found.value
    assert value is not None
    what = _WHAT.get("label" if value.name in found.step.step.labels.values else value.role, "the input")
    site, label = place(index, found)
    count = found.birth.count
    told = f"{count:,} of its entries {'is' if count == 1 else 'are'}" if count else "entries of it are"
    return Diagnosis(
        rule="WG501",
        name="non-finite-input",
        severity="error",
        confidence="proved",
        message=f"{what} `{value.shown}` {'hold' if what == 'the labels' else 'holds'} NaN or infinity before anything is computed",
        site=site,
        label=label,
        related=places(
            (_handed(found) if site != _handed(found) else None, f"`{value.shown}` is handed out here"),
            differentiated(index, found),
        ),
        evidence=(
            *(
                handed(index, found)
                if found.birth.rows
                else (
                    Evidence(f"{told} not finite; `{value.shown}` is {value.type}", "entries", count or None),
                    *when(index, found),
                )
            ),
        ),
        help=f"find and drop or fill those entries where the data are made: {idiom(index, 'all finite', name=value.written)} should hold"
        if value.role != "parameter"
        else f"initialise `{value.shown}`, or load a checkpoint whose numbers are finite",
        facts=frozenset({Fact("non-finite", value.name)}),
        explains=consequences(index, found),
        kind=found.step.step.kind,
        step=found.birth.step,
        names=(value.shown,),
        remedy=_filled(index, found, site) if what == "the input" else None,
    )


_KEPT = re.compile(r"\s*[A-Za-z_]\w*\s*=(?!=|\s*[{[])")
"""A name is bound to one value, not to several of them in braces."""
_FITTED = re.compile(r"\.fit\(\s*[A-Za-z_][\w.]*(\([^()]*\))?\s*,\s*[A-Za-z_]\w*\s*[,)]")
"""Arrays of inputs and labels, handed to Keras' own loop by position; a data set comes alone."""
_AS_ZERO = "what is missing counts as 0, the mean of standardised columns"
_NUMPY = re.compile(r"\b(np|numpy|pd|pandas)\.")


def _filled(index: Index, found: Origin, site: Site | None) -> Remedy | None:
    """Zeros for what is missing, behind the line that makes the data and keeps them under a name; for labels there is no such number."""
    made = found.step.producer.get(found.value.name) if found.value is not None else None
    if site is not None and _FITTED.search(site.text):
        array = "numpy.nan_to_num({x}, nan=0.0, posinf=0.0, neginf=0.0)"
        return remedy("put zeros where entries are not finite", Edit("wrap", site, array, keyword="x", position=0), changes=_AS_ZERO)
    if site is not None and made is None and found.value is not None and _handed(found) is None:
        data = data_of(found.step, found.value)
        edit = before_loop(data.read, spelling(index, "filled", data=True), data.called)
        return remedy("put zeros where entries are not finite", edit, changes=_AS_ZERO)
    if site is None or made is None or made[1].site != site or not _KEPT.match(site.text) or site.text.rstrip().endswith(("(", ",", "[")):
        return None
    row = SPELLINGS["filled"]
    code = row.keras if _NUMPY.search(site.text) else row.tensorflow if "tf." in site.text else spelling(index, "filled", data=True)
    return remedy(
        "put zeros where entries are not finite",
        behind(site, code),
        changes=_AS_ZERO,
    )


def handed(index: Index, found: Origin) -> Iterator[Evidence]:
    """What was seen of the whole that batches were cut from, and when the loss showed it."""
    rows, first = found.birth.rows[:2]
    shown = found.value.shown if found.value is not None else ""
    yield Evidence(
        f"{found.birth.count:,} entries in {plural(rows, 'row')} of `{shown}` are not finite, the first in row {first:,}", "entries", rows
    )
    spoilt = [name for name, ending in index.record.endings.items() if not ending.finite]
    if spoilt and all(course.non_finite is None for course in index.record.courses):
        told = f"not finite at the end of the run: {listed(spoilt)}; the losses are numbers all the same, as where a ReLU makes 0 of NaN"
        yield Evidence(told, "parameters", len(spoilt))
    else:
        yield Evidence(
            f"the loss is not finite from step {found.birth.step} of {index.record.outcome.steps_seen} on", "step", found.birth.step
        )
