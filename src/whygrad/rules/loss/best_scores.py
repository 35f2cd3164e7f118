"""The part of WG213 about the score of the winner: a regression of the largest of several scores on the number of the class."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.makers import layer_behind
from whygrad.idioms import idiom
from whygrad.ir import Op
from whygrad.loss_contracts import REGRESSIONS
from whygrad.rules.loss.calls import INTEGERS, Call, about_loss, calls, known
from whygrad.rules.phrases import places, typed

FEWEST = 3
"""Classes below which ids can't be told from a yes or no."""
_SAME = ("layout", "cast")
_ORIGIN = ("layout", "cast", "select")


def best_scores(index: Index) -> Iterator[Diagnosis]:
    """One for each line with a loss whose targets are as many ids as there are scores, of which it is given the largest."""
    groups: dict[object, list[tuple[Call, Op]]] = {}
    for call in calls(index):
        made = _largest(call)
        if made is not None:
            groups.setdefault(call.op.site, []).append((call, made))
    for found in groups.values():
        call, made = found[0]
        count = (call.step.value(made.inputs[0]).shape or (0,))[-1]
        tops = [figures.maximum for each, _ in found if (figures := known(each.target)) is not None and figures.maximum is not None]
        if tops and max(tops) == count - 1 and count >= FEWEST:
            yield _told(call, made, count)


def _largest(call: Call) -> Op | None:
    """What took the largest of each row of scores, where the target looks like ids."""
    step, figures = call.step, known(call.target)
    source = step.value(step.origin(call.target.name, _ORIGIN))
    ids = call.op.kind in REGRESSIONS and source.dtype in INTEGERS and call.target.name not in step.depends_on_parameters
    name = step.origin(call.prediction.name, _SAME)
    made = step.producer.get(name)
    if not ids or figures is None or figures.whole != 1.0 or (figures.minimum or 0) < 0 or made is None or made[1].kind != "max":
        return None
    op = made[1]
    rows = len(op.inputs) == 1 and (step.value(op.inputs[0]).shape or ())[:-1] == step.value(name).shape
    return op if rows and op.output == name and layer_behind(step, op.inputs[0]) is not None else None


def _told(call: Call, made: Op, count: int) -> Diagnosis:
    scores, name = call.step.value(made.inputs[0]), call.target.shown
    return about_loss(
        call,
        "measures how far the winner's score is from the number of the class",
        rule="WG213",
        name="regression-for-classes",
        severity="warning",
        confidence="suspected",
        message=f"`{call.called}` compares the largest score, whichever class it is of, with the class ids in `{name}`",
        related=places((made.site, f"takes the largest of {count} scores; which one it was is lost")),
        evidence=(
            Evidence(f"{typed(call.prediction)} is the largest along the last axis of {typed(scores)}", "scores", count),
            Evidence(f"{typed(call.target)} was made as whole numbers from 0 to {count - 1}: one for each score", "distinct", count),
        ),
        help=idiom(call.index, "loss on ids", scores=scores.written, ids=_ids(call)),
        facts=frozenset({Fact("odd-input", call.target.name)}),
    )


def _ids(call: Call) -> str:
    """The ids by their name, as they were before they were made floating ones."""
    before = call.step.value(call.step.origin(call.target.name, ("cast",)))
    return before.written if before.called else call.target.written
