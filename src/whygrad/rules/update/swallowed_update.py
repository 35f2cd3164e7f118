"""WG407: updates smaller than the spacing of the parameter's dtype."""

import re
from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import optimizer_of
from whygrad.idioms import idiom
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import listed, percent, places, plural
from whygrad.rules.remedies import remedy, setting

SHORT = {"bf16": 2.0**-8, "f16": 2.0**-11}
"""Half the relative spacing of each dtype."""
MODULES = "nn/modules/module.py"
"""The file of PyTorch's that casts what a module holds."""
CASTS = ("to", "half", "bfloat16")
"""Methods by which a model is put into half precision."""
FLAX = ("Dense", "DenseGeneral", "Linear", "LinearGeneral", "Einsum", "Conv", "ConvTranspose", "Embed", "LayerNorm", "BatchNorm", "RMSNorm")
"""Layers of flax that are told their parameters' dtype."""
TWICE = "the parameters and what is computed with them take twice the memory"
_ALONE = re.compile(rf"\s*[\w.]+\.({'|'.join(CASTS)})\([\w.]*\)\s*")
"""A statement that does nothing else."""
MOVED = 0.1
"""Share of its entries below which an update is swallowed for the most part."""
ROUNDED = 0.75
"""Share of the entries with a gradient that an update leaves as they are, from which on it is swallowed: a parameter then moves at a quarter of its rate or less."""
MOST = 0.5
"""Share of the short parameters with a gradient, by their entries, for which that must be so, in every recorded step."""


@rule("WG407", "swallowed-update", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Parameters in half precision stand still because each update is smaller than the distance to the next number.

    ## What it finds
    Parameters in bfloat16 or float16 with a gradient, of whose entries with a gradient the update left three in four or more as they were, in every recorded step:
    `model.to(torch.bfloat16)` or `.half()` together with an ordinary learning rate.

    ## Why it matters
    bfloat16 has 8 bits: next to 1 the nearest number is 1.0078. An update of a thousandth is rounded away, every time, for ever.

    ## When it is fine
    Mixed precision keeps the parameters in float32 and is left alone, as are sparse gradients and optimizers that keep a copy in float32
    or round at random: their entries do move.

    ## How sure
    Measured: entries before and after the update were compared.

    ## References
    PyTorch, "Automatic mixed precision"; Keras, `keras.mixed_precision`; Zamirai et al., "Revisiting BFloat16 Training".
    """
    for steps in index.kinds.values():
        updated = [step for step in steps if step.step.updated]
        stuck = [swallowed(step) for step in updated]
        if stuck and all(stuck):
            yield diagnosis(index, updated[-1], stuck[-1])


def swallowed(step: StepIndex) -> list[Parameter]:
    """The short parameters that hardly moved, if they are most of those with a gradient."""
    short = [
        p for p in step.step.parameters if step.value(p.value).dtype in SHORT and p.gradient_at_update == "finite" and p.moved is not None
    ]
    still = [p for p in short if lost(p)]
    return still if short and _entries(step, still) >= MOST * _entries(step, short) else []


def _entries(step: StepIndex, parameters: list[Parameter]) -> int:
    """How much of a model some parameters are: biases that begin at zero move at any rate, and are a small part."""
    return sum(prod(step.value(p.value).shape or ()) for p in parameters)


def lost(parameter: Parameter) -> bool:
    """The update changed next to nothing; where it was compared with the gradient, next to nothing of what has one."""
    if parameter.rounded is not None:
        return parameter.rounded >= ROUNDED
    return parameter.moved is not None and parameter.moved < MOVED


def shortened(index: Index) -> Iterator[Site]:
    """Where a model was put into half precision as a whole."""
    for step in index.steps:
        casts = [op for op in step.graph.ops if op.kind == "cast" and step.value(op.output).dtype in SHORT and not any(op.carrying)]
        yield from (op.site for op in casts if op.site is not None and any(frame.file.endswith(MODULES) for frame in op.site.library))


def diagnosis(index: Index, step: StepIndex, still: list[Parameter]) -> Diagnosis:
    """What is said, where the optimizer is made."""
    made_short = next(shortened(index), None)
    optimizer = optimizer_of(index, step)
    dtype = step.value(still[0].value).dtype
    share = max(1.0 - p.rounded if p.rounded is not None else p.moved or 0.0 for p in still)
    names = [p.name for p in still]
    return Diagnosis(
        rule="WG407",
        name="swallowed-update",
        severity="warning",
        confidence="measured",
        message=f"updates of {listed(names)} are rounded away: they are smaller than the spacing of {dtype}",
        site=made_short or (optimizer.site if optimizer else None) or still[0].site,
        label="the parameters are put into half precision here" if made_short else "this optimizer updates parameters in half precision",
        related=places((optimizer.site if optimizer and made_short else None, f"`{optimizer.name if optimizer else ''}` updates them")),
        evidence=(
            Evidence(
                f"{plural(len(names), 'parameter')} with a gradient: the update changed {percent(share, 1)} of the entries at most",
                "moved",
                share,
            ),
            Evidence(f"the next number in {dtype} is {2 * SHORT[dtype]:.2g} times the number away", "spacing", 2 * SHORT[dtype]),
        ),
        help=idiom(index, "full precision"),
        facts=frozenset(Fact("unmoved", name) for name in names),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names[:1]),
        remedy=_remedy(step, made_short),
    )


def _remedy(step: StepIndex, made_short: Site | None) -> Remedy | None:
    """Parameters in float32: of a model that is not put into half precision as a whole, or of flax' layers, each of which is told so."""
    if made_short is not None:
        return None if _fed_short(step) else _kept_long(made_short)
    short = [p for p in step.step.parameters if step.value(p.value).dtype in SHORT]
    sites = {p.site.line_of_code: p.site for p in short if p.site is not None}
    if not sites or not all(p.site is not None and any("/flax/" in frame.file for frame in p.site.library) for p in short):
        return None
    edits = [setting(site, "param_dtype", "jax.numpy.float32", calls=_made_by(site)) for site in sites.values()]
    return remedy("keep the parameters in float32", *edits, changes=TWICE)


def _made_by(site: Site) -> tuple[str, ...]:
    """What makes the layer, as the marked part of the line names it; else any of flax' layers, whose one is called there."""
    marked = site.text[site.column - 1 if site.column else 0 :]
    named = re.match(r"(?:\w+\.)*([A-Z]\w*)\(", marked)
    return (named[1],) if named else FLAX


def _fed_short(step: StepIndex) -> bool:
    """What meets the parameters was put into half precision as well, and would not fit a model in float32."""
    held = {p.value for p in step.step.parameters}
    return any(
        step.value(name).dtype in SHORT
        for op in step.graph.ops
        if not held.isdisjoint(op.inputs)
        for name in op.inputs
        if name not in held and name not in step.depends_on_parameters
    )


def _kept_long(site: Site) -> Remedy | None:
    """The model as it was made."""
    edit = Edit("drop", site) if _ALONE.fullmatch(site.text) else Edit("unwrap", site, calls=CASTS)
    return remedy("leave the parameters in float32", edit, changes=TWICE)
