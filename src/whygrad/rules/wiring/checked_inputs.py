"""Layers that look at their input before they compute anything, and refuse it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, gist, matching
from whygrad.flow.layers import layer
from whygrad.idioms import idiom
from whygrad.ir import Op, Site, Value
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import remedy, setting

CHECKED = re.compile(
    r"input\.size\(-1\) must be equal to input_size\. Expected (?P<due>\d+), got (?P<got>\d+)"
    r"|was expecting embedding dimension of (?P<due2>\d+), but got (?P<got2>\d+)"
    r"|incompatible with the layer: expected shape=\((?:None, )?(?P<due3>[^)]*)\), found shape=\((?:\d+|None), (?P<got3>[^)]*)\)"
    r"|Cannot feed value of shape \((?P<got4>[^)]*)\) for Tensor '?(?P<fed>[\w/.-]+?)(?::\d+)?'?, which has shape '?\((?P<due4>[^)]*)\)"
    r"|[Ee]xpected axis (?P<axis>-?\d+) of input shape to have value (?P<due5>\d+), but received input with shape \((?P<got5>[\d, ]*)\)"
    r"|Expected shape \((?:None, )?(?P<due6>[^)]*)\), but input has incompatible shape \(\d+, (?P<got6>[^)]*)\)"
    r"|[Ee]xpected (?P<limit>min_|max_)?ndim=(?P<due7>\d+), found (?:full_)?ndim=(?P<got7>\d+)(?:\. Full shape received: \((?P<whole>[^)]*)\))?"
    r"|(?P<rank>[Ee]xpected [\dD() a-z-]+ or [\dD() a-z-]+ input[^.]*|expected \d+D (?:or \d+D )?input \(got \d+D input\)|[Ee]xpected input to be \d+D or \d+D, got \d+D instead)"
)
"""What a layer says that looks at its input before it calls anything."""
NAMED = re.compile(r"(?:with name '(?P<input>[^']+)' )?of layer '(?P<layer>[^']+)' is incompatible")
"""How Keras names the layer, and an input of a model that has several."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A layer that refused its input, with what is known of both."""

    index: Index
    failure: Failure
    match: "re.Match[str]"
    op: Op | None
    data: Value | None

    @property
    def layer(self) -> str:
        """The layer that refused, as the subject of a sentence."""
        named = NAMED.search(self.failure.message)
        if self.match["due3"] or self.match["due6"]:
            own = named["input"] if named is not None else None
            return (
                f"the input `{own}` of the model"
                if own and own != "None" and self.op is not None and self.op.module == own
                else "the model"
            )
        return f"`{named['layer']}`" if named is not None else "the layer called here"

    @property
    def given(self) -> str:
        """What it was given, as the subject of a sentence."""
        return f"`{self.data.called}`" if self.data is not None and self.data.called else "its input"

    @property
    def written(self) -> str:
        """The same in code that a reader may paste."""
        return self.data.called if self.data is not None and self.data.called.isidentifier() else "x"


def refused_inputs(index: Index) -> Iterator[Diagnosis]:
    """One for each layer that refused its input, and of which no weights are known that tell more."""
    for failure, match in matching(index, CHECKED):
        op = failed_op(failure.step)
        if op is None or op.kind == "opaque" or (failure.step is not None and layer(failure.step, op) is None):
            found = Refusal(index, failure, match, op, _data(failure.step, op, match))
            yield _of_last_output(found) or _of_axes(found) or _of_check(found)


def _data(step: StepIndex | None, op: Op | None, match: "re.Match[str]") -> Value | None:
    """What was refused: an input of the call that failed, else whatever has the shape that the exception tells."""
    told = next((match[key] for key in ("got5", "whole") if match[key]), None)
    shape = _sizes(told) if told else (0, *_sizes(match["got3"] or match["got6"] or ""))
    given = [step.value(name) for name in op.inputs] if step is not None and op is not None else []
    values = given or [step.value(name) for name in step.values if step.value(name).role == "input"] if step is not None else []
    return next((value for value in values if value.shape is not None and len(shape) > 1 and value.shape[1:] == shape[1:]), None)


def _sizes(written: str) -> tuple[int, ...]:
    """The numbers of a shape that an exception tells; those that are unknown count as 0."""
    return tuple(int(part) if part.strip().isdigit() else 0 for part in written.split(",") if part.strip())


def _born(found: Refusal) -> Site | None:
    step = found.failure.step
    made = step.producer.get(found.data.name) if step is not None and found.data is not None else None
    return made[1].site if made is not None else None


