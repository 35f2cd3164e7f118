"""WG309: a value that the backward needs was changed in place."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, carried, consequences, failed_backward, failed_op, gist, matching
from whygrad.flow.writes import Overwritten, overwritten
from whygrad.ir import Event, Op, Site
from whygrad.rules import rule
from whygrad.rules.graph.donated import DONATED, donated
from whygrad.rules.phrases import distinct, places, plural, typed
from whygrad.rules.remedies import in_front, remedy, setting

CHANGED = re.compile(
    r"modified by an inplace operation: \[torch\.(?:cuda\.)?(?P<dtype>\w+?)Tensor \[(?P<shape>[\d, ]*)\]\]"
    r"(?:, which is output \d+ of (?P<maker>\w+?)(?:Backward\d*)?,)?,? is at version (?P<now>\d+); expected version (?P<due>\d+)"
)
REFUSED = re.compile(
    r"leaf Variable that requires grad is being used in an in-place operation|is a view and (?:is being|its base has been) modified inplace"
)
DTYPES = {"Float": "f32", "Double": "f64", "Half": "f16", "BFloat16": "bf16", "Long": "i64", "Int": "i32", "Bool": "bool"}
PARAMETER_VIEWS = ("", "AsStrided", "T", "Transpose", "Permute", "View", "Slice", "Select", "AccumulateGrad")
"""What the framework calls the maker of a parameter, or of a mere view of one."""


class Needed(NamedTuple):
    """What the framework says was changed."""

    dtype: str
    shape: tuple[int, ...]
    maker: str
    now: int
    due: int


@rule("WG309", "inplace-overwrite", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A value that the backward still needs was changed in place after the forward had used it.

    ## What it finds
    A backward that was refused because a saved value is at a later version than the forward left it, and the line that changed it: an
    assignment into a slice, `x += …`, an activation with `inplace=True`, a method with a trailing underscore; or an optimizer that stepped between
    a forward and its backward, which changes the weights under the graph. Also the in-place call on a trainable leaf, which is refused where it stands. In JAX, an array that is read after a
    jitted function was allowed to write over its memory (`donate_argnums`), or that is handed to such a function under two names at once.

    ## Why it matters
    The exception is raised at the backward, and names neither the variable nor the line that changed it.

    ## When it is fine
    In-place changes of values that no derivative needs: after an addition or a linear layer's output, under `no_grad`, of buffers. The framework accepts
    them, and this rule speaks only where it refused.

    ## How sure
    Proved: the framework refused the backward, and the recorded graph shows who wrote to a value of that kind, type and shape.

    ## References
    PyTorch, "Autograd mechanics: in-place operations with autograd"; `whygrad explain WG310` for state that is carried over steps.
    """
    found = [_changed(index, failure, _needed(match)) for failure, match in matching(index, CHANGED)]
    found += [_refused(failure) for failure, _ in matching(index, REFUSED)]
    found += [donated(index, failure, match) for failure, match in matching(index, DONATED)]
    yield from distinct(diagnosis for diagnosis in found if diagnosis is not None)


def _needed(match: "re.Match[str]") -> Needed:
    shape = tuple(int(size) for size in match["shape"].split(",") if size.strip())
    return Needed(DTYPES.get(match["dtype"], ""), shape, match["maker"] or "", int(match["now"]), int(match["due"]))


def _changed(index: Index, failure: Failure, needed: Needed) -> Diagnosis | None:
    step = failure.step
    if step is None:
        return _unseen(failure)
    written = _written(step, needed)
    if written is not None:
        return _of_write(failure, step, written, needed)
    if any(item.step is step for item in index.once(carried)):
        return None  # WG310's: a graph of an earlier step, whose parameters have been updated since
    update = _update(step, needed)
    return _of_update(failure, step, update, needed) if update is not None else _unseen(failure)


def _written(step: StepIndex, needed: Needed) -> Overwritten | None:
    """The overwritten value that the message is about: of that type, made by an op of that name, and read or kept for the backward."""
    alike = [item for item in overwritten(step) if (item.value.dtype, item.value.shape) == (needed.dtype, needed.shape)]
    named = [item for item in alike if _made_by(item, needed.maker)]
    # timid: several values of one type may have been changed, and without the name of its maker the message fits them all
    candidates = named or (alike if not needed.maker or needed.maker in PARAMETER_VIEWS else [])
    return max(candidates, key=lambda item: (bool(item.readers), len(item.writes)), default=None)


def _made_by(item: Overwritten, maker: str) -> bool:
    """The framework names the op that the value comes from now: its maker, or what wrote to it last."""
    if not maker:
        return item.maker is None
    if maker == "CopySlices":
        return True
    return any(_is(op, maker) for op in (item.maker, *item.writes) if op is not None)


def _is(op: Op, maker: str) -> bool:
    native = op.native.rsplit(".", 1)[-1].replace("_", "").lower()
    wanted = maker.replace("_", "").lower()
    return op.kind.replace("_", "") in wanted or (bool(native) and (native.lstrip("ir") in wanted or wanted in native))


def _update(step: StepIndex, needed: Needed) -> Event | None:
    """The update between the forward and the refused backward, where what changed can be a parameter."""
    backward = failed_backward(step)
    shapes = {shape for p in step.step.parameters for shape in _views(step.value(p.value).shape)}
    if needed.maker not in PARAMETER_VIEWS or needed.shape not in shapes:
        return None
    before = [event for event in step.step.events[: _position(step, backward)] if event.kind in ("optimizer_step", "update")]
    return before[-1] if before else None


def _views(shape: tuple[int, ...] | None) -> tuple[tuple[int, ...], ...]:
    return (shape, shape[::-1]) if shape is not None else ()


