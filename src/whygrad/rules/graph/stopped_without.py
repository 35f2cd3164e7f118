"""The parts of WG302, WG307 and WG308 that explain programs which stopped: the loss was a plain number, the model gave nothing, the optimizer got nothing."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.idioms import spelled
from whygrad.ir import Op, Site
from whygrad.ir.record import ALL_FROZEN, NONE_CHOSEN
from whygrad.rules.graph.starvation import framework
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import statements

NUMBER = re.compile(
    r"'(?:float|int|ndarray|numpy\.\w+)' object has no attribute 'backward'|Cannot convert the argument `type_value`: \S+ to a TensorFlow DType"
)
NOTHING = re.compile(r"must be Tensor, not NoneType|^None values not supported|Attempt to convert a value \(None\)")
NONE = re.compile(r"\bNoneType\b")
EMPTY = re.compile(r"optimizer got an empty parameter list")
MADE = re.compile(r"can't optimize a non-leaf Tensor")
"""What the frameworks say of each."""
_NONE = (
    "the optimizer is given an empty list of parameters",
    "nothing to train here",
    "keep layers as attributes of the module or in `nn.ModuleList`, `nn.ModuleDict` or `nn.Sequential`: what stands in a plain list or dict is not found",
)
_LEFT = (
    "the optimizer is given an empty list, though there is a model with parameters that can be trained",
    "none of them is handed over here",
    "give it `model.parameters()` itself: a generator that was read before, to count or to print, gives nothing a second time (keep `list(model.parameters())`), and a condition on names that none meets leaves none",
)


def left_loss(index: Index) -> Iterator[Diagnosis]:
    """WG302: the gradient is asked of a number that has left the framework."""
    for failure, _ in matching(index, NUMBER):
        step = failure.step
        left = _last_leave(step) if step is not None else None
        if step is not None and left is not None:
            yield _of_number(index, failure, step, left)


def _last_leave(step: StepIndex) -> Op | None:
    """The last value made from parameters that left the framework."""
    leaves = (op for op in reversed(step.graph.ops) if op.kind == "leave" and not op.failed)
    return next((op for op in leaves if not step.depends_on_parameters.isdisjoint(op.inputs)), None)


def _elsewhere(failure: Failure, site: Site | None) -> Site | None:
    """Where it raised, if that is another line."""
    raised = failure.site
    return raised if raised is not None and (site is None or raised.line_of_code != site.line_of_code) else None


def _of_number(index: Index, failure: Failure, step: StepIndex, left: Op) -> Diagnosis:
    value = step.value(left.inputs[0])
    return Diagnosis(
        "WG302",
        "rebuilt-tensor",
        "error",
        "proved",
        f"the loss is a plain number when its gradient is asked for: `{spelled(left)}` has taken it out of {framework(index)}",
        site=left.site or failure.site,
        label="a number from here on, with no gradient behind it",
        related=places((_elsewhere(failure, left.site), "the gradient is asked for here")),
        evidence=(
            Evidence(f"{typed(value)} was computed from parameters and left through `{spelled(left)}`"),
            Evidence(f"{failure.type}: {gist(failure.message)[:160]}", "exception"),
        ),
        help=f"differentiate the loss itself, and call `{spelled(left)}` on it only for what is printed",
        facts=frozenset(Fact("no-gradient", p.name) for p in step.step.parameters),
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )


def returned_nothing(index: Index) -> Iterator[Diagnosis]:
    """WG308: a function of the user's computed something of the model, dropped it, and gave None."""
    # timid: any function may give None; only one that is known to have no `return` is to blame
    known = [failure for failure, _ in matching(index, NONE) if failure.about]
    for failure in known or [failure for failure, _ in matching(index, NOTHING)]:
        step = failure.step
        last = next((op for op in reversed(step.graph.ops) if op.outputs and not op.failed), None) if step is not None else None
        if step is not None and last is not None and _dropped(failure, step, last):
            yield _of_nothing(failure, step, last)


