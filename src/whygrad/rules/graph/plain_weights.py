"""The part of WG307 that tells of weights which a layer keeps as plain tensors: nothing can train them."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Related
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom, speaks
from whygrad.ir import Op, Site
from whygrad.rules.phrases import listed, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import bound

_DRAWN = ("random", "enter")
"""Kinds of op that give a weight its first numbers: TensorFlow's own, and NumPy's that are made a tensor."""
_SCALED = ("mul", "div", "sub", "cast")
"""Kinds of op that bring drawn numbers to size."""
_READING = ("matmul", "linear")


@dataclass(frozen=True, slots=True)
class Plain:
    """What a layer multiplies its input by and adds, neither of which is a variable."""

    step: StepIndex
    product: Op
    weight: str
    bias: str
    drawn: Site
    zeros: Site


def plain_weights(index: Index) -> Iterator[Diagnosis]:
    """One for each pair of lines that make such tensors, of however many layers."""
    if not speaks(index, "tensorflow"):
        return
    groups: dict[tuple[object, ...], list[Plain]] = {}
    for step in index.steps[:1]:
        for found in kept(step):
            groups.setdefault((found.drawn.line_of_code, found.zeros.line_of_code), []).append(found)
    for members in groups.values():
        yield _about(index, members)


def kept(step: StepIndex) -> Iterator[Plain]:
    """Products of a layer's input and drawn numbers to which zeros are added, both made before the step in one function.

    Random features are drawn on purpose, and have an offset that is drawn as well or none: zeros that nothing trains change nothing, and were meant to be trained.
    """
    for op in step.graph.ops:
        if op.kind in _READING and op.module and op.tracking and len(op.inputs) > 1 and not step.shapes_loss.isdisjoint(op.outputs):
            drawn = _before(step, op.inputs[1], _DRAWN)
            zeros = next(((name, site) for name, site in _added(step, op) if drawn and _together(drawn, site)), None)
            if drawn is not None and zeros is not None and op.inputs[0] not in step.parameter_of:
                yield Plain(step, op, op.inputs[1], zeros[0], drawn, zeros[1])


def _before(step: StepIndex, name: str, kinds: tuple[str, ...]) -> Site | None:
    """Where the program made it of such an op, outside of the tape."""
    made = step.producer.get(name)
    while made is not None and not made[1].tracking and made[1].kind in _SCALED and made[1].inputs:
        made = step.producer.get(made[1].inputs[0])
    op = made[1] if made is not None else None
    return op.site if op is not None and not op.tracking and op.kind in kinds and not op.inputs else None


def _added(step: StepIndex, product: Op) -> Iterator[tuple[str, Site]]:
    """Zeros, one for each unit, that are added to the product."""
    units = (step.value(product.output).shape or ())[-1:]
    for reader in step.consumers.get(product.output, ()):
        for name in reader.inputs if reader.kind == "add" else ():
            site, figures = _before(step, name, ("create",)), step.value(name).statistics
            if site is not None and figures is not None and figures.zeros == 1 and step.value(name).shape == units:
                yield name, site


def _together(one: Site, other: Site) -> bool:
    """In one function of a class, as attributes of its object."""
    return (one.file, one.function) == (other.file, other.function) and all("self." in site.text for site in (one, other))


def _about(index: Index, members: list[Plain]) -> Diagnosis:
    first = members[0]
    names = tuple(dict.fromkeys(bound(site) or "a weight" for site in (first.drawn, first.zeros)))
    layer = first.drawn.function.rpartition(".")[0] or first.product.module
    lines = tuple(dict.fromkeys((first.drawn, first.zeros)))
    return Diagnosis(
        "WG307",
        "unregistered-parameter",
        "error",
        "proved",
        f"{listed(names)} of `{layer}` {'are plain tensors' if len(names) > 1 else 'is a plain tensor'} and no variables: nothing can train them",
        site=first.drawn,
        label="drawn once, and the same for ever",
        related=(Related(first.zeros, "zeros, which change nothing as long as nothing trains them"),) if first.zeros != first.drawn else (),
        evidence=(
            Evidence(
                f"in {plural(len(members), 'layer')} drawn numbers are multiplied with ({first.step.value(first.weight).type} in the first) and zeros are added ({first.step.value(first.bias).type})",
                "layers",
                len(members),
            ),
            Evidence(f"the optimizers hold {plural(len(index.held), 'parameter')}, none of these", "parameters_held", len(index.held)),
        ),
        help=idiom(index, "bare parameter"),
        kind=first.step.step.kind,
        step=first.step.step.index,
        names=names,
        remedy=remedy("make them variables of Keras' own", *(Edit("wrap", site, "keras.Variable({x})", around="value") for site in lines)),
    )
