"""The part of WG514 about inputs: numbers so large that their dtype can't tell where in a cycle they lie, as times in float32 within the minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import tau

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import typed_at
from whygrad.ir import Op, Site, Value
from whygrad.rules.magnitude.numbers import exact, largest, spacing
from whygrad.rules.phrases import figure, places, typed

PLACES = 8
"""Places in a cycle that the numbers must tell apart, or little is left of it: three binary digits, as for labels."""
REMAINDERS = ("remainder", "fmod", "mod", "rem", "__mod__", "floormod")
_SAME = ("layout", "cast", "select")


@dataclass(frozen=True, slots=True)
class Phase:
    """An op that takes a place in a cycle of numbers that are too coarse for it."""

    step: StepIndex
    op: Op
    source: Value
    spacing: float
    """Of the source."""
    cycle: float
    """In the units of the source."""


def coarse_phases(index: Index) -> Iterator[Diagnosis]:
    """One for each line that every recorded step of a kind runs."""
    yield from (_told(index, found) for found in index.lasting(_of_step, lambda phase: phase.op.site))


def _of_step(step: StepIndex) -> Iterator[Phase]:
    for op in step.of("round", "sin"):
        cycle = _cycle(op)
        if cycle is None or step.shapes_loss.isdisjoint(op.outputs) or not step.depends_on_parameters.isdisjoint(op.inputs):
            continue
        source, factor = _source(step, op.inputs[0])
        wide = spacing(source.dtype, largest(source))
        if wide and factor and not exact(source, wide) and PLACES * wide * factor > cycle:
            yield Phase(step, op, source, wide, cycle / factor)


def _cycle(op: Op) -> float | None:
    """Its length in the units of what the op reads."""
    by = op.attributes.get("by")
    if op.kind == "sin":
        return tau
    return float(by) if op.native.rsplit(".", 1)[-1] in REMAINDERS and isinstance(by, int | float) and by > 0 else None


def _source(step: StepIndex, name: str) -> tuple[Value, float]:
    """What has figures and was multiplied and divided by numbers alone on the way here, and by how much; 0 where that is not known."""
    name, factor = step.origin(name, _SAME) if step.value(name).statistics is None else name, 1.0
    while step.value(name).statistics is None and name in step.producer:
        op = step.producer[name][1]
        by = op.attributes.get("by")
        if op.kind not in ("mul", "div") or not isinstance(by, int | float) or not by:
            break
        factor *= abs(by) if op.kind == "mul" else 1 / abs(by)
        name = op.inputs[0] if step.value(op.inputs[0]).statistics is not None else step.origin(op.inputs[0], _SAME)
    known = step.value(name).statistics is not None
    return step.value(name), factor if known else 0.0


def _told(index: Index, found: Phase) -> Diagnosis:
    step, source, name = found.step, found.source, found.source.shown
    made = typed_at(index, source.name) or _made(step, source)
    here = made is not None and found.op.site is not None and made.line_of_code == found.op.site.line_of_code
    return Diagnosis(
        rule="WG514",
        name="lost-precision",
        severity="warning",
        confidence="proved",
        message=f"`{name}` is held in {source.dtype}, in steps of {figure(found.spacing)} at its size: where in a cycle of {figure(found.cycle)} it lies is lost",
        site=made or found.op.site,
        label=f"rounded to steps of {figure(found.spacing)}",
        related=places((None if here or made is None else found.op.site, "takes the place in the cycle here")),
        evidence=(
            Evidence(
                f"{typed(source)} reaches {figure(largest(source))}, where {source.dtype} comes in steps of {figure(found.spacing)}; the cycle is {figure(found.cycle)} long, which leaves {max(found.cycle / found.spacing, 1.0):.1f} places in it",
                "steps",
                found.cycle / found.spacing,
            ),
        ),
        help="take the remainder while the numbers are whole or in float64, and convert then",
        facts=frozenset({Fact("odd-scale", source.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(name,),
    )


def _made(step: StepIndex, source: Value) -> Site | None:
    """Where the numbers came into the framework, or got their dtype."""
    made = step.producer.get(step.origin(source.name, ("layout", "select")))
    return made[1].site if made is not None else None
