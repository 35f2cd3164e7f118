"""The part of WG320 about sequences of which a recurrent layer's first state alone reaches the loss."""

import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Parameter, Site
from whygrad.rules.phrases import distinct, listed, places, plural
from whygrad.rules.remedies import remedy

MATRIX = 2
"""Axes of a weight."""


def first_position(index: Index) -> Iterator[Diagnosis]:
    """Layers of which it is so in every recorded step that runs them."""
    for steps in index.kinds.values():
        found = [list(_idle(step)) for step in steps if step.losses]
        layers = [{op.module: (op, weights) for op, weights in one} for one in found]
        for name, (op, weights) in layers[0].items() if layers else ():
            if all(name in one for one in layers):
                yield from distinct([_about(steps[0], op, weights)])


def _idle(step: StepIndex) -> Iterator[tuple[Op, tuple[Parameter, ...]]]:
    """Recurrent layers over several positions, in which nothing of what weighs earlier states has a gradient, while what weighs the input has."""
    known = {p.value: p for p in step.step.parameters}
    for op in step.graph.ops:
        if op.kind != "rnn" or _length(step, op) < MATRIX or step.shapes_loss.isdisjoint(op.outputs):
            continue
        weights = [known[name] for name in op.inputs if name in known and len(step.value(name).shape or ()) >= MATRIX]
        zero = tuple(p for p in weights if p.gradient == "zero")
        # timid: the last position of a layer in both directions is the first one of its way back, which many are content with
        if (
            zero
            and 2 * len(zero) == len(weights)
            and all(p.gradient == "finite" for p in weights if p not in zero)
            and _turn_about(weights)
        ):
            yield op, zero


def _turn_about(weights: list[Parameter]) -> bool:
    """Weights of the input and of the state stand in turn, layer by layer."""
    return all(p.gradient == ("zero" if at % 2 else "finite") for at, p in enumerate(weights))


def _length(step: StepIndex, op: Op) -> int:
    """Positions of the sequence that the layer is given."""
    shape, axis = step.value(op.inputs[0]).shape if op.inputs else None, op.attributes.get("sequence_axis", 1)
    return shape[axis] if shape is not None and len(shape) > MATRIX and isinstance(axis, int) and axis < len(shape) else 0


def _about(step: StepIndex, op: Op, weights: tuple[Parameter, ...]) -> Diagnosis:
    positions, name = _length(step, op), op.module or step.value(op.output).shown
    picked = next((reader for out in op.outputs for reader in _picking(step, out)), None)
    return Diagnosis(
        rule="WG320",
        name="input-ignored",
        severity="error",
        confidence="proved",
        message=f"of {plural(positions, 'position')} only the first one reaches the loss: `{name}` has read nothing else by then",
        site=picked.site if picked is not None else op.site,
        label="takes the state after the first position" if picked is not None else "its first state is what is used",
        related=places((op.site if picked is not None else None, f"`{name}` reads the sequence here")),
        evidence=(
            Evidence(
                f"the gradient of {listed([p.name for p in weights])}, which weighs what came before, is exactly 0 in every recorded step, and that of the input's weights is not",
                "positions",
                positions,
            ),
        ),
        help="take the state after the last position: `[:, -1]` where the batch comes first, or the final state that the layer returns; its mean over the positions uses them all",
        facts=frozenset({Fact("odd-input", op.output)}),
        explains=frozenset({Fact("stands", str(step.step.kind)), *(Fact("unmoved", p.name) for p in weights)}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(p.name for p in weights),
        remedy=_last(picked.site if picked is not None else None),
    )


_FIRST = re.compile(r"\[\s*:\s*,\s*(0)\s*[,\]]")
"""A part of a batch that comes first: its first position."""


def _last(site: Site | None) -> Remedy | None:
    """The last position in the place of the first one."""
    found = _FIRST.search(site.text, site.column - 1, site.end_column - 1) if site is not None and site.end_column else None
    if site is None or found is None:
        return None
    at = replace(site, column=found.start(1) + 1, end_column=found.end(1) + 1, end_line=site.line)
    return remedy(
        "take the state after the last position",
        Edit("replace", at, "-1"),
        changes="where sequences are padded at their ends, the last position is behind the padding",
    )


def _picking(step: StepIndex, name: str) -> Iterator[Op]:
    """What takes a part of the layer's result, seen through other layouts of it."""
    for reader in step.consumers.get(name, ()):
        if reader.kind == "index":
            yield reader
        elif reader.kind in ("transpose", "permute") and reader.outputs:
            yield from _picking(step, reader.output)
