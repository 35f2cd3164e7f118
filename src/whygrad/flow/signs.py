"""Which way a value moves the loss: up, down, or not to be told from the graph. Linear in the ops."""

from collections.abc import Callable

from whygrad.flow.index import StepIndex
from whygrad.ir import Op, Statistics, Value, family

Sign = int
"""+1: the larger, the larger the loss; -1: the larger, the smaller the loss; 0: it can't be told."""

_RISING = frozenset((
    "reshape", "transpose", "expand", "copy", "concat", "cast", "index", "pad", "sum", "mean", "logsumexp", "exp", "log", "sqrt", "relu", "leaky_relu",
    "sigmoid", "logsigmoid", "softplus", "tanh", "elu", "hardtanh", "clamp", "cumsum", "max", "min", "maximum", "minimum", "median", "add",
))  # fmt: skip
"""Ops that never fall when an input rises."""
ROUNDING = 1e-4
"""Share of the figures' size that rounding in half precision may come to."""
FURTHER = 0.01
"""How much better turning round must fit than moving."""
_EVEN = frozenset(("square", "abs", "norm"))


def loss_signs(step: StepIndex, local: Callable[[StepIndex, Op, int], Sign] | None = None) -> dict[str, Sign]:
    """The sign of each value that the loss was computed from. Several ways that disagree, or one that can't be told, give 0. `local`: what is known of one op."""
    local = local or local_sign
    signs: dict[str, Sign] = dict.fromkeys(step.losses, 1)
    for op in reversed(step.graph.ops):
        if op.failed or signs.keys().isdisjoint(op.outputs):
            continue
        out = {signs[name] for name in op.outputs if name in signs}
        above = out.pop() if len(out) == 1 else 0
        for position, name in enumerate(op.inputs):
            here = above and above * local(step, op, position)
            signs[name] = here if signs.get(name, here) == here else 0
    return signs


def local_sign(step: StepIndex, op: Op, position: int) -> Sign:  # noqa: PLR0911 - a table of kinds
    """How the op's result moves with the input at `position`."""
    if op.kind in _RISING:
        return 1
    if op.kind == "where":
        return 0 if position == 0 else 1  # what is chosen stays as it is: a mask, a guard against dividing by nothing
    if op.kind == "neg":
        return -1
    if op.kind in ("softmax", "log_softmax"):
        return 0 if _shifts(step, op) else 1
    if family(op.kind) == "loss":
        return 0
    if op.kind in _EVEN or op.kind == "pow":
        return 1 if _never_negative(step.value(op.inputs[0])) and _grows(step, op) else 0
    if op.kind in ("sub", "mul", "div"):
        return _of_two(step, op, position) if len(op.inputs) == 2 else _of_one(step, op)  # noqa: PLR2004 - two operands
    return 0


def _shifts(step: StepIndex, op: Op) -> bool:
    """A softmax that shares out anew among several entries; of what is normalised already it only smooths rounding away."""
    made = step.producer.get(step.origin(op.inputs[0])) if op.inputs else None
    return made is None or made[1].kind not in ("sub", "log_softmax")


def _of_two(step: StepIndex, op: Op, position: int) -> Sign:
    if op.kind == "sub":
        return -1 if position == 1 else 1
    name = op.inputs[1 - position]
    other = _sign_of(step.value(name))
    if other < 0 and name not in step.depends_on_parameters:
        return 0  # data that happen to be negative, such as rewards, turn the loss round on purpose
    return -other if op.kind == "div" and position == 1 and _sign_of(step.value(op.inputs[1])) else other


def _of_one(step: StepIndex, op: Op) -> Sign:
    """With a number that is not recorded: read off the figures of what came in and what went out."""
    before, after = step.value(op.inputs[0]).statistics, step.value(op.output).statistics
    if before is None or after is None:
        return 0
    if op.kind == "sub":
        return _of_shift(op, before, after)
    if before.mean is None or after.mean is None or not before.mean or not after.mean:
        return 0
    if op.kind == "div" and _is_reversed(op):
        return -1 if after.mean * before.mean > 0 else 1
    return 1 if (after.mean > 0) == (before.mean > 0) else -1


def _of_shift(op: Op, before: Statistics, after: Statistics) -> Sign:
    """`x - 1` moves the mean by as much as the smallest entry; `1 - x` turns the order of all entries round."""
    figures = (before.mean, before.minimum, after.mean, after.minimum, after.maximum)
    if _is_reversed(op) or any(figure is None for figure in figures):
        return -1 if _is_reversed(op) else 1
    mean, low, new_mean, new_low, new_high = (figure or 0.0 for figure in figures)
    moved, turned = abs((new_mean - mean) - (new_low - low)), abs((new_mean + mean) - (new_high + low))
    return -1 if turned < FURTHER * moved and moved > ROUNDING * (abs(new_mean) + abs(mean) + abs(low)) else 1


def _is_reversed(op: Op) -> bool:
    return any(word in op.native for word in ("rsub", "rdiv", "rtruediv"))


def _sign_of(value: Value) -> Sign:
    figures = value.statistics
    if figures is None or figures.finite != 1.0 or figures.minimum is None or figures.maximum is None:
        return 0
    return 1 if figures.minimum >= 0 and figures.maximum > 0 else -1 if figures.maximum <= 0 and figures.minimum < 0 else 0


def _never_negative(value: Value) -> bool:
    return _sign_of(value) == 1


def _grows(step: StepIndex, op: Op) -> bool:
    """A power with a positive exponent: what is above 1 stays there, what is below stays there."""
    if op.kind != "pow":
        return True
    before, after = step.value(op.inputs[0]).statistics, step.value(op.output).statistics
    if before is None or after is None or before.maximum is None or after.maximum is None:
        return False
    return before.maximum != 1.0 and (before.maximum > 1.0) == (after.maximum > 1.0)
