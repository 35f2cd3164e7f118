"""What WG320 says of a layer normalisation inside of a model that is one feature wide."""

import re

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.idioms import spelled
from whygrad.ir import Op, Site
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.statements import bound

_WIDTH = re.compile(r"(LayerNorm\(\s*|\w*(model|dim|size|width|feature|embed|hidden|channel|shape)\w*\s*=\s*)1\b(?!\.)")
"""A call that says the width 1."""


def about_one_feature(step: StepIndex, op: Op) -> Diagnosis:
    """The place is where the layer was made, and the calls that led there: one of them says how wide it is."""
    before, after = step.value(op.inputs[0]), step.value(op.output)
    number = after.statistics.maximum if after.statistics is not None else None
    figures = before.statistics
    ways = _made(step, op)
    said = next((site for site in ways if _WIDTH.search(site.text)), ways[0] if ways else op.site)
    kind = str(step.step.kind)
    return Diagnosis(
        "WG320",
        "input-ignored",
        "error",
        "proved",
        f"the model does not see its input: `{op.module or spelled(op)}` normalises over a single feature, so that its offset comes out whatever goes in",
        site=said,
        label="one feature wide from here on",
        related=places(
            (ways[0] if ways and ways[0] != said else None, "the layer is made here"), (op.site if ways else None, "it is applied here")
        ),
        evidence=(
            Evidence(
                f"{typed(before)} is between {figure(figures.minimum if figures else None)} and {figure(figures.maximum if figures else None)}, and behind the normalisation all of it is {figure(number)}",
                "spread",
                0.0,
            ),
            Evidence("no way leads from the input to the loss beside it", "ways", 0),
        ),
        help="make the model wider than one feature: project the input to several, and set the width (`d_model`, `hidden_size`, `normalized_shape`) to that number",
        explains=frozenset(
            {
                Fact("insensitive", kind),
                Fact("stands", kind),
                *(Fact("dead", name) for name in (*step.values, *(p.name for p in step.step.parameters))),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(op.module,),
    )


def _made(step: StepIndex, op: Op) -> tuple[Site, ...]:
    """Where the layer was made, or what holds it got its name, and what led there, innermost first."""
    held = [p.site for p in step.step.parameters if p.site is not None and p.value in op.inputs]
    holder = op.module.partition(".")[0]
    named = (other.site for other in step.graph.ops if holder and bound(other.site) == f"self.{holder}")
    here = op.site.line_of_code if op.site is not None else None
    found = next((site for site in (op.made, *held, *named) if site is not None and site.line_of_code != here), None)
    return found.with_callers if found is not None else ()
