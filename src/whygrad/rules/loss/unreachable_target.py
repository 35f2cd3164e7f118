"""WG216: the last activation can't reach the target's values."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.instances import own_line
from whygrad.ir import Op, Value
from whygrad.loss_contracts import REGRESSIONS
from whygrad.rules import rule
from whygrad.rules.loss.calls import bounds, calls, known, once_a_fault
from whygrad.rules.loss.left_out import leaves_some_out
from whygrad.rules.loss.shared_rows import shared_rows
from whygrad.rules.phrases import figure, places, typed
from whygrad.rules.remedies import remedy, setting, without_activation

RANGES = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softmax": (0.0, 1.0),
    "relu": (0.0, inf),
    "softplus": (0.0, inf),
    "hardtanh": (-1.0, 1.0),
    "rnn": (-1.0, 1.0),
}
"""Ranges of what limits its output; of recurrent layers only those that end in a tanh count."""
UNLIMITED = "the model's output is no longer limited"
"""What else such a fix changes."""
MARGIN = 0.25
"""Share of the range's width by which a target must lie outside: noise on labels that were scaled into the range stays below."""
MARGIN_OPEN = 0.1
"""The same for a range without an upper end, as a share of the target's own spread."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """A comparison whose prediction is limited and whose target is not."""

    index: Index
    step: StepIndex
    op: Op
    prediction: Value
    target: Value
    activation: Op

    @property
    def range(self) -> tuple[float, float]:
        """What the activation can give."""
        return range_of(self.activation)


@rule("WG216", "unreachable-target", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The network ends in an activation whose range leaves out values of the target.

    ## What it finds
    A squared or absolute error on the output of a sigmoid, a tanh, a softmax or a ReLU, while the target holds values that this activation
    can't give (a recurrent layer as the last one gives what its tanh gives): water levels of 3 m behind a tanh, standardised values behind a ReLU.
    So it is where the targets are made of the network's own predictions and of rewards, as in Q learning.
    Behind a softmax also rows of ones that name several classes, or shares that do not sum to 1, in these losses and in a binary cross-entropy.

    ## Why it matters
    The best that the network can do is to sit at the end of its range, where the activation's derivative vanishes and the units below stop
    learning. The loss can't fall below the part that is out of reach.

    ## When it is fine
    Targets that were scaled into the range, with a little noise beyond: up to a quarter of the range's width outside is left alone. A factor
    or an offset after the activation gives another range, and the rule is silent. So it is where examples have the weight 0 or are masked: a
    -1 that stands for a missing label counts nowhere.

    ## How sure
    Proved by the recorded values. It is an error where a good part of the targets lies outside (their mean and standard deviation say
    so), and a warning where it is only some.

    ## References
    `whygrad explain WG506` (targets of another scale), `WG510` (units at the flat end).
    """
    ranges = (diagnosis(found) for found in comparisons(index) if outside(found) > 0 and not leaves_some_out(found.step, found.op))
    yield from once_a_fault((*ranges, *shared_rows(index)))


def comparisons(index: Index) -> Iterator[Beyond]:
    """Regressions, by a loss function or by a difference, on the output of a limited activation."""
    for call in calls(index):
        made = limiting(call.step, call.prediction.name)
        if (
            call.op.kind in REGRESSIONS
            and not call.op.failed
            and made is not None
            and given(call.step, call.target.name, call.prediction.name)
        ):
            yield Beyond(index, call.step, call.op, call.prediction, call.target, made)
    for step in index.steps:
        for op in step.graph.ops:
            if op.kind == "sub" and len(op.inputs) == 2 and squared(step, op):  # noqa: PLR2004 - two operands
                for one, other in (op.inputs, op.inputs[::-1]):
                    made = limiting(step, one)
                    if made is not None and other in step.from_labels and given(step, other, one):
                        yield Beyond(index, step, op, step.value(one), step.value(other), made)


def given(step: StepIndex, target: str, prediction: str) -> bool:
    """Nothing brings the target to the prediction: it is data, or numbers made of what the prediction's own parameters gave (rewards and Q values)."""
    if target not in step.depends_on_parameters:
        return True
    # timid: a code book is brought to a limited code by a term of its own
    trained = {p.value for p in step.step.parameters} & step.gets_gradient & step.upstream(target)
    return target not in step.gets_gradient and trained <= step.upstream(prediction)


def limiting(step: StepIndex, name: str) -> Op | None:
    """The limited activation that gave `name` its values, or those that these were picked from."""
    came = step.origin(name, ("layout", "cast"))
    made = step.producer.get(came)
    while made is not None and made[1].kind == "index" and made[1].inputs:
        came = step.origin(made[1].inputs[0], ("layout", "cast"))
        made = step.producer.get(came)
    if made is None or _is_cell_state(made[1], came) or made[1].kind not in RANGES or name not in step.depends_on_parameters:
        return None
    # timid: a recurrent layer may end in another activation than its usual tanh, so that it has to be told
    return made[1] if made[1].kind != "rnn" or made[1].attributes.get("activation") == "tanh" else None


