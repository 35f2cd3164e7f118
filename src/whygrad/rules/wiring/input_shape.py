"""WG705: the data do not fit what a layer declares."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, failures, gist
from whygrad.flow.layers import Layer, expected, layer, maker
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Site
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import operand, remedy
from whygrad.rules.remedies_of_settings import begun_for, fed, with_rows
from whygrad.rules.wiring.checked_inputs import refused_inputs
from whygrad.rules.wiring.merged_inputs import refused_merges
from whygrad.rules.wiring.misgiven_inputs import misgiven
from whygrad.rules.wiring.no_room import no_room
from whygrad.rules.wiring.odd_axes import odd_axes
from whygrad.rules.wiring.unfit_reshapes import unfit_reshapes
from whygrad.rules.wiring.unfit_sums import unfit_sums

OUTSIDE = re.compile(r"indices\[[\d, ]*\] = (?P<id>-?\d+) is not in \[0, \d+\)")
"""What TensorFlow says of an id that an embedding has no row for."""


EXAMPLE = "initialise the weights with an example of the data that the model is trained on: its sizes decide those of the weights"
"""What to do where a layer takes its sizes from the data that it is called with first."""


class Misfit(NamedTuple):
    """In what way the data do not fit."""

    said: str
    """What they have, in a few words."""
    help: str
    declared: bool
    """The number in the layer's declaration is what a person would edit, not the call."""
    axis: int | None = None
    """What lies behind this axis is to be flattened."""
    order: tuple[int, int] | None = None
    """What lies on the first of these axes is due on the second."""


