"""What WG101 says of a policy's loss that weights the log-probability of the likeliest action, while the actions that were taken lie unread."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms import speaks
from whygrad.ir import Op, Value
from whygrad.rules.loss.calls import INTEGERS, known
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import remedy

_SAME = ("layout", "cast")
_PROBABILITIES = ("log_softmax", "softmax")


@dataclass(frozen=True, slots=True)
class Best:
    """The op that takes the largest log-probability of each row, what it is weighted by, and the unread ids."""

    step: StepIndex
    op: Op
    weight: Op
    unread: Value


def best_for_taken(index: Index) -> Iterator[Diagnosis]:
    """One for each such line, in all recorded steps of its kind."""
    yield from (_told(index, found) for found in index.lasting(_of_step, lambda found: found.op.site))


def _of_step(step: StepIndex) -> Iterator[Best]:
    for op in step.of("max"):
        scores = step.value(op.inputs[0]).shape or () if len(op.inputs) == 1 and op.outputs else ()
        if len(scores) < 2 or step.value(op.output).shape != scores[:-1] or step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - rows and classes
            continue
        weight = _weight(step, op.output) if _is_probability(step, op.inputs[0]) else None
        unread = next(_unread(step, op, scores), None) if weight is not None else None
        # timid: without a weight of the data's, a model may be made sure of itself on purpose
        if weight is not None and unread is not None:
            yield Best(step, op, weight, unread)


def _is_probability(step: StepIndex, name: str) -> bool:
    made = step.producer.get(step.origin(name, _SAME))
    if made is not None and made[1].kind == "log":
        made = step.producer.get(step.origin(made[1].inputs[0], _SAME))
    return made is not None and made[1].kind in _PROBABILITIES


def _weight(step: StepIndex, name: str) -> Op | None:
    """What multiplies each row by a number of the data, such as a return."""
    for op in step.consumers.get(name, ()):
        if op.kind == "neg":
            return _weight(step, op.output)
        others = [given for given in op.inputs if given != name]
        if op.kind == "mul" and len(others) == 1 and others[0] in step.from_data and others[0] not in step.depends_on_parameters:
            return op if step.value(others[0]).shape == step.value(name).shape else None
    return None


def _unread(step: StepIndex, op: Op, scores: tuple[int, ...]) -> Iterator[Value]:
    """Numbers of classes, one for each row, that the function is given and nothing reads."""
    given = step.step.scopes[op.scope].arguments if op.scope is not None and op.scope < len(step.step.scopes) else {}
    for name in given.values():
        value = step.value(name)
        figures = known(value)
        if value.dtype not in INTEGERS or value.shape != scores[:-1] or figures is None or name in step.consumers:
            continue
        low, high = figures.minimum, figures.maximum
        if low is not None and high is not None and 0 <= low < high <= scores[-1] - 1:
            yield value


def _told(index: Index, found: Best) -> Diagnosis:
    step, op, unread = found.step, found.op, found.unread
    scores = step.value(op.inputs[0])
    return Diagnosis(
        rule="WG101",
        name="unused-labels",
        severity="error",
        confidence="proved",
        message=f"`{unread.shown}`, what was chosen in each row, is not read: its reward is given to whatever is likeliest now",
        site=op.site,
        label="takes the largest, whichever was chosen",
        related=places((found.weight.site, "is weighted here by what came of the choice")),
        evidence=(
            Evidence(
                f"{typed(unread)} holds a number of one of the {(scores.shape or (0,))[-1]} classes for each row, and no op reads it",
                "readers",
                0,
            ),
            Evidence(f"the largest along the last axis of {typed(scores)} is what the loss weights"),
        ),
        help=f"take the log-probability of what was chosen: pick the entry of `{scores.written}` that `{unread.shown}` says in each row",
        explains=frozenset({Fact("insensitive", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(unread.shown,),
        remedy=_picked(index, found, scores),
    )


def _picked(index: Index, found: Best, scores: Value) -> Remedy | None:
    """In JAX, the entry of each row that the ids name."""
    if not speaks(index, "jax") or found.op.site is None or not scores.called:
        return None
    text = f"jax.numpy.take_along_axis({scores.written}, {found.unread.shown}[..., None], axis=-1)[..., 0]"
    return remedy(
        "take the log-probability of what was chosen", Edit("replace", found.op.site, text), changes="the loss reads what was chosen"
    )
