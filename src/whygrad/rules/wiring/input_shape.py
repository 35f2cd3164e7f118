"""WG705: the data do not fit what a layer declares."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, failures, matching
from whygrad.flow.layers import Layer, expected, layer
from whygrad.idioms import idiom
from whygrad.ir import Op, Site, Value, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, typed

CHECKED = re.compile(
    r"input\.size\(-1\) must be equal to input_size\. Expected (?P<due>\d+), got (?P<got>\d+)"
    r"|was expecting embedding dimension of (?P<due2>\d+), but got (?P<got2>\d+)"
    r"|incompatible with the layer: expected shape=\((?:None, )?(?P<due3>[^)]*)\), found shape=\(\d+, (?P<got3>[^)]*)\)"
    r"|Cannot feed value of shape \((?P<got4>[^)]*)\) for Tensor '?(?P<fed>[\w/.-]+?)(?::\d+)?'?, which has shape '?\((?P<due4>[^)]*)\)"
    r"|[Ee]xpected axis (?P<axis>-?\d+) of input shape to have value (?P<due5>\d+), but received input with shape \((?P<got5>[\d, ]*)\)"
    r"|Expected shape \((?:None, )?(?P<due6>[^)]*)\), but input has incompatible shape \(\d+, (?P<got6>[^)]*)\)"
    r"|[Ee]xpected (?:min_|max_)?ndim=(?P<due7>\d+), found (?:full_)?ndim=(?P<got7>\d+)"
    r"|(?P<rank>[Ee]xpected [\dD() a-z-]+ or [\dD() a-z-]+ input[^.]*|expected \d+D (?:or \d+D )?input \(got \d+D input\))"
)
"""What a layer says that looks at its input before it calls anything."""
OUTSIDE = re.compile(r"indices\[[\d, ]*\] = (?P<id>-?\d+) is not in \[0, \d+\)")
"""What TensorFlow says of an id that an embedding has no row for."""


class Misfit(NamedTuple):
    """In what way the data do not fit."""

    said: str
    """What they have, in a few words."""
    help: str
    declared: bool
    """The number in the layer's declaration is what a person would edit, not the call."""


@rule("WG705", "input-shape", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The data do not fit what a layer declares: a missing flatten, a channel axis at another place, a wrong number of features.

    ## What it finds
    A layer whose call raised because the size of its input differs from the size that its weights ask for. Where the wanted size is the product of the
    last axes, a flatten is missing; where another axis has it, the axes are in another order; where one channel is wanted and there is no channel axis, that is missing;
    otherwise the number in the declaration is wrong, and the declaration is the place; so it is for an embedding with fewer rows than there are ids. Also a loss on class ids that refuses scores in which dense layers have kept the
    axes of the data, since a dense layer of Keras takes whatever stands in front of the last axis.

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
            yield from _of_ids(failure, failure.step, found)
        if failure.step is not None and op is not None:
            yield from _kept_axes(index, failure, failure.step, op)
    for failure, match in matching(index, CHECKED):
        refused = failed_op(failure.step)
        if refused is None or refused.kind == "opaque":
            yield _of_axes(index, failure, match) or _of_check(failure, match)


def _of_layer(index: Index, failure: Failure, step: StepIndex, found: Layer) -> Iterator[Diagnosis]:
    due = expected(found)
    shape = found.data.shape
    if due is None or not shape or due[0] >= len(shape) or (shape[due[0]] == due[1] and not _lacks_channels(found)):
        return
    misfit = _misfit(index, found, shape, *due, raw=found.data.name not in step.depends_on_parameters)
    declared = found.parameter.site if found.parameter is not None and misfit.declared else None
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{found.shown} takes {due[1]:,} {_counted(found)}, and {_name(found)} ({found.data.type}) {misfit.said}",
        site=declared or found.op.site or failure.site,
        label=f"declared for {due[1]:,}" if declared else misfit.said,
        related=places((found.op.site if declared else None, "called here"), (_maker(step, found), f"{_name(found)} is made here")),
        evidence=(
            Evidence(
                f"{typed(found.data)} meets the weight {typed(found.weight)}: axis {due[0]} is {shape[due[0]]:,}, and {due[1]:,} is due",
                "size",
                shape[due[0]],
            ),
            Evidence(f"the call raised: {failure.message.splitlines()[0].rstrip('.')[:200] if failure.message else failure.type}"),
        ),
        help=misfit.help,
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.shown,),
    )