def _of_last_output(found: Refusal) -> Diagnosis | None:
    """A recurrent layer behind another one that gives its last output alone."""
    step, op, match = found.failure.step, found.op, found.match
    if step is None or op is None or op.kind not in ("rnn", "conv") or not match["due7"] or int(match["got7"]) != int(match["due7"]) - 1:
        return None
    before = next((step.producer[name][1] for name in op.inputs if name in step.producer), None)
    if before is None or before.kind != "rnn" or not before.native.startswith("keras."):
        return None
    made = before.made or before.site
    return _diagnosis(
        found,
        f"{found.layer} reads a sequence, and `{before.module}` in front of it gives its last output alone",
        made,
        label="gives the output of the last step alone",
        related=places((op.made or op.site or found.failure.site, "is given no sequence")),
        help_=f"let `{before.module}` give the output of every step: `return_sequences=True`",
        edit="return_sequences",
    )


def _of_axes(found: Refusal) -> Diagnosis | None:
    """A layer that named the shape that it was given, which holds what is due, on another axis or spread over several."""
    match = found.match
    rows = match["got6"]
    shape = _sizes(match["got5"]) if match["got5"] else (0, *_sizes(rows)) if rows else ()
    dues = (int(match["due5"]),) if match["due5"] else _sizes(match["due6"] or "")
    axis = int(match["axis"]) if match["axis"] else -1
    if len(dues) != 1 or not -len(shape) <= axis < len(shape):
        return None
    due, axis = dues[0], axis % len(shape)
    joined = next((at for at in range(1, len(shape) - 1) if math.prod(shape[at:]) == due), None) if axis == len(shape) - 1 else None
    cured = None
    elsewhere = [at for at, size in enumerate(shape) if size == due and at not in (axis, 0)]
    if joined is not None:
        said = f"has them spread over {len(shape) - joined} axes"
        cure = f"flatten it before: {idiom(found.index, 'flatten', name=found.written, axis=joined)}"
        rows = ", ".join([*(f"{found.written}.shape[{at}]" for at in range(joined)), "-1"])
        cured = _handed_over(found, "flatten what comes in", f"{{x}}.reshape({rows})")
    elif elsewhere:
        said = f"has them on axis {elsewhere[-1]}"
        order = idiom(found.index, "move axis", name=found.written, old=elsewhere[-1], new=axis)
        cure = f"put the axes in order before the call: {order}"
        cured = _handed_over(found, "put the axes in order", f"numpy.moveaxis({{x}}, {elsewhere[-1]}, {axis})")
    else:
        return None
    return _diagnosis(
        found,
        f"the model takes {due:,} entries on axis {axis}, and {found.given} {said}",
        found.failure.site,
        label="the call is refused",
        related=places((_born(found), f"`{found.written}` is made here")),
        help_=cure,
        cured=cured,
    )


HANDED = ("fit", "train_on_batch", "evaluate", "predict")
"""Methods of a Keras model that are given the data first."""


def _handed_over(found: Refusal, summary: str, text: str) -> Remedy | None:
    """The data that a Keras model is trained on, in another form where they are handed over; what a data set hands out is left to a person."""
    site, written = found.failure.site, found.written
    if (
        site is None
        or found.data is None
        or not re.search(rf"\.(?:{'|'.join(HANDED)})\(\s*(?:x\s*=\s*)?{re.escape(written)}\s*,", site.text)
    ):
        return None
    return remedy(summary, Edit("wrap", site, text, HANDED, "x", 0))


def _of_check(found: Refusal) -> Diagnosis:
    made = found.op.made if found.op is not None else None
    swapped = _other_input(found)
    if swapped is not None:
        return swapped
    said, cure = _said(found)
    return _diagnosis(
        found,
        said,
        made or found.failure.site,
        label="declared here" if made else "the call is refused",
        related=places(
            (found.failure.site if made and not _same_line(made, found.failure.site) else None, "the call is refused"),
            (_born(found), f"`{found.written}` is made here"),
        ),
        help_=cure,
    )


def _same_line(one: Site, other: Site | None) -> bool:
    return other is not None and (one.file, one.line) == (other.file, other.line)


