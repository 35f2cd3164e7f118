"""WG319: affine layers in a row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import supervised
from whygrad.flow.layers import Layer, layer
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Descend, Intervention, Op, Site, Value
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import fell_told
from whygrad.rules.phrases import distinct, listed, places, plural
from whygrad.rules.remedies import remedy, setting

STEPS = 32
"""Updates on copies: a network that can bend falls clearly below one that can't within so many."""
NARROWEST = 2
"""Units that a hidden layer must have: one unit bends nothing to speak of."""

_KERAS = ("Dense", "Conv1D", "Conv2D", "Conv3D")
"""Layers that can be told their activation where they are made."""
_AFFINE = ("linear", "conv", "matmul")
"""Kinds that may be affine maps of data."""
_BETWEEN = frozenset(("dropout", "batch_norm", "reshape", "copy", "cast"))
"""What may stand between two affine layers and leaves them one affine map of a batch."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two affine layers with nothing that bends between them."""

    before: Layer
    between: str
    """The value that the second one reads."""
    after: Layer


@rule("WG319", "linear-stack", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Affine layers follow one another without a non-linearity, so that together they are one affine layer.

    ## What it finds
    Linear layers or convolutions in a row with nothing between them but dropout, batch normalisation or another shape, where a few updates on copies with a ReLU in each gap make the
    loss fall at least twice as far.

    ## Why it matters
    However many such layers there are, and however wide, they draw one straight boundary. What bends can't be learnt.

    ## When it is fine
    A layer in between that is narrower than what it joins limits the rank on purpose: adapters, linear autoencoders, bottlenecks. Depthwise and 1×1 convolutions split one convolution in two. Where
    a straight boundary is all that the data ask for, inserting a ReLU does not help, and the rule is silent.

    ## How sure
    Measured: the same few updates on the recorded batch, with ReLUs and without.

    ## References
    `torch.nn.Linear` and `torch.nn.Conv2d` apply no activation; Keras' `Dense(activation=None)` neither.
    """
    for step in index.steps:
        found = gaps(step) if supervised(index, step) else ()
        if found:
            yield from distinct([diagnosis(index, step, found)])


def gaps(step: StepIndex) -> tuple[Gap, ...]:
    """All places on the way to the loss where an affine layer reads what another one made."""
    found: list[Gap] = []
    for op in step.of(*_AFFINE):
        after = affine(step, op)
        before = behind(step, after.data.name) if after is not None and not step.shapes_loss.isdisjoint(op.outputs) else None
        if after is not None and before is not None and meant(step, before, after):
            found.append(Gap(before, after.data.name, after))
    return tuple(found)


def affine(step: StepIndex, op: Op) -> Layer | None:
    """The layer that an op is, if it is an affine map of data with a trainable weight."""
    found = layer(step, op) if op.kind in _AFFINE and not op.failed else None
    if found is None or found.weight.shape is None or found.parameter is None or not found.parameter.trainable:
        return None
    return found if op.kind != "conv" or _mixes(step, found) else None


def _mixes(step: StepIndex, found: Layer) -> bool:
    """A convolution that looks at more than one place and at all channels; depthwise and 1×1 ones are halves of one on purpose."""
    shape, made = found.weight.shape or (), step.value(found.op.output).shape or ()
    if len(shape) < 3 or len(made) != len(shape):  # noqa: PLR2004 - two axes of channels and a window
        return False
    first = made[1] == shape[0]
    window, channels = (shape[2:], shape[1]) if first else (shape[:-2], shape[-2])
    given = (found.data.shape or ())[1 if first else -1 :][:1]
    return min(window) > 1 and given == (channels,)


def behind(step: StepIndex, name: str) -> Layer | None:
    """The affine layer whose result `name` is, if nothing but `name` is made of it."""
    while name in step.producer and _readers(step, name) == 1:
        op = step.producer[name][1]
        found = affine(step, op)
        if found is not None:
            return found
        name = _bypassed(step, op)
    return None


def _readers(step: StepIndex, name: str) -> int:
    return sum(not step.shapes_loss.isdisjoint(op.outputs) for op in step.consumers.get(name, ()))


def _bypassed(step: StepIndex, op: Op) -> str:
    """What an op that bends nothing reads; "" for others."""
    if op.kind in _BETWEEN and op.inputs:
        return op.inputs[0]
    others = [name for name in op.inputs if step.value(name).role != "parameter"]
    return others[0] if op.kind == "add" and len(others) == 1 and len(op.inputs) > 1 else ""


def meant(step: StepIndex, before: Layer, after: Layer) -> bool:
    """The layer in between is at least as wide as one of its sides, so that it can't be there to limit the rank."""
    sizes = [_width(value, before.op.kind) for value in (before.data, step.value(before.op.output))]
    out = _width(step.value(after.op.output), after.op.kind)
    given, hidden = sizes
    if given is None or hidden is None or out is None or hidden < NARROWEST:
        return False
    # timid: a layer narrower than both sides is a bottleneck, which limits the rank on purpose
    return hidden >= min(given, out)


def _width(value: Value, kind: str) -> int | None:
    """Features of a value: of its last axis, or its channels, which are fewer than all that is behind them."""
    shape = value.shape or ()
    if len(shape) < 2:  # noqa: PLR2004 - rows and features
        return None
    return shape[-1] if kind != "conv" else shape[1]


def diagnosis(index: Index, step: StepIndex, found: tuple[Gap, ...]) -> Diagnosis:
    """What is said, where the first activation is missing."""
    first = found[0]
    test = Test(
        Descend(STEPS, activate=tuple(gap.before.op.output for gap in found), control=step.step.labels.values),
        "with a ReLU in each gap the loss falls at least twice as far over a few updates",
        required=True,
    )
    layers = tuple(dict.fromkeys(layer.shown for gap in found for layer in (gap.before, gap.after)))
    names = tuple(name.removeprefix("layer ").strip("`") for name in layers)
    return Diagnosis(
        rule="WG319",
        name="linear-stack",
        severity="warning",
        confidence="measured",
        message=f"{listed(names)} follow one another without an activation, so that together they are one affine layer",
        site=site_of(step, first),
        label="no activation behind this",
        related=places((first.after.op.site, "the next layer reads it as it is")),
        evidence=(
            Evidence(
                f"{plural(len(found), 'gap')} between affine layers hold{'s' * (len(found) == 1)} nothing that bends", "gaps", len(found)
            ),
            *fell_told(step, test.intervention, "with a ReLU in each gap"),
        ),
        help=idiom(index, "activation"),
        explains=frozenset(Fact(what, str(step.step.kind)) for what in ("stands",)),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
        remedy=_bent(index, step, found, test.intervention),
        test=test,
    )


def _bent(index: Index, step: StepIndex, found: tuple[Gap, ...], proof: Intervention) -> Remedy | None:
    """A ReLU behind the first layer of each gap: around its call, or beside it where it is made."""
    return remedy(
        "put a ReLU behind each of them",
        *dict.fromkeys(_relu(index, step, gap, ends_at=edited_at(step, found[-1].after.op)) for gap in found),
        changes="the model computes something else, and layers that move into a list of their own give their parameters other names",
        proof=proof,
    )


_APPENDED = re.compile(r"\s*((?:self\.)?[A-Za-z_]\w*)\.append\(")


def _relu(index: Index, step: StepIndex, gap: Gap, ends_at: Site | None) -> Edit | None:
    """Behind the layer, or in front of it where one line in a loop makes them all, the last one too, which none belongs behind."""
    site, native = site_of(step, gap), gap.before.op.native
    appended = _APPENDED.match(site.text) if site is not None and ends_at is not None else None
    if appended is not None and site is not None and ends_at is not None and site.line_of_code == ends_at.line_of_code:
        text = f"if {appended[1]}:\n    {appended[1]}.append(torch.nn.ReLU())"
        return Edit("insert", site, text, after=False) if spelling(index, "axis") == "dim" else None
    if site is None:
        return None
    if native.startswith("keras.layers."):
        return setting(edited_at(step, gap.before.op) or site, "activation", '"relu"', calls=_KERAS)
    if site is gap.before.op.site and site != gap.after.op.site:
        return Edit("wrap", site, spelling(index, "relu"))
    if spelling(index, "axis") == "dim":
        return Edit("wrap", site, "torch.nn.Sequential({x}, torch.nn.ReLU())", ("Linear", "Conv1d", "Conv2d", "Conv3d"))
    return None


def site_of(step: StepIndex, gap: Gap) -> Site | None:
    """The call of the first layer where the user's code calls each by itself; else where the layer was made."""
    here, there = gap.before.op.site, gap.after.op.site
    together = here is not None and there is not None and here == there
    return edited_at(step, gap.before.op) if together else here or edited_at(step, gap.before.op)
