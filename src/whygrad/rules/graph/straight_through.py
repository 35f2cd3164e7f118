"""The remedy of WG301 for a straight-through value that takes the name of what it stops before the losses read that: a codebook that nothing trains."""

import re

from whygrad.diagnosis import Remedy
from whygrad.flow import StepIndex
from whygrad.ir import Op
from whygrad.rules.remedies import moved, remedy

_TAKES_THE_NAME = re.compile(r"\s*(\w+)\s*=\s*(\w+)\s*\+.*\b\1\s*-\s*\2\b")
"""`q = z + stop_gradient(q - z)`: from here on the name has the gradient of `z`."""


def behind_losses(step: StepIndex, op: Op) -> Remedy | None:
    """The statement moved behind the last difference that is taken of its value in the same function; None where it is read by others alone."""
    bound = _TAKES_THE_NAME.match(op.site.text) if op.site is not None and op.kind == "detach" else None
    if bound is None or op.site is None:
        return None
    sums = {reader.output for name in op.outputs for reader in step.consumers.get(name, ()) if reader.kind == "add"}
    stopped = {out for reader in step.of("detach") if not sums.isdisjoint(reader.inputs) for out in reader.outputs}
    differences = (*step.of("sub"), *step.loss_ops())
    compared = [one.site for one in differences if one.site is not None and not (sums | stopped).isdisjoint(one.inputs)]
    here = [site for site in compared if (site.file, site.function) == (op.site.file, op.site.function) and site.line > op.site.line]
    last = max(here, key=lambda site: site.line, default=None)
    return (
        remedy(f"make the straight-through `{bound[1]}` behind the losses that train what it stops", moved(op.site, last)) if last else None
    )
