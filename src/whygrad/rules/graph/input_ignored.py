"""WG320: the output does not depend on the input."""

import re
from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.idioms import spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site, Statistics, family
from whygrad.rules import rule
from whygrad.rules.graph.first_position import first_position
from whygrad.rules.graph.one_feature import about_one_feature
from whygrad.rules.graph.one_number import one_number
from whygrad.rules.phrases import distinct, figure, listed, places, typed
from whygrad.rules.remedies import remedy

FLAT = 1e-5
"""Spread of a value's entries, relative to their size, that is rounding: a hundred times the spacing of float32."""
NORMALISED = 1e-2
"""Spread of a normalised value, whose entries are of size 1, that is rounding: dividing by the root of an epsilon of 1e-5 makes rounding 300 times larger."""
WHOLE = 1e-3
"""Label sensitivity below which the labels count as a whole alone; dropout and other random numbers give each row an output of its own. Measured where outputs are all the same: 6e-8 to 1e-6; with dropout 1.25."""
FEWEST = 4
"""Entries that a value must have to be called the same everywhere."""
NORMS = ("layer_norm", "LayerNorm", "LayerNormalization", "standardize", "normalize", "l2_normalize", "UnitNormalization")
"""What the layer that scales each example by its own figures is called."""
OWN_RULES = ("softmax", "log_softmax", "relu", "dropout", "batch_norm", "leaky_relu", "hardtanh")
"""Kinds whose flat results other rules explain: softmax over one unit, dead units, a batch of one."""