def _dropped(failure: Failure, step: StepIndex, last: Op) -> bool:
    """It was made in a function of the user's that was called for what it gives, from parameters, and not where the program stopped; nothing reads it."""
    inside = last.site.function if last.site is not None else ""
    there = failure.site.function if failure.site is not None else ""
    made = not step.depends_on_parameters.isdisjoint(last.outputs)
    called = statements(last.site.caller().text) if last.site is not None and last.site.callers else ()
    asked = not called or not isinstance(called[0], ast.Expr)
    return bool(inside) and inside != there and made and asked and not any(step.consumers.get(name) for name in last.outputs)


def _of_nothing(failure: Failure, step: StepIndex, last: Op) -> Diagnosis:
    value, inside = step.value(last.output), last.site.function if last.site is not None else ""
    return Diagnosis(
        "WG308",
        "discarded-result",
        "warning",
        "measured",
        f"`{inside}` returns nothing: what it computes last is dropped",
        site=last.site,
        label="computed here, and never handed on",
        related=places((_elsewhere(failure, last.site), "None arrives here")),
        evidence=(
            Evidence(f"{typed(value)} is the last that was computed, and nothing reads it"),
            Evidence(f"{failure.type}: {gist(failure.message)[:160]}", "exception"),
        ),
        help=f"end `{inside}` with a `return` of what it computes",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(inside,),
        remedy=remedy("return it", Edit("return", last.site)) if last.site is not None else None,
    )


def refused_parameters(index: Index) -> Iterator[Diagnosis]:
    """WG307: an optimizer that found nothing to train, or what is no parameter."""
    for failure, _ in matching(index, EMPTY):
        if failure.about not in ("", ALL_FROZEN, NONE_CHOSEN):
            yield _of_kept(failure)
        elif failure.about != ALL_FROZEN:
            yield _of_optimizer(failure, *(_LEFT if failure.about == NONE_CHOSEN else _NONE))
    for failure, _ in matching(index, MADE):
        yield _of_optimizer(
            failure,
            "the optimizer is given a tensor that was computed from another one, and is no parameter",
            "holds a result, not a leaf",
            "make the parameter last: `nn.Parameter(values.to(device) * scale)`; what `.to()`, `.cuda()` or arithmetic gives of a parameter is a result",
        )


def frozen_for_optimizer(index: Index) -> Iterator[Diagnosis]:
    """WG305: an optimizer that was given the trainable parameters of a model all of which are frozen."""
    for failure, _ in matching(index, EMPTY):
        if failure.about == ALL_FROZEN:
            message = "every parameter is frozen: the optimizer is given an empty list"
            found = _of_optimizer(
                failure,
                message,
                "nothing to train here",
                "leave what is to be trained unfrozen: set its `requires_grad` to True before the optimizer is made",
            )
            frozen = replace(found, rule="WG305", name="frozen-parameters")
            yield (
                replace(frozen, site=failure.made, label="freezes here", related=places((failure.site, "nothing to train here")))
                if failure.made
                else frozen
            )


def _of_kept(failure: Failure) -> Diagnosis:
    found = _of_optimizer(
        failure,
        f"the layers in `{failure.about}` are unknown to the model: the optimizer is given an empty list",
        "kept in a plain list or dict from here on",
        f"keep them in an `nn.ModuleList`, `nn.ModuleDict` or `nn.Sequential`: `{failure.about.rpartition('.')[2]}` is a plain container, into which a module does not look",
    )
    return replace(found, site=failure.made or failure.site, related=places((_elsewhere(failure, failure.made), "and finds nothing here")))


def _of_optimizer(failure: Failure, message: str, label: str, advice: str) -> Diagnosis:
    return Diagnosis(
        "WG307",
        "unregistered-parameter",
        "error",
        "proved",
        message,
        site=failure.site,
        label=label,
        evidence=(Evidence(f"{failure.type}: {gist(failure.message)[:160]}", "exception"),),
        help=advice,
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else 0,
    )