def _is_cell_state(op: Op, name: str) -> bool:
    """The memory of an LSTM, which no tanh has limited."""
    return op.kind == "rnn" and "lstm" in op.native and len(op.outputs) > 1 and name == op.outputs[-1]


def squared(step: StepIndex, op: Op) -> bool:
    """The difference is squared or made absolute on its way to the loss."""
    readers = step.consumers.get(op.output, ())
    return any(reader.kind in ("square", "abs", "pow", "norm") and not step.shapes_loss.isdisjoint(reader.outputs) for reader in readers)


def range_of(activation: Op) -> tuple[float, float]:
    """The range of an activation, its settings considered."""
    low, high = RANGES[activation.kind]
    for key, end in (("min", 0), ("max", 1)):
        given = activation.attributes.get(key)
        if activation.kind == "hardtanh" and isinstance(given, int | float):
            low, high = (float(given), high) if end == 0 else (low, float(given))
    return (
        (0.0, high if "relu6" not in activation.native else 6.0)
        if "hardsigmoid" in activation.native or "relu6" in activation.native
        else (low, high)
    )


def outside(found: Beyond) -> float:
    """By how much the target leaves the range beyond what is allowed; 0 if it does not, or if nothing is known."""
    seen = bounds(found.target)
    if seen is None:
        return 0.0
    low, high = found.range
    width = high - low
    allowed = MARGIN * width if width < inf else MARGIN_OPEN * (seen[1] - seen[0])
    return max(low - seen[0] - allowed, seen[1] - high - allowed, 0.0)


def mostly(found: Beyond) -> bool:
    """A good part of the targets is out of reach: one standard deviation from their mean is outside already."""
    figures = known(found.target)
    if figures is None or figures.mean is None or figures.std is None:
        return False
    low, high = found.range
    return figures.mean + figures.std > high or figures.mean - figures.std < low


def diagnosis(found: Beyond) -> Diagnosis:
    """What is said, at the activation."""
    activation, target, step = found.activation, found.target, found.step
    seen, (low, high) = bounds(target) or (0.0, 0.0), found.range
    layer = activation.kind == "rnn"
    called = activation.native.rsplit(".", 1)[-1] if layer else activation.kind
    limits = f"{figure(low)} to {figure(high)}" if high < inf else f"{figure(low)} and up"
    return Diagnosis(
        rule="WG216",
        name="unreachable-target",
        severity="error" if mostly(found) else "warning",
        confidence="proved",
        message=f"`{target.shown}` goes from {figure(seen[0])} to {figure(seen[1])}, and `{called}` gives {limits}",
        site=own_line(step, activation),
        label=f"gives {limits}",
        related=places((found.op.site, f"`{target.shown}` is compared with it here")),
        evidence=(
            Evidence(f"{typed(target)} has minimum {figure(seen[0])} and maximum {figure(seen[1])}", "maximum", seen[1]),
            *_spread(target),
        ),
        help=f"end with a dense layer, which has no limits, or scale `{target.shown}` into {limits}"
        if layer
        else f"leave out the `{called}`, or scale `{target.shown}` into {limits}",
        facts=frozenset({Fact("odd-input", found.prediction.name)}),
        explains=frozenset(_flat(found)),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.prediction.shown, target.shown),
        remedy=_dense_behind(found) if layer else without_activation(found.index, step, activation, changes=UNLIMITED),
    )


def _dense_behind(found: Beyond) -> Remedy | None:
    """A dense layer behind a recurrent layer of Keras' that ends a list of layers; that one has then no need to be as narrow as the target."""
    layer, size = found.activation, (found.prediction.shape or (0,))[-1]
    if layer.made is None or not layer.native.startswith("keras.") or not size:
        return None
    before = found.step.value(layer.inputs[0])
    width = (before.shape or (0,))[-1] if before.name in found.step.depends_on_parameters else 0
    name = layer.native.rpartition(".")[2]
    wider = setting(layer.made, "units", str(width), calls=(name,), position=0) if width > size else None
    edits = (wider, Edit("enlist", layer.made, f"keras.layers.Dense({size})"))
    return remedy(f"end with a dense layer of {size}", *(edit for edit in edits if edit is not None), changes=UNLIMITED)


def _flat(found: Beyond) -> Iterator[Fact]:
    """Every output is at the end of the range: nothing comes back through it."""
    seen = known(found.prediction)
    if seen is not None and seen.minimum == seen.maximum and seen.minimum in found.range:
        yield Fact("vanishes", str(found.step.step.kind))
        yield from (Fact("no-gradient", p.name) for p in found.step.step.parameters if p.gradient == "zero")


def _spread(target: Value) -> Iterator[Evidence]:
    figures = known(target)
    if figures is not None and figures.mean is not None and figures.std is not None:
        yield Evidence(f"its mean is {figure(figures.mean)}, its standard deviation {figure(figures.std)}", "std", figures.std)
