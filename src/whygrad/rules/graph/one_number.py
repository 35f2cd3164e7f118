"""Inputs that are one and the same number in every batch, while the labels differ: WG320 speaks of them."""

import re
from collections.abc import Iterator, Sequence
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import decided_at
from whygrad.ir import Batches, Value
from whygrad.rules.magnitude.scales import source_of
from whygrad.rules.phrases import figure, places, plural
from whygrad.rules.remedies import quotient

_CUTS = re.compile(r"(?<!:)//|\.(?:int|long|byte|short)\(\)|astype\((?:np\.|numpy\.|jnp\.|['\"])?u?int")
"""A floor division, or whole numbers made of others."""
ENOUGH = 4
"""Batches that must have been seen: rows of padding alone may fill one or two."""


def one_number(index: Index) -> Iterator[Diagnosis]:
    """What is said where the model is given the same number everywhere, and nothing else."""
    for step in index.steps:
        towards = {name for label in step.step.labels.values for name in step.upstream(label)}
        handed = [(batches, name) for batches in index.record.batches for name in batches.values if name in step.shapes_loss]
        inputs = [(batches, name) for batches, name in handed if name not in towards]
        differ = any(batches.minimum is not None and batches.minimum != batches.maximum for batches, name in handed if name in towards)
        # timid: one number for each example is a model of a single constant, which some compare theirs with
        wide = any(prod((step.value(name).shape or ())[1:]) > 1 for _, name in inputs)
        if differ and wide and all(_everywhere(batches) for batches, _ in inputs) and not _besides(step, [name for _, name in inputs]):
            yield _about(index, step, step.value(inputs[0][1]), inputs[0][0])


def _everywhere(batches: Batches) -> bool:
    """Each entry of each batch seen was one number, and that is no padding of a few of them."""
    known = batches.minimum is not None and batches.minimum == batches.maximum
    return known and batches.seen >= ENOUGH and batches.constant_batches == batches.seen


def _besides(step: StepIndex, inputs: Sequence[str]) -> bool:
    """Something else that is no label goes into the model: noise that is drawn, data that the program took itself."""
    known = step.downstream(tuple(inputs)) | step.from_labels | step.depends_on_parameters | {p.value for p in step.step.parameters}
    known = known.union(*(step.upstream(name) for name in inputs))  # what a loader picked them from
    return any(
        name in step.shapes_loss and value.role in ("input", "activation", "state")
        for name, value in step.values.items()
        if name not in known
    )


def _about(index: Index, step: StepIndex, value: Value, batches: Batches) -> Diagnosis:
    made = decided_at(index, value.name)
    # what cuts fractions off; else the farthest back: what comes after it, padding among that, was given nothing to change
    cut = next((place for place in made if _CUTS.search(place.text.partition("#")[0])), None) if batches.maximum == 0 else None
    site = cut or (made[-1] if made else None) or source_of(step, value)
    handed = next((event.site for event in step.events("batch") if value.name in event.targets and event.site), None)
    kind = str(step.step.kind)
    starved = [p.name for p in step.step.parameters if p.gradient in ("zero", "none")]
    return Diagnosis(
        "WG320",
        "input-ignored",
        "error",
        "measured",
        f"every input is the same: `{value.shown}` holds {figure(batches.maximum)} alone, and the labels differ",
        site=site,
        label="fractions are cut off here" if cut else "the inputs are made here",
        related=places(
            *((place, "they come from here" if cut else "and go by here") for place in made if place != site),
            (source_of(step, value), "they come into the training from here"),
            (handed, "the batches come from here"),
        ),
        evidence=(
            Evidence(
                f"{plural(batches.seen, 'batch')} of `{value.shown}` were seen, and each entry was {figure(batches.maximum)}",
                "batches",
                batches.seen,
            ),
        ),
        help="print a row of the inputs where they are made, and follow it back: ids that are all unknown, a scale that rounds to 0, a column that is not there",
        facts=frozenset({Fact("one-input", value.name)}),
        explains=frozenset({Fact("insensitive", kind), Fact("stands", kind)})
        | {Fact(what, name) for name in starved for what in ("no-gradient", "unmoved", "dead")},
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
        remedy=quotient(cut),
    )
