"""Class ids that were scaled like a feature and lost their fractions: every id but the largest became 0."""

from dataclasses import dataclass

from whygrad.diagnosis import Confidence, Evidence, Severity
from whygrad.flow import StepIndex
from whygrad.ir import Batches, Op
from whygrad.rules.loss.calls import Call, known
from whygrad.rules.phrases import figure

CLASSES = 3
"""Classes from which on labels of nothing but 0 and 1 leave some out."""
ZEROS = 0.9
"""Share of labels that are 0: a scaling to the largest id leaves that one alone, the rarest of three classes or more as a rule."""
SCALING = ("div", "mul", "sub", "add", "batch_norm", "norm")
REARRANGED = ("layout", "select", "create")


@dataclass(frozen=True, slots=True)
class Scaled:
    """Labels that a scaling reached."""

    classes: int
    zeros: float
    cast: Op | None
    """Where the fractions were dropped."""
    scale: Op | None
    shared: bool
    """The model's inputs come from the same scaled table."""
    fractions: float | None = None
    """Share of the numbers that had a fraction before they were cut, where that was measured."""

    @property
    def severity(self) -> Severity:
        """A fault where one scaling is seen to have made both; else a pattern."""
        return "error" if self.fractions or (self.shared and self.cast is not None) else "warning"

    @property
    def confidence(self) -> Confidence:
        """Proved where the scaling and the cast stand in the graph."""
        return "proved" if self.cast is not None else "suspected"

    def evidence(self, name: str) -> tuple[Evidence, ...]:
        """Figures of the labels, and what the inputs tell."""
        found = Evidence(
            f"{100 * self.zeros:.3g} % of `{name}` are 0 and the rest are 1, and the model has {self.classes} outputs", "zeros", self.zeros
        )
        told = (
            "its labels and the model's inputs come from one table, scaled as a whole"
            if self.cast
            else "the model's inputs lie within -1 and 1, and reach 1 exactly"
        )
        cut = (
            (
                Evidence(
                    f"before the cut they lay between 0 and 1, and {100 * self.fractions:.3g} % had a fraction", "fractions", self.fractions
                ),
            )
            if self.fractions
            else ()
        )
        return (found, *cut, Evidence(told)) if self.shared else (found, *cut)


def scaled(call: Call) -> Scaled | None:
    """The scaling that made the ids of a loss, if there was one."""
    shape = call.prediction.shape
    cut = truncated(call)
    if cut is not None:
        return cut
    zeros = share_of_zeros(call)
    if not call.by_ids or call.op.failed or not shape or len(shape) < 2 or shape[1] < CLASSES or zeros is None:  # noqa: PLR2004 - a class axis
        return None
    step = call.step
    cast = cast_of(step, call.target.name)
    if cast is not None:
        # timid: quotients that are cut to whole numbers on purpose reach more than 1, and so they are not asked for here
        found = _scaled_before(call, cast, shape[1], zeros, None)
        return found if found.scale is not None else None
    return Scaled(shape[1], zeros, None, None, shared=True) if table_scaled(call) else None


def truncated(call: Call) -> Scaled | None:
    """Ids that were numbers between 0 and 1 with fractions before they were cut to whole numbers, by the program or by the loss itself."""
    step = call.step
    if (cut := cut_by_loss(call)) is not None:
        return cut
    cast = cast_of(step, call.target.name)
    before = known(step.value(cast.inputs[0])) if cast is not None and cast.inputs else None
    after = known(call.target)
    if cast is None or before is None or before.whole is None or before.minimum is None or before.maximum is None or before.sampled:
        return None
    # timid: ones alone are no fractions, and numbers beyond 1 are rounded on purpose, as bins are
    if before.whole == 1.0 or before.minimum < 0 or before.maximum > 1 or after is None or after.zeros is None:
        return None
    classes = call.prediction.shape[1] if call.prediction.shape and len(call.prediction.shape) > 1 else 0
    return _scaled_before(call, cast, classes, after.zeros, 1.0 - before.whole) if classes >= CLASSES and call.by_ids else None


def cut_by_loss(call: Call) -> Scaled | None:
    """Fractions that a loss on ids was given: Keras' takes them for whole numbers, which makes each of them class 0."""
    target, shape = known(call.target), call.prediction.shape or ()
    fractions = 1.0 - target.whole if target is not None and target.whole is not None else 0.0
    told = call.op.attributes.get("ids") is True and call.target.dtype.startswith(("f", "bf")) and not call.op.failed
    if not told or target is None or not fractions or target.minimum is None or target.maximum is None or target.sampled:
        return None
    below = target.minimum >= 0 and target.maximum < 1
    return (
        Scaled(shape[-1], 1.0, call.op, None, shared=False, fractions=fractions)
        if below and len(shape) > 1 and shape[-1] >= CLASSES
        else None
    )


def _scaled_before(call: Call, cast: Op, classes: int, zeros: float, fractions: float | None) -> Scaled:
    step = call.step
    value = step.origin(cast.inputs[0], REARRANGED)
    scale = step.producer[value][1] if value in step.producer and step.producer[value][1].kind in SCALING else None
    return Scaled(classes, zeros, cast, scale, scale is not None and value in step.upstream(call.prediction.name), fractions)


def share_of_zeros(call: Call) -> float | None:
    """Of ids that are nothing but 0 and 1 as far as they were seen, almost all 0; None for others."""
    values = [call.target, call.step.value(call.step.origin(call.target.name, ("layout", "select")))]
    figures = [found for value in values if (found := known(value)) is not None and found.whole == 1.0]
    zeros = [found.zeros for found in figures if found.zeros is not None]
    if not zeros or any(found.minimum != 0 or found.maximum not in (0, 1) for found in figures):
        return None
    return zeros[-1] if zeros[-1] >= ZEROS else None


def cast_of(step: StepIndex, name: str) -> Op | None:
    """The op that made whole numbers of the ids."""
    origin = step.origin(name, REARRANGED)
    made = step.producer.get(origin)
    return made[1] if made is not None and made[1].kind == "integer_cast" else None


def table_scaled(call: Call) -> bool:
    """The loader hands out one id for each row of a table whose entries reach 1 and go no further."""
    if len(call.target.shape or ()) != 1:
        return False
    handed = {name: batches for batches in call.index.record.batches for name in batches.values}
    labels = handed.get(call.step.origin(call.target.name))
    if labels is None or (labels.minimum, labels.maximum) != (0, 1):
        return False
    beside = [b for name, b in handed.items() if b.site == labels.site and b is not labels and len(call.step.value(name).shape or ()) == 2]  # noqa: PLR2004 - a table
    return any(reaches_one(batches) for batches in beside)


def reaches_one(batches: Batches) -> bool:
    """Scaled by its largest entry."""
    low, high = batches.minimum, batches.maximum
    return low is not None and high == 1 and low >= -1


def told(found: Scaled, name: str) -> str:
    """The message."""
    where = (
        f"`{name}` were scaled and then cut to whole numbers"
        if found.cast
        else f"`{name}` seem to have been scaled along with the features"
    )
    return f"class ids in {where}: {figure(100 * found.zeros)} % are 0"