def _position(step: StepIndex, backward: Event | None) -> int:
    return next((at for at, event in enumerate(step.step.events) if event is backward), len(step.step.events))


def _of_write(failure: Failure, step: StepIndex, found: Overwritten, needed: Needed) -> Diagnosis:
    write = found.writes[needed.due] if needed.due < len(found.writes) else found.writes[0]
    others = [op.site for op in found.writes if op is not write]
    reader = found.maker if _keeps_result(found) else found.readers[0] if found.readers else found.maker
    return _diagnosis(
        failure,
        f"{typed(found.value)} is changed in place, and the backward still needs it as it was",
        write.site,
        "changes it in place",
        (
            Evidence(f"`{_spelled(reader)}` saved it for its derivative" if reader else "it was saved for a derivative"),
            Evidence(
                f"{plural(len(found.writes), 'write')} in place came after: version {needed.now}, where the backward expects {needed.due}",
                "version",
                needed.now,
            ),
        ),
        _advice(write, _variable(found)),
        places((reader.site if reader else None, "the value is made or used here"), *((site, "and changed again here") for site in others)),
        step,
        (found.value.shown,),
        _remedy(write, _variable(found)),
    )


def _advice(write: Op, name: str) -> str:
    """A copy by its name; where it has none, a new value in the place of an augmented assignment."""
    if name == "x" and write.site is not None and _AUGMENTED.match(write.site.text):
        return "make a new value: write `a = a + b` in the place of `a += b`"
    return f"change a copy: `{name} = {name}.clone()` before this line, or build a new tensor with `torch.where` or a product with a mask"


def _keeps_result(found: Overwritten) -> bool:
    """Its maker's derivative is computed from the result."""
    return found.maker is not None and found.maker.kind in (
        "sigmoid",
        "tanh",
        "softmax",
        "log_softmax",
        "exp",
        "sqrt",
        "relu",
        "reciprocal",
        "elu",
    )


def _variable(found: Overwritten) -> str:
    name = found.value.called or (found.writes[0].outputs and found.value.shown) or "x"
    return name if name.isidentifier() else "x"


def _spelled(op: Op | None) -> str:
    return op.native.rsplit(".", 1)[-1].strip("_") or op.kind if op is not None else "an op"


def _of_update(failure: Failure, step: StepIndex, update: Event, needed: Needed) -> Diagnosis:
    backward = failed_backward(step)
    who = f"`{update.targets[0]}`" if update.kind == "optimizer_step" and update.targets else "an update by hand"
    return _diagnosis(
        failure,
        f"{who} changes the parameters between a forward and its backward",
        update.site,
        "changes parameters that a later backward needs as they were",
        (
            Evidence(
                f"a parameter of {len(needed.shape)} axes, {list(needed.shape)}, is at version {needed.now}, where the backward expects {needed.due}",
                "version",
                needed.now,
            ),
        ),
        "run every backward before the first update, or compute the second loss anew after this update",
        places((backward.site if backward else None, "this backward goes through the old graph")),
        step,
        update.targets,
    )


def _unseen(failure: Failure) -> Diagnosis:
    return _diagnosis(
        failure,
        "a value that the backward needs was changed in place",
        failure.site,
        "the backward is refused here",
        (Evidence(f"the framework refused: {gist(failure.message)[:200]}"),),
        "look for `+=`, an assignment into a slice, a trailing underscore or `inplace=True` between the forward and this line, and change a copy",
        (),
        failure.step,
        (),
    )


def _refused(failure: Failure) -> Diagnosis:
    op = failed_op(failure.step)
    named = op.inputs[0] if op is not None and op.inputs else ""
    value = failure.step.value(named) if failure.step is not None and named else None
    shown = f"{typed(value)}" if value is not None else "a trainable tensor"
    return _diagnosis(
        failure,
        f"{shown} is changed in place where the framework can't follow it",
        (op.site if op is not None else None) or failure.site,
        "in-place change of a trainable leaf or of one of several views",
        (Evidence(f"the call was refused: {gist(failure.message).rstrip('.')[:200]}"),),
        "compute a new tensor instead; to set a parameter's values write under `with torch.no_grad():`",
        (),
        failure.step,
        (value.shown,) if value is not None else (),
    )


def _diagnosis(
    failure: Failure,
    message: str,
    site: Site | None,
    label: str,
    evidence: tuple[Evidence, ...],
    help: str,
    related: tuple[Related, ...],
    step: StepIndex | None,
    names: tuple[str, ...],
    mending: Remedy | None = None,
) -> Diagnosis:
    return Diagnosis(
        "WG309",
        "inplace-overwrite",
        "error",
        "proved",
        message,
        site=site,
        label=label,
        related=related,
        evidence=evidence,
        help=help,
        explains=consequences(failure, step),
        kind=step.step.kind if step else None,
        step=step.step.index if step else None,
        names=names,
        remedy=mending,
    )


def _remedy(write: Op, name: str) -> Remedy | None:
    """A copy is changed instead; a layer or function that was told to work in place is told not to."""
    told = write.made or write.site
    if told is not None and "inplace" in told.text:
        return remedy("do not work in place", setting(told, "inplace", "False"))
    if name == "x" and write.site is not None and _AUGMENTED.match(write.site.text):
        return remedy("make a new value", Edit("part", write.site))
    return remedy("change a copy", in_front(write.site, f"{name} = {name}.clone()")) if name != "x" else None


_AUGMENTED = re.compile(r"\s*[A-Za-z_][\w.]*(\[[^]]*\])?\s*(\+|-|\*|/|@|\*\*)=")