@rule("WG320", "input-ignored", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Whatever the input is, the model's output is the same.

    ## What it finds
    An op between the data and the first layer that turns different inputs into one and the same number everywhere, with no way round it: a single feature divided by its own norm, a
    difference of a column with itself, a product with zero; a normalisation over a batch of a single row; a layer normalisation over a single feature, wherever in the model it stands. In every recorded step. Zeros in the form of the input that go in in its place (`x = torch.zeros_like(x)`). And inputs that are one number in
    every batch of the run, such as ids of words none of which is known, while the labels differ. And a sequence of which a recurrent layer's state after the first position is all that is used (`h[:, 0]`).

    ## Why it matters
    The model can only learn the mean of the labels. Label sensitivity is zero up to rounding, and the loss stays where a constant guess puts it.

    ## When it is fine
    Masks and positions that happen to be the same in a batch, beside data that are not; embeddings that are looked up by a constant; programs that optimise a constant on purpose have no data
    that go in, or one number for each example.

    ## How sure
    Proved by the figures of the recorded values: the inputs differ, and what is made of them does not. Measured where the inputs do not differ: over all batches that were seen.

    ## References
    PyTorch, `torch.nn.functional.normalize` divides each row by its own norm; `torch.nn.LayerNorm` over one feature gives its bias.
    """
    trained = [step for step in index.steps if step.step.differentiated]
    found = [(step, op) for step in trained for op in (_flattening(step),) if op is not None]
    if found and len(found) == len(trained):
        yield from distinct([_about(index, *found[0])])
    else:
        yield from distinct(one_number(index))
    yield from first_position(index)


def _flattening(step: StepIndex) -> Op | None:
    """The op that makes one number of different inputs, where no data get to the loss beside it but the labels."""
    data = step.downstream(tuple(name for name in _given(step) if _varies(step.value(name).statistics)))
    data -= step.from_labels - step.depends_on_parameters  # labels that the program made from its inputs are no input of the model
    for op in step.graph.ops:
        # what is made of labels alone is no input, and WG103's where nothing is left of it
        if step.shapes_loss.isdisjoint(op.outputs) or not (step.from_labels - step.depends_on_parameters).isdisjoint(op.outputs):
            continue
        alone = is_alone(step, op) or of_one_feature(step, op)
        if (_flattens(step, op, data) and not _other_way(step, op, data)) or (alone and not _goes_round(step, op)):
            return op
    return next((op for op in step.of("create") if _fills(step, op)), None)


def _fills(step: StepIndex, op: Op) -> bool:
    """One number in the form of the input goes into the model in its place, and nothing else of the data does."""
    like, made = op.attributes.get("like"), op.outputs[0] if op.outputs else ""
    if (
        not isinstance(like, str)
        or like not in step.values
        or made not in step.meeting_parameters
        or step.shapes_loss.isdisjoint(op.outputs)
    ):
        return False
    source, labels = step.value(like), step.from_labels
    # timid: what is unread on purpose is no batch's, and a state that begins with zeros stands beside the input
    others = [name for name, value in step.values.items() if value.role == "input" and name not in labels and _enters(step, name)]
    return (
        source.role == "input"
        and not others
        and like not in labels
        and _varies(source.statistics)
        and _flat(step.value(made).statistics, 0.0)
    )


def _given(step: StepIndex) -> Iterator[str]:
    """The inputs; where the program makes its data itself, everything that no parameter took part in."""
    others = [(name, value) for name, value in step.values.items() if name not in step.from_labels]
    inputs = [name for name, value in others if value.role == "input" and _enters(step, name)]
    return iter(inputs or [name for name, _ in others if name not in step.depends_on_parameters])


def _enters(step: StepIndex, name: str) -> bool:
    """It takes part in the loss otherwise than by what the labels are made of; the updates that a program adds to its parameters come after it."""
    below = step.downstream((name,)) - {name}
    meets = name in step.meeting_parameters and not below.isdisjoint(step.shapes_loss)
    return meets or not (below - step.from_labels).isdisjoint(step.shapes_loss)


def _flattens(step: StepIndex, op: Op, data: frozenset[str]) -> bool:
    """Different entries go in and the same number comes out everywhere, on the way to the loss."""
    if op.kind in OWN_RULES or data.isdisjoint(op.inputs) or family(op.kind) in ("loss", "create", "decision", "step"):
        return False
    spread = NORMALISED if op.kind == "layer_norm" else 0.0
    return (
        all(_flat(step.value(name).statistics, spread) for name in op.outputs)
        and any(name in data and _varies(step.value(name).statistics) for name in op.inputs)
        and not _equal_weights(step, op)
    )


def is_alone(step: StepIndex, op: Op) -> bool:
    """A normalisation over the batch in training that is given one row: the row less itself is nothing, so its offset alone comes out."""
    if op.kind != "batch_norm" or op.attributes.get("training") is not True or step.shapes_loss.isdisjoint(op.outputs):
        return False
    shape = step.value(op.inputs[0]).shape if op.inputs else None
    axis = op.attributes.get("data_axis", 1)
    if not shape or len(shape) < 2 or not isinstance(axis, int) or shape[axis] < FEWEST:  # noqa: PLR2004 - rows and channels
        return False
    return prod(shape) == shape[axis]


def of_one_feature(step: StepIndex, op: Op) -> bool:
    """A layer normalisation over an axis of one entry, anywhere in the model: the entry less itself is nothing."""
    shape = step.value(op.output).shape if op.kind == "layer_norm" else None
    if not shape or shape[-1] != 1 or not op.inputs or step.shapes_loss.isdisjoint(op.outputs):
        return False
    weights = [value.shape for value in map(step.value, op.inputs[1:]) if value.role == "parameter"]
    flat = _flat(step.value(op.output).statistics, NORMALISED)
    one = all(each is not None and prod(each) == 1 for each in weights)
    return flat and one and _varies(step.value(op.inputs[0]).statistics) and not _equal_weights(step, op)


def _equal_weights(step: StepIndex, op: Op) -> bool:
    """A layer all of whose weights are one number, as after zeros: that its units are equal is WG511's to say. A single unit, or a gate, of zeros moves at once."""
    found = (step.value(name) for name in op.inputs)
    weights = [value for value in found if value.role == "parameter" and value.shape is not None and value.statistics is not None]
    none = [w.statistics is not None and w.statistics.zeros == 1.0 for w in weights]
    if op.kind == "layer_norm":
        return bool(none) and all(none)  # its offset begins with zeros everywhere, and its factors where a branch is to begin so
    return any(none) or any(w.statistics is not None and _is_even(w.statistics, len(w.shape or ())) for w in weights)


def _is_even(figures: Statistics, axes: int) -> bool:
    return axes > 1 and figures.count >= FEWEST and figures.minimum == figures.maximum


def _varies(figures: Statistics | None) -> bool:
    """Its entries differ by more than rounding."""
    if figures is None or figures.minimum is None or figures.maximum is None or figures.count < FEWEST:
        return False
    return figures.finite == 1.0 and figures.maximum - figures.minimum > FLAT * max(abs(figures.maximum), abs(figures.minimum))


def _flat(figures: Statistics | None, spread: float) -> bool:
    """Its entries are one number, up to rounding or up to `spread`."""
    if figures is None or figures.minimum is None or figures.maximum is None or figures.count < FEWEST or figures.sampled:
        return False
    return figures.finite == 1.0 and figures.maximum - figures.minimum <= max(
        FLAT * max(abs(figures.maximum), abs(figures.minimum)), spread
    )


def _other_way(step: StepIndex, op: Op, data: frozenset[str]) -> bool:
    """Data meet parameters, or what parameters made, on a way that does not pass this op."""
    roots = {
        name
        for name in data
        if name not in step.from_labels and (name not in step.producer or data.isdisjoint(step.producer[name][1].inputs))
    }
    known = {p.value for p in step.step.parameters} | step.depends_on_parameters
    for other in step.graph.ops:
        if other is not op and not roots.isdisjoint(other.inputs):
            if not known.isdisjoint(other.inputs) and not step.shapes_loss.isdisjoint(other.outputs):
                return True
            roots.update(name for name in other.outputs if name not in step.from_labels)
    return False


def _goes_round(step: StepIndex, op: Op) -> bool:
    """Something of the inputs gets to the loss without passing this op."""
    reached = set(_given(step))
    for other in step.graph.ops:
        if other is not op and not reached.isdisjoint(other.inputs):
            reached.update(name for name in other.outputs if name not in step.from_labels or name in step.depends_on_parameters)
    return any(step.value(name).role == "loss" for name in reached)


def _about_one_row(step: StepIndex, op: Op) -> Diagnosis:
    value = step.value(op.inputs[0])
    offset = next((step.value(name).shown for name in reversed(op.inputs) if step.value(name).role == "parameter"), "its offset")
    handed = next((event.site for event in step.events("batch") if event.site), None)
    return Diagnosis(
        "WG320",
        "input-ignored",
        "error",
        "proved",
        f"the model does not see its input in training: `{op.module or spelled(op)}` normalises over the batch, and the batch is one row",
        site=op.made or op.site,
        label=f"`{offset}` comes out, whatever goes in",
        related=places((handed, "the batches come from here")),
        evidence=(
            Evidence(f"{typed(value)} has one entry for each channel: the entry is its own mean, and less its mean it is 0", "rows", 1),
        ),
        help="train on batches of several rows, as by `batch_size`, or normalise each row by itself: a layer normalisation",
        explains=frozenset({Fact("insensitive", str(step.step.kind)), Fact("stands", str(step.step.kind)), *_dead(step)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )


def _about(index: Index, step: StepIndex, op: Op) -> Diagnosis:
    if is_alone(step, op):
        return _about_one_row(step, op)
    if of_one_feature(step, op) and not step.depends_on_parameters.isdisjoint(op.inputs[:1]):
        return about_one_feature(step, op)
    value = step.value(op.output)
    given = [
        name for name in (*op.inputs, str(op.attributes.get("like", ""))) if name in step.values and _varies(step.value(name).statistics)
    ]
    names = [step.value(name).shown for name in given if step.value(name).called] or [step.value(given[0]).shown]
    number = value.statistics.maximum if value.statistics is not None else None
    before = step.value(given[0]).statistics
    return Diagnosis(
        "WG320",
        "input-ignored",
        "error",
        "proved",
        f"the model does not see its input: `{spelled(op)}` makes {figure(number)} of every entry of {listed(names)}",
        site=op.site,
        label=f"{figure(number)} whatever goes in",
        related=places((_first_reader(step, op), "the model begins here")),
        evidence=(
            Evidence(
                f"{typed(step.value(given[0]))} is between {figure(before.minimum if before else None)} and {figure(before.maximum if before else None)}, and {typed(value)} is {figure(number)} everywhere",
                "spread",
                0.0,
            ),
            *_as_a_whole(step),
        ),
        help=f"hand the model {listed(names)} as it comes"
        if op.kind == "create"
        else "scale with figures of the data set instead of each example's own, or leave this out for a single feature",
        explains=frozenset({Fact("insensitive", str(step.step.kind)), *_dead(step)}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
        remedy=_unscaled(index, step, op),
    )


def _as_a_whole(step: StepIndex) -> Iterator[Evidence]:
    """What was measured of it: permuting the labels changes next to nothing."""
    felt = step.step.measures.label_sensitivity
    if felt is not None and felt < WHOLE:
        said = f"label sensitivity is {figure(felt)}: with one output for all inputs the labels count as a whole alone"
        yield Evidence(said, "label_sensitivity", felt)


def _dead(step: StepIndex) -> Iterator[Fact]:
    """Units that see the same number in every row may well stand at zero in every row."""
    yield from (Fact("dead", name) for name in (*step.values, *(p.name for p in step.step.parameters)))


_OVER = re.compile(r"\s*(\w+)\s*=\s*[\w.]+\(\s*\1\s*(,[^()]*)?\)\s*(#.*)?$")
"""`images = torch.zeros_like(images)`."""


def _unscaled(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """The input as it is, where a layer has nothing to compare a single feature with, or where one number takes its place."""
    if op.kind == "create":
        return remedy(
            "hand on the input as it comes", Edit("drop" if _OVER.match(op.site.text) else "unwrap", op.site) if op.site else None
        )
    same_shape = op.kind == "norm" and step.value(op.inputs[0]).shape == step.value(op.output).shape
    site = edited_at(step, op) if op.kind == "layer_norm" or same_shape else None
    edit = Edit("unwrap", site, spelling(index, "identity"), NORMS) if site else None
    return remedy("leave out the normalisation of a single feature", edit, changes="the model gets its input unscaled") if edit else None


def _first_reader(step: StepIndex, op: Op) -> Site | None:
    return next((other.site for name in op.outputs for other in step.consumers.get(name, ()) if other.site), None)