@rule("WG705", "input-shape", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The data do not fit what a layer declares: a missing flatten, a channel axis at another place, a wrong number of features.

    ## What it finds
    A layer whose call raised because the size of its input differs from the size that its weights ask for. Where the wanted size is the product of the
    last axes, a flatten is missing; where another axis has it, the axes are in another order; where one channel is wanted and there is no channel axis, that is missing;
    otherwise the number in the declaration is wrong, and the declaration is the place; so it is for an embedding with fewer rows than there are ids. Also a loss on class ids that refuses scores in which dense layers have kept the
    axes of the data, since a dense layer of Keras takes whatever stands in front of the last axis. Also a Keras model that is given one example without a batch axis, or another
    number of inputs than it has; two values inside a model that can't be added or joined, as round layers that change the shape, with the layer that changed it; and, while a Keras model is built, inputs that can't be joined or added as their sizes differ, and weights whose size the
    model's input leaves open. Also a convolution or pooling whose window is larger than what is left of its input, because the layers before have
    taken the rest, or because the channels stand where the sides are due; and a declared shape that counts the examples too. Also a reshape that asks for another number of entries, and a layer that
    is given the pair that a recurrent layer returns; in JAX, a scan whose state changes its shape.

    ## Why it matters
    The exception names the sizes of two matrices, after the framework has folded the batch into them, and neither the layer nor the line that declares it.

    ## When it is fine
    It speaks only of calls that raised.

    ## How sure
    Proved: the recorded shapes of the data and of the weights.

    ## References
    PyTorch: "mat1 and mat2 shapes cannot be multiplied", "expected input … to have 3 channels, but got 28 channels instead", "input.size(-1) must be equal to
    input_size".
    """
    yield from distinct(_found(index))


def _found(index: Index) -> Iterator[Diagnosis]:
    for failure in index.once(failures):
        op = failed_op(failure.step)
        found = layer(failure.step, op) if failure.step is not None and op is not None else None
        if failure.step is not None and found is not None:
            yield from _of_layer(index, failure, failure.step, found)
            yield from _of_ids(index, failure, failure.step, found)
        if failure.step is not None and op is not None:
            yield from odd_axes(index, failure, failure.step, op)
            yield from unfit_sums(failure, failure.step, op)
    told = [*misgiven(index), *refused_merges(index), *no_room(index), *unfit_reshapes(index)]
    yield from told or refused_inputs(index)


def _of_layer(index: Index, failure: Failure, step: StepIndex, found: Layer) -> Iterator[Diagnosis]:
    due = expected(found)
    shape = found.data.shape
    if due is None or not shape or due[0] >= len(shape) or (shape[due[0]] == due[1] and not _lacks_channels(found)):
        return
    misfit = _misfit(index, found, shape, *due, raw=found.data.name not in step.depends_on_parameters)
    declared = found.parameter.site if found.parameter is not None and misfit.declared else None
    if (begun := _begun(found, declared)) is not None:
        declared, misfit = begun, misfit._replace(help=EXAMPLE)
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{found.shown} takes {due[1]:,} {_counted(found)}, and {_name(found)} ({found.data.type}) {misfit.said}",
        site=declared or found.op.site or failure.site,
        label=f"made for {due[1]:,}" if begun else f"declared for {due[1]:,}" if declared else misfit.said,
        related=places((found.op.site if declared else None, "called here"), (maker(step, found), f"{_name(found)} is made here")),
        evidence=(
            Evidence(
                f"{typed(found.data)} meets the weight {typed(found.weight)}: axis {due[0]} is {shape[due[0]]:,}, and {due[1]:,} is due",
                "size",
                shape[due[0]],
            ),
            Evidence(f"the call raised: {(gist(failure.message) or failure.type).rstrip('.')[:200]}"),
        ),
        help=misfit.help,
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.shown,),
        remedy=_reordered(index, found, misfit) or _made_for(declared, shape[due[0]], due[1], begun=begun is not None),
    )


def _made_for(declared: Site | None, size: int, due: int, *, begun: bool) -> Remedy | None:
    """The layer declared, or its weights initialised, for as many as it gets."""
    if begun:
        return begun_for(declared, size)
    return fed(declared, size, due) if declared else None


def _begun(found: Layer, made: Site | None) -> Site | None:
    """Where weights were made by the very call that reads them: not there but in what called it then, with data of another size."""
    reads = found.op.site
    if made is None or reads is None or made.line_of_code != reads.line_of_code:
        return None
    theirs = {place.line_of_code for place in reads.with_callers}
    return next((place for place in made.with_callers if place.line_of_code not in theirs), None)


def _reordered(index: Index, found: Layer, misfit: Misfit) -> Remedy | None:
    """What comes in, flattened or with its axes in order where the layer is called."""
    if misfit.order is not None:
        text = spelling(index, "axis moved", axis=misfit.order[0], to=misfit.order[1]).replace(".contiguous()", "")
        return remedy("put the axes in order", operand(found.op, found.data, text))
    text = spelling(index, "flattened", axis=misfit.axis)
    return remedy("flatten what comes in", operand(found.op, found.data, text)) if misfit.axis is not None else None


def odd_id(found: Layer, message: str) -> float | None:
    """An id that an embedding has no row for: the largest or the smallest that it was given, else the one that the exception names."""
    rows, figures = (found.weight.shape or (0,))[0], found.data.statistics
    if found.op.kind != "embedding" or not rows:
        return None
    named = OUTSIDE.search(message)
    given = [at for at in ((figures.maximum, figures.minimum) if figures is not None else ()) if at is not None and math.isfinite(at)]
    given += [float(named["id"])] if named else []
    return next((at for at in given if not 0 <= at < rows), None)


def _of_ids(index: Index, failure: Failure, step: StepIndex, found: Layer) -> Iterator[Diagnosis]:
    """An embedding that was given an id beyond its last row."""
    odd = odd_id(found, failure.message)
    if odd is None:
        return
    rows = (found.weight.shape or (0,))[0]
    declared = found.parameter.site if found.parameter is not None else None
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{found.shown} has {rows:,} rows, for ids from 0 to {rows - 1:,}, and {_name(found)} holds {odd:,.0f}",
        site=declared or found.op.made or found.op.site or failure.site,
        label=f"declared for {rows:,} ids",
        related=places((found.op.site, "called here"), (maker(step, found), f"{_name(found)} is made here")),
        evidence=(
            Evidence(f"{typed(found.data)} holds the id {odd:,.0f}, and {typed(found.weight)} has rows 0 to {rows - 1:,}", "id", odd),
        ),
        help=f"give the layer a row for every id, {odd + 1:,.0f} of them or more, or map rarer ids to one"
        if odd > 0
        else "shift the ids so that the smallest is 0",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.shown,),
        remedy=with_rows(index, declared or found.op.made, int(odd) + 1) if odd > 0 else None,
    )


def _name(found: Layer) -> str:
    return f"`{found.data.called}`" if found.data.called else "its input"


def _counted(found: Layer) -> str:
    return "channels" if found.op.kind in ("conv", "batch_norm") else "features"


def _lacks_channels(found: Layer) -> bool:
    """A batch of images without a channel axis passes for one image with a channel for each example."""
    data, weight = found.data.shape or (), found.weight.shape or ()
    return found.op.kind == "conv" and len(data) == len(weight) - 1 and len(data) > 0 and weight[1] == 1 and data[0] > 1


def _misfit(index: Index, found: Layer, shape: tuple[int, ...], axis: int, due: int, *, raw: bool) -> Misfit:
    here, data = shape[axis], found.data.called or "x"
    variable = data if data.isidentifier() else "x"
    if _lacks_channels(found):
        return Misfit("has no channel axis", f"give the batch one: {idiom(index, 'channel axis', name=variable)}", declared=False)
    joined = next((at for at in range(1, len(shape) - 1) if math.prod(shape[at:]) == due), None)
    if joined is not None and axis == len(shape) - 1:
        return Misfit(
            f"has them spread over {len(shape) - joined} axes",
            f"flatten it before: {idiom(index, 'flatten', name=variable, axis=joined)}",
            declared=False,
            axis=joined,
        )
    elsewhere = [at for at, size in enumerate(shape) if size == due and at not in (axis, 0)]
    if elsewhere:
        order = idiom(index, "move axis", name=variable, old=elsewhere[-1], new=axis)
        # timid: what other layers made has its axes from them, and which of these is to change is a person's to say
        ways = (elsewhere[-1], axis) if raw and len(elsewhere) == 1 else None
        return Misfit(f"has them on axis {elsewhere[-1]}", f"put the axes in order before the call: {order}", declared=False, order=ways)
    origin = "the data have" if raw else "what comes in has"
    return Misfit(
        f"has {here:,}", f"declare {found.shown} for {here:,} {_counted(found)}, as {origin}, or change what comes in", declared=True
    )
