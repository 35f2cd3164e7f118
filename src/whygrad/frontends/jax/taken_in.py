"""Parameters that a compiled function took in when it was traced: it reads them as constants, whatever the program makes of them later."""

from collections.abc import Sequence
from dataclasses import replace

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import Part
from whygrad.ir import Event, Step


def taken_in(parts: Sequence[Part]) -> bool:
    """All that the step's derivatives were taken by stands in the traced programs as numbers, not as what these are given."""
    programs = [part.program for part in parts]
    held = [program.given.get(number) for program in programs for number in program.moving]
    return bool(held) and all(program.compiled for program in programs) and all(_compat.is_array(item) for item in held)


def told(step: Step, parts: Sequence[Part]) -> Step:
    """The step, whose update reached no parameter, with that as the reason."""
    if not any(event.kind == "dropped" for event in step.events) or not taken_in(parts):
        return step
    return replace(step, events=tuple(_reason(event) for event in step.events))


def _reason(event: Event) -> Event:
    return replace(event, attributes={**event.attributes, "what": "traced"}) if event.kind == "dropped" else event
