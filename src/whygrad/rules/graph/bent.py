"""The part of WG304 that tells of second derivatives which a net of straight pieces does not have."""

from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.bent import Flat, flat_derivatives
from whygrad.idioms import spelled
from whygrad.rules.phrases import places, plural, typed


def bent(index: Index) -> Iterator[Diagnosis]:
    """What is said of them."""
    yield from (_told(flat) for flat in index.once(flat_derivatives))


def _told(flat: Flat) -> Diagnosis:
    step, name = flat.step, spelled(flat.pieces[0])
    first, entries = step.value(flat.op.inputs[0]), flat.value
    count = prod(entries.shape or ())
    made = flat.pieces[0].made
    return Diagnosis(
        rule="WG304",
        name="non-differentiable-op",
        severity="error",
        confidence="proved",
        message=f"the derivative of `{first.shown}` is zero everywhere: `{name}` has no second derivative, and what the loss says of it trains nothing",
        site=made or flat.pieces[0].site,
        label=f"straight pieces: the second derivative of `{name}` is 0",
        related=places(
            (flat.op.site, f"every entry of this derivative is 0: {typed(entries)}"),
            (flat.pieces[0].site if made else None, f"`{name}` runs here"),
        ),
        evidence=(
            Evidence(
                f"{plural(count, 'number')} of the second derivative, all exactly 0, in every recorded step", "second_derivative", 0.0
            ),
        ),
        help="use an activation that is bent everywhere between the input and the output, such as `tanh`, `silu`, `softplus` or `sin`",
        facts=frozenset({Fact("flat-derivative", flat.op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(first.shown,),
    )