def odd_id(found: Layer, message: str) -> float | None:
    """An id that an embedding has no row for: the largest or the smallest that it was given, else the one that the exception names."""
    rows, figures = (found.weight.shape or (0,))[0], found.data.statistics
    if found.op.kind != "embedding" or not rows:
        return None
    named = OUTSIDE.search(message)
    given = [at for at in ((figures.maximum, figures.minimum) if figures is not None else ()) if at is not None and math.isfinite(at)]
    given += [float(named["id"])] if named else []
    return next((at for at in given if not 0 <= at < rows), None)


def _of_ids(failure: Failure, step: StepIndex, found: Layer) -> Iterator[Diagnosis]:
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
        related=places((found.op.site, "called here"), (_maker(step, found), f"{_name(found)} is made here")),
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
    )


def _kept_axes(index: Index, failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """A loss on class ids that refused scores with more axes than one, which dense layers have kept from the data: a flatten is missing."""
    given, target = input_of(op), target_of(op)
    if op.attributes.get("ids") is not True or op.attributes.get("axis") != -1 or given is None or target is None:
        return
    scores, ids = step.value(given), step.value(target)
    first = _first_dense(step, given)
    shape = scores.shape or ()
    if first is None or len(shape) < 3 or ids.shape != shape[:1] or (first.data.shape or ())[:-1] != shape[:-1]:  # noqa: PLR2004 - rows, kept axes, classes
        return
    yield Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"{first.shown} works on the last axis of {_name(first)} ({first.data.type}) alone: each example gets {math.prod(shape[1:-1]):,} rows of scores, and has one label",
        site=first.op.made or first.op.site or failure.site,
        label="the other axes pass through it as they are",
        related=places((op.site, "the loss meets too many axes here"), (_maker(step, first), f"{_name(first)} is made here")),
        evidence=(
            Evidence(f"{typed(scores)} has the axes {shape[1:-1]} of {_name(first)} between rows and classes, and {typed(ids)} has none", "axes", len(shape)),
            Evidence(f"the call raised: {failure.message.splitlines()[0].rstrip('.')[:200] if failure.message else failure.type}"),
        ),
        help=f"flatten it before: {idiom(index, 'flatten', name=first.data.called or 'x', axis=1)}",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(first.shown,),
    )  # fmt: skip


def _first_dense(step: StepIndex, scores: str) -> Layer | None:
    """The first of the dense layers that the scores come from, with nothing but dense layers and entry-by-entry ops behind it."""
    found, name = None, scores
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "linear":
            found = layer(step, op)
        elif family(op.kind) not in ("activation", "arithmetic", "layout", "cast") and op.kind != "dropout":
            # timid: behind a recurrent layer, an embedding or attention another axis may have been meant to go
            return found if op.kind in ("conv", "max_pool", "avg_pool") or family(op.kind) == "create" or not op.inputs else None
        if not op.inputs:
            break
        name = op.inputs[0]
    return found


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
        )
    elsewhere = [at for at, size in enumerate(shape) if size == due and at not in (axis, 0)]
    if elsewhere:
        order = idiom(index, "move axis", name=variable, old=elsewhere[-1], new=axis)
        return Misfit(f"has them on axis {elsewhere[-1]}", f"put the axes in order before the call: {order}", declared=False)
    origin = "the data have" if raw else "what comes in has"
    return Misfit(
        f"has {here:,}", f"declare {found.shown} for {here:,} {_counted(found)}, as {origin}, or change what comes in", declared=True
    )


def _maker(step: StepIndex, found: Layer) -> Site | None:
    made = step.producer.get(found.data.name)
    return made[1].site if made is not None else None