def _other_input(found: Refusal) -> Diagnosis | None:
    """Of several inputs another one has the shape that is due: they were given in another order."""
    step, due = found.failure.step, _sizes(found.match["due3"] or "")
    if step is None or found.data is None or not due:
        return None
    batch = [step.value(name) for event in step.events("batch") for name in event.targets if name not in step.step.labels.values]
    other = next((value for value in batch if value.name != found.data.name and (value.shape or ())[1:] == due), None)
    if other is None:
        return None
    return _diagnosis(
        found,
        f"{found.layer} is declared for rows of shape ({found.match['due3']}), and is given {typed(found.data)}, while {typed(other)} would fit",
        found.failure.site,
        label="gives the inputs in another order",
        related=places((found.op.made if found.op is not None else None, "declared here")),
        help_="give the inputs in the order in which the model lists them, or as a dictionary by their names",
    )


def _said(found: Refusal) -> tuple[str, str]:
    """The sentence, and what to do."""
    match, data = found.match, found.data
    due, got = match["due"] or match["due2"], match["got"] or match["got2"]
    cure = "declare the layer for the size that comes in, or bring the axes into the order that it declares"
    if due:
        return f"{found.layer} takes {int(due):,} features, and {found.given} has {int(got):,}", cure
    if match["due3"] or match["due6"]:
        given = f"{typed(data)} has" if data is not None and data.called else "is given"
        rows = f"rows of shape ({match['got3'] or match['got6']})"
        return f"{found.layer} is declared for rows of shape ({match['due3'] or match['due6']}), and {given} {rows}", cure
    if match["due5"]:
        return _said_of_axis(found, cure)
    if match["due7"]:
        return _said_of_rank(found, cure)
    if match["fed"]:
        return (
            f"the placeholder `{match['fed']}` is declared for the shape ({match['due4']}), and is fed ({match['got4']})",
            f"declare `{match['fed']}` for the shape that is fed, or reshape what is fed",
        )
    return "the input of the layer called here has the wrong number of axes", cure


def _said_of_axis(found: Refusal, cure: str) -> tuple[str, str]:
    due, shape, axis = int(found.match["due5"]), _sizes(found.match["got5"]), int(found.match["axis"])
    if len(shape) == 2 and axis == -1:  # noqa: PLR2004 - rows and features
        return (
            f"{found.layer} takes {due:,} features, and {found.given} has {shape[-1]:,}",
            f"declare {found.layer} for {shape[-1]:,} features, as the data have, or change what comes in",
        )
    return f"{found.layer} takes {due:,} entries on axis {axis}, and {found.given} has the shape ({found.match['got5']})", cure


def _said_of_rank(found: Refusal, cure: str) -> tuple[str, str]:
    due, got = int(found.match["due7"]), int(found.match["got7"])
    limit = {"min_": "at least ", "max_": "at most "}.get(found.match["limit"] or "", "")
    shape = f" ({found.match['whole']})" if found.match["whole"] else ""
    said = f"{found.layer} takes an input of {limit}{due} axes, and {found.given}{shape} has {got}"
    if got == due - 1 and (found.data is None or found.data.role == "input"):
        cure = _further_axis(found) or cure
    elif got > due and found.data is not None:
        cure = f"flatten it before: {idiom(found.index, 'flatten', name=found.written, axis=due - 1)}"
    return said, cure


def _further_axis(found: Refusal) -> str:
    """Data of one number for each step or pixel, for a layer that reads several: an axis of size 1, in the data and where the model declares them."""
    kind, sizes = found.op.kind if found.op is not None else "", _sizes(found.match["whole"] or "")[1:]
    if kind not in ("rnn", "conv") and found.data is None:
        return ""
    what = {"rnn": "features", "conv": "channels"}.get(kind, "channels or features")
    declared = f", and declare it: `shape=({', '.join(str(size) for size in (*sizes, 1))})`" if sizes and 0 not in sizes else ""
    return f"give the data an axis for {what} at the end: {idiom(found.index, 'channel axis', name=found.written)}{declared}"


def _diagnosis(
    found: Refusal,
    said: str,
    site: Site | None,
    *,
    label: str,
    related: tuple[Related, ...],
    help_: str,
    edit: str = "",
    cured: Remedy | None = None,
) -> Diagnosis:
    failure = found.failure
    change = setting(site, edit, "True") if edit else None
    asked = "session" if found.match["fed"] else "layer"
    return Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        said,
        site=site,
        label=label,
        related=related,
        evidence=(Evidence(f"the {asked} checked its input and raised: {gist(failure.message).rstrip('.')[:200]}"),),
        help=help_,
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
        remedy=remedy(f"give every step's output: `{edit}=True`", change) if change else cured,
    )
