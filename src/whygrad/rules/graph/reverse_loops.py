"""The part of WG304 that tells of loops without a reverse mode: how often they turn is known only when they run."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.ir import Op
from whygrad.rules.phrases import places

REFUSED = re.compile(r"Reverse-mode differentiation does not work for lax\.while_loop")
"""What JAX says (0.10.2)."""
_LOOP = "jax.numpy.while"


def without_reverse(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each refusal."""
    yield from (_diagnosis(failure) for failure, _ in matching(index, REFUSED))


def _loop(failure: Failure) -> Op | None:
    """The loop that the loss was computed through: the last one of the step, where there are several."""
    step = failure.step
    found = [op for op in step.graph.ops if op.native == _LOOP and not step.depends_on_parameters.isdisjoint(op.inputs)] if step else []
    return found[-1] if found else None


def _diagnosis(failure: Failure) -> Diagnosis:
    loop = _loop(failure)
    site = (loop.site if loop is not None else None) or failure.site
    return Diagnosis(
        rule="WG304",
        name="non-differentiable-op",
        severity="error",
        confidence="proved",
        message="no gradient passes back through a loop whose number of turns is known only when it runs",
        site=site,
        label="`while_loop` has no reverse mode" if site is not failure.site else "no gradient passes back through the loop",
        related=places((failure.site if site is not failure.site else None, "the gradient is asked for here")),
        evidence=(Evidence(f"the call raised: {gist(failure.message).rstrip('.')[:120]}"),),
        help="run a fixed number of turns (`lax.scan`, or `lax.fori_loop` with plain integers for its bounds); for a fixed point, give the loop a derivative of its own (`jax.custom_vjp`, by the implicit function theorem)",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
        names=("while_loop",),
    )