def _of_axes(index: Index, failure: Failure, match: "re.Match[str]") -> Diagnosis | None:
    """A layer that named the shape that it was given, which holds what is due, on another axis or spread over several."""
    rows = match["got6"]
    shape = _sizes(match["got5"]) if match["got5"] else (0, *_sizes(rows)) if rows else ()
    dues = (int(match["due5"]),) if match["due5"] else _sizes(match["due6"] or "")
    axis = int(match["axis"]) if match["axis"] else -1
    if len(dues) != 1 or not -len(shape) <= axis < len(shape):
        return None
    due, axis = dues[0], axis % len(shape)
    data = _given(failure.step, shape)
    name = data.called if data is not None and data.called.isidentifier() else "x"
    joined = next((at for at in range(1, len(shape) - 1) if math.prod(shape[at:]) == due), None) if axis == len(shape) - 1 else None
    elsewhere = [at for at, size in enumerate(shape) if size == due and at not in (axis, 0)]
    if joined is not None:
        said, cure = (
            f"has them spread over {len(shape) - joined} axes",
            f"flatten it before: {idiom(index, 'flatten', name=name, axis=joined)}",
        )
    elif elsewhere:
        said = f"has them on axis {elsewhere[-1]}"
        cure = f"put the axes in order before the call: {idiom(index, 'move axis', name=name, old=elsewhere[-1], new=axis)}"
    else:
        return None
    return Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"the model takes {due:,} entries on axis {axis}, and {f'`{data.shown}`' if data is not None else 'its input'} {said}",
        site=failure.site,
        label="the call is refused",
        related=places((_born(failure.step, data), f"`{name}` is made here")),
        evidence=(Evidence(f"the layer checked its input and raised: {match[0][:200]}"),),
        help=cure,
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )


def _sizes(written: str) -> tuple[int, ...]:
    """The numbers of a shape that an exception tells; those that are unknown count as 0."""
    return tuple(int(part) if part.strip().isdigit() else 0 for part in written.split(",") if part.strip())


def _given(step: StepIndex | None, shape: tuple[int, ...]) -> Value | None:
    """The data of that shape, but for the number of rows."""
    values = [step.value(name) for name in step.values] if step is not None else []
    return next((v for v in values if v.role == "input" and v.shape is not None and v.shape[1:] == shape[1:]), None)


def _born(step: StepIndex | None, data: Value | None) -> Site | None:
    made = step.producer.get(data.name) if step is not None and data is not None else None
    return made[1].site if made is not None else None


def _of_check(failure: Failure, match: "re.Match[str]") -> Diagnosis:
    due, got = match["due"] or match["due2"], match["got"] or match["got2"]
    declared = failed_op(failure.step)
    made = declared.made if declared is not None else None
    if due:
        said = f"the layer called here takes {int(due):,} features, and its input has {int(got):,}"
    elif match["due3"] or match["due6"]:
        said = f"the model is declared for rows of shape ({match['due3'] or match['due6']}), and is given rows of shape ({match['got3'] or match['got6']})"
    elif match["due5"]:
        said = f"the layer called here takes {int(match['due5']):,} entries on axis {match['axis']}, and its input has the shape ({match['got5']})"
    elif match["due7"]:
        said = f"the layer called here takes an input of {match['due7']} axes, and is given one of {match['got7']}"
    elif match["fed"]:
        said = f"the placeholder `{match['fed']}` is declared for the shape ({match['due4']}), and is fed ({match['got4']})"
    else:
        said = "the input of the layer called here has the wrong number of axes"
    return Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        said,
        site=made or failure.site,
        label="declared here" if made else "the call is refused",
        related=places((failure.site if made else None, "the call is refused")),
        evidence=(
            Evidence(
                f"the {'session' if match['fed'] else 'layer'} checked its input and raised: {failure.message.splitlines()[0].rstrip('.')[:200]}"
            ),
        ),
        help=f"declare `{match['fed']}` for the shape that is fed, or reshape what is fed"
        if match["fed"]
        else "declare the layer for the size that comes in, or bring the axes into the order that it declares",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )
