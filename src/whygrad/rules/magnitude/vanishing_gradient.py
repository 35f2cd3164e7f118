"""WG507: the gradient falls by orders of magnitude towards the input."""

import re
from collections.abc import Iterator
from math import log10

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.flow.penalties import penalised
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site
from whygrad.rules import rule
from whygrad.rules.magnitude.depths import Depth, depth, signals, size
from whygrad.rules.phrases import figure, places
from whygrad.rules.remedies import ACTIVATIONS, remedy

_SPOKEN = re.compile(r"sigmoid|logistic|expit", re.IGNORECASE)
DECADES = 5.0
"""Powers of ten from the last weight to the first. Healthy networks of the corpus stay within two."""


@rule("WG507", "vanishing-gradient", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The gradient falls by five orders of magnitude and more from the last layer to the first.

    ## What it finds
    Networks of four weights or more in a row in which the gradient of the first, for the weight's own size, is less than a hundred
    thousandth of the last one's, in every recorded step: deep stacks of sigmoids, weights initialised far too small. Where what goes forward vanishes as well,
    all weights get equally little; then the gradients of the biases tell, beside that of the first weight.

    ## Why it matters
    The first layers stand still while the last one learns. With Adam they move all the same, but along noise.

    ## When it is fine
    A factor of a hundred is common. The queries and keys of a fresh attention get little, beside values that get much; so a first weight is left alone where
    the gradient reaches what it reads, or a weight beside it. Layers whose gradient is exactly zero have another cause.

    ## How sure
    Measured on every recorded step.

    ## References
    Hochreiter, "The vanishing gradient problem"; Glorot and Bengio, 2010; `whygrad explain WG510` (a saturated activation).
    """
    for steps in index.kinds.values():
        found = [next((one for one in (depth(step), signals(step)) if one is not None and falls(step, one)), None) for step in steps]
        if found and all(found) and found[-1] is not None:
            yield diagnosis(index, steps[-1], found[-1])


def falls(step: StepIndex, found: Depth) -> bool:
    """By so many decades, and the first weight is no side branch."""
    return found.decades >= DECADES and not arrives(step, found)


def arrives(step: StepIndex, found: Depth) -> bool:
    """Gradient reaches what the first weight reads, or a weight beside it, another way: the first is a side branch, as an attention's queries are."""
    value = found.parameters[0].value
    read = {name for op in step.graph.ops if value in op.inputs for name in op.inputs if name != value}
    # what a penalty has in the gradient of a weight, none of it passed a layer
    above = {other for name in read for other in (*step.upstream(name), name)} - penalised(step)
    beside = {name for given in read for op in step.consumers.get(given, ()) for name in op.inputs if name != value}
    sizes = [
        size(step, p)
        for p in step.step.parameters
        if p.trainable and p.value in above | (beside - penalised(step)) and len(step.value(p.value).shape or ()) > 1
    ]
    return any(one is not None and log10(found.sizes[-1]) - log10(one) < DECADES for one in sizes)


def diagnosis(index: Index, step: StepIndex, found: Depth) -> Diagnosis:
    """What is said, where the activation stands that shrinks it, else where the first layer is made."""
    first, last = found.parameters[0], found.parameters[-1]
    site = shrunk_at(step, found)
    return Diagnosis(
        rule="WG507",
        name="vanishing-gradient",
        severity="warning",
        confidence="measured",
        message=f"the gradient vanishes towards the input: at `{first.name}` it is 1e{-found.decades:.0f} of that at `{last.name}`",
        site=site or first.site,
        label="each hands on a quarter of the gradient at most" if site else "hardly any gradient arrives here",
        related=places((first.site if site and site != first.site else None, "hardly any gradient arrives here")),
        evidence=(
            Evidence(
                f"gradient norm {figure(first.gradient_norm)} at `{first.name}`, {figure(last.gradient_norm)} at `{last.name}`, with {len(found.parameters)} weights in a row",
                "decades",
                found.decades,
            ),
        ),
        help="use ReLU or GELU in place of sigmoid, residual connections, a normalisation between the layers, or the layers' own initialisation",
        facts=frozenset({Fact("vanishes", str(step.step.kind))}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(first.name,),
        remedy=_others(index, step) if site else None,
    )


_LAYERS = ("linear", "conv", "matmul")


def _others(index: Index, step: StepIndex) -> Remedy | None:
    """ReLUs for the sigmoids between the layers; one behind the last layer says what the model gives, and stays."""
    layers = [op for op in step.graph.ops if op.kind in _LAYERS]
    between = [
        op
        for op in step.graph.ops
        if op.kind == "sigmoid" and not step.gets_gradient.isdisjoint(op.outputs) and _leads_on(step, op, layers)
    ]
    places = dict.fromkeys(edited_at(step, op) for op in between)
    return remedy(
        "put a ReLU in the place of each sigmoid between the layers",
        *(edit for place in places for edit in _instead(index, place)),
        changes="what the layers hand on is no longer between 0 and 1",
    )


def _leads_on(step: StepIndex, op: Op, layers: list[Op]) -> bool:
    below = step.downstream(op.outputs)
    return any(not below.isdisjoint(layer.inputs) for layer in layers)


def _instead(index: Index, place: Site | None) -> tuple[Edit | None, ...]:
    """The function, the layer, or the name of it that a layer of Keras' was given, whose weights are then drawn for ReLUs: as they are by default they shrink what comes."""
    if place is None:
        return (None,)
    if _NAMED.search(place.text):
        start = Edit("argument", place, '"he_normal"', keyword="kernel_initializer")
        return Edit("argument", place, '"relu"', keyword="activation"), start
    return (Edit("callee", place, spelling(index, "relu by name"), ACTIVATIONS["sigmoid"]),)


_NAMED = re.compile(r"activation\s*=\s*[\"']sigmoid[\"']")


def shrunk_at(step: StepIndex, found: Depth) -> Site | None:
    """The first sigmoid, where every other weight at least has one behind it: its slope is a quarter at most. None where the user's line does not speak of it."""
    sigmoids = [op for op in step.graph.ops if op.kind == "sigmoid" and not step.gets_gradient.isdisjoint(op.outputs)]
    site = edited_at(step, sigmoids[0]) if sigmoids and 2 * len(sigmoids) >= len(found.parameters) else None
    return site if site is not None and _SPOKEN.search(site.text) else None
