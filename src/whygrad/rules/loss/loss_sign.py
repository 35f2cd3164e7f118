"""WG215: a score is minimised that should be maximised."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, one_loss
from whygrad.flow.signs import Sign, local_sign, loss_signs
from whygrad.ir import Course, Op, family
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.loss.adversaries import about_cooperating, cooperating
from whygrad.rules.loss.ascended import ascended
from whygrad.rules.loss.endless import about, endless
from whygrad.rules.loss.exchanged import about_exchanged, exchanged
from whygrad.rules.phrases import distinct, figure, finite, places, plural
from whygrad.rules.remedies import remedy

_EVEN = frozenset(("square", "abs", "pow", "norm"))
_PROBABILITIES = frozenset(("sigmoid", "softmax", "log_softmax", "logsigmoid"))
_KEEPING = frozenset(("clamp", "log", "index"))


@dataclass(frozen=True, slots=True)
class Join:
    """An op at which labels meet the prediction, and whether the loss falls as the two come to agree."""

    op: Op
    agreement: Sign
    """-1: agreement lowers the loss, as it should; +1: agreement raises it; 0: it can't be told."""
    what: str


POINTS = 8
"""Points of a loss curve from which on its halves can be compared."""
DEEP = 1e3
"""How far below zero, for where it began, a loss must have gone: log-densities of sound models stay within the spread of the data, some units for each entry."""
LOWEST = 0.5
"""Share of its lowest mean that such a loss must be at in the end: batches differ."""
BOTTOMLESS = 1e6
"""The same, of a loss that may have come to rest or to leaps down there: no likelihood, score or reward of a sound run is a million times what it was at first."""
FASTER = 10.0
"""How much more the second half of the run must have lowered it than the first: what comes to a bound falls ever slower."""


@rule("WG215", "loss-sign", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss rises as the prediction comes nearer to the labels: its sign is wrong.

    ## What it finds
    A Dice or overlap coefficient, a log-likelihood or the log-probability of the true class that is minimised as it is, without the minus
    or the `1 -` that would make a loss of it; a loss function with a minus in front. A generator whose loss asks for the answer that its
    critic is trained to give of what it makes: the target of made data where that of real data is due, a score without its minus.
    Updates by hand that add the gradient to the weights instead of taking it off, and an optimizer that is handed it turned round or whose updates are taken off (JAX, TensorFlow), of a loss that has the right sign.

    ## Why it matters
    The printed number goes down, as it should, while the model learns to avoid the labels. A log-likelihood has no lower bound, so that
    training ends in infinities. A loss that went a thousand times further below zero than it began, ever faster, is told as suspected
    where nothing else is known of its sign: without labels, or where its terms pull either way and one of them outgrows the others.

    ## When it is fine
    Where a model and its adversary share a loss, one of them climbs it: the rule is silent as soon as any term, in any kind of step, has the
    right sign, or one of the same function in the same step that compares with inputs; where an optimizer was told to maximise, and where what is trained belongs to no model (a perturbed input). Products with
    rewards that may be negative can't be told.

    ## How sure
    Proved by following the signs of the recorded ops, with the recorded ranges of their operands, from every place where labels and
    prediction meet to the loss. A single one that can't be told makes the rule silent. Of a generator and its critic: proved where the graph shows which batch was
    generated; a warning where only the batch's mean and spread tell.

    ## References
    `torch.distributions` (`log_prob` is to be maximised); `whygrad explain WG102` (labels that cancel).
    """
    if any(group.settings.get("maximize") is True for optimizer in index.record.optimizers for group in optimizer.groups):
        return
    together = next(cooperating(index), None) if len(index.kinds) > 1 else None
    if together is not None:
        yield about_cooperating(together)
    found = {step: tuple(joins(step)) for step in index.steps if step.losses}
    turned = {step: next(exchanged(step), None) for step in found if trains_a_model(step)}
    if any(turned.values()):
        yield from distinct(about_exchanged(step, item) for step, item in turned.items() if item is not None)
    else:
        yield from _climbing(index, found)


def _climbing(index: Index, found: dict[StepIndex, tuple[Join, ...]]) -> Iterator[Diagnosis]:
    """Losses that rise as they should fall, by what joins labels and prediction in each step, or by their course."""
    without_end = {step: next(endless(step), None) for step in found if trains_a_model(step)}
    yield from distinct(about(step, item) for step, item in without_end.items() if item is not None)
    yield from distinct(one for step, group in found.items() for one in ascended(index, step, [join.agreement for join in group]))
    opposed = any(join.agreement <= 0 for group in found.values() for join in group) or any(
        contrasted(step, group) for step, group in found.items()
    )
    if not opposed:
        yield from distinct(
            replace(diagnosis(step, group), explains=overflows(index)) for step, group in found.items() if group and trains_a_model(step)
        )
    # timid: the critic of an adversary may fall without a bound as well
    if one_loss(index) and (opposed or not any(found.values())) and not any(without_end.values()):
        falling = [(step, course) for step in found if (course := course_of(index, step)) and falls_without_end(course)]
        told = (unheld(step, course) if opposed or meeting(step).negated else runaway(step, course) for step, course in falling)
        ends = no_numbers(step for step in index.steps if step.step.births)
        yield from distinct(replace(one, explains=one.explains | ends) for one in told)


def falls_without_end(course: Course) -> bool:
    """A loss far below zero for where it began, that still falls, ever faster; or so far that no bound can be near."""
    curve, start, last = course.curve, course.start, course.last
    if len(curve) < POINTS or start is None or last is None or not all(finite(value) for value in (*curve, start, last)):
        return False
    middle, scale = curve[len(curve) // 2], max(1.0, abs(start))
    if curve[-1] < -BOTTOMLESS * scale:
        return True
    # the last few of many batches need not be the lowest of all
    deep = curve[-1] < -DEEP * scale and curve[-1] <= LOWEST * min(curve)
    return deep and middle - curve[-1] > FASTER * abs(curve[0] - middle)


def overflows(index: Index) -> frozenset[Fact]:
    """What is first no number where the loss had run far down already: nothing bounds it, so that in the end everything grows too large."""
    begun = next((step.step.measures.loss for step in index.steps if finite(step.step.measures.loss)), None)
    born = [step for step in index.steps if step.step.births]
    losses = [birth.loss for step in born for birth in step.step.births]
    if begun is None or not all(loss is not None and finite(loss) and loss < -DEEP * max(1.0, abs(begun)) for loss in losses):
        return frozenset()
    return no_numbers(born)


def no_numbers(steps: Iterable[StepIndex]) -> frozenset[Fact]:
    """That nothing in these steps is a number any more."""
    return frozenset(Fact("non-finite", name) for step in steps for name in (*step.values, *(p.name for p in step.step.parameters)))


def runaway(step: StepIndex, course: Course) -> Diagnosis:
    """What is said of a loss without labels that has no lower bound."""
    made = next((step.producer[name][1] for name in step.losses if name in step.producer), None)
    loss = step.value(step.losses[0]).shown
    half = course.curve[len(course.curve) // 2]
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="warning",
        confidence="suspected",
        message=f"`{loss}` has no lower bound and runs down ever faster: a score to maximise seems to be minimised",
        site=made.site if made is not None else course.site,
        label="minimised as it is",
        related=places((course.site, "the loss differentiated here")),
        evidence=(
            Evidence(
                f"the loss went from {figure(course.start)} to {figure(half)} in the first half of {plural(course.steps, 'step')} and to {figure(course.curve[-1])} in the second",
                "loss",
                course.curve[-1],
            ),
        ),
        help="if it is a log-likelihood or another score that should grow, minimise its negative; else see what bounds it from below",
        facts=frozenset({Fact("odd-input", step.losses[0]), Fact("diverges", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss,),
        remedy=remedy("minimise the negative", Edit("wrap", made.site, "-{x}"), changes="what was minimised is maximised")
        if made and made.site
        else None,
    )


def unheld(step: StepIndex, course: Course) -> Diagnosis:
    """The same of a loss with terms that pull either way, or one that has its minus, where a term outgrows what should hold it: at the op at which they meet."""
    found, meets = runaway(step, course), meeting(step).op
    return replace(
        found,
        message=f"`{found.names[0]}` has no lower bound and runs down ever faster: one of its terms outgrows what should hold it",
        site=meets.site if meets is not None and meets.site is not None else found.site,
        label="neither of the two holds the other",
        help="what is normalised has to be among what it is normalised by: the true pair in the sum over all pairs; else see what bounds this term",
        remedy=None,
    )


class Meeting(NamedTuple):
    """Where two values that parameters shape meet last on the way to the loss, and whether what they make is turned round behind."""

    op: Op | None
    negated: bool


def meeting(step: StepIndex) -> Meeting:
    """The op, followed back from the loss through all that reads one such value alone."""
    name, negated = next(iter(step.losses), ""), False
    while name in step.producer:
        op = step.producer[name][1]
        shaped = [item for item in dict.fromkeys(op.inputs) if item in step.depends_on_parameters]
        if len(shaped) != 1:
            return Meeting(op if shaped else None, negated and bool(shaped))
        negated, name = negated != (op.kind == "neg"), shaped[0]
    return Meeting(None, False)


def trains_a_model(step: StepIndex) -> bool:
    """What gets a gradient belongs to a model, and an optimizer holds it."""
    return any(p.trainable and p.registered and p.optimizer and p.value in step.gets_gradient for p in step.step.parameters)


def joins(step: StepIndex) -> Iterator[Join]:
    """Every op on the way to the loss at which labels meet what parameters shape."""
    signs, labels = step.once(loss_signs), step.from_labels - step.depends_on_parameters
    if labels.isdisjoint(step.shapes_loss):
        return
    for op in step.graph.ops:
        if op.failed or labels.isdisjoint(op.inputs) or step.depends_on_parameters.isdisjoint(op.inputs):
            continue
        sign = next((signs[name] for name in op.outputs if name in signs), None)
        if sign is None:
            continue
        if family(op.kind) == "loss":
            if target_of(op) in labels:
                yield Join(op, -sign, f"`{op.kind}`")
        elif op.kind == "sub":
            yield from _distances(step, op, signs)
        elif op.kind in ("mul", "index"):
            yield from _products(step, op, sign, labels)


def contrasted(step: StepIndex, group: tuple[Join, ...]) -> bool:
    """The same loss function stands in the step with the right sign as well, for examples that are no labels: an autoencoder that tells what is real from what was made."""
    signs, kinds = step.once(loss_signs), {join.op.kind for join in group if family(join.op.kind) == "loss"}
    return any(op.kind in kinds and signs.get(op.output, -1) >= 0 for op in step.loss_ops())


def _distances(step: StepIndex, op: Op, signs: dict[str, Sign]) -> Iterator[Join]:
    """Squares and absolute values of the difference, or of how many deviations it comes to: the larger, the further apart."""
    readers = step.consumers.get(op.output, ())
    measured = [one for one in readers if one.kind in ("div", "mul") and one.inputs[0] == op.output and local_sign(step, one, 0) == 1]
    for reader in (*readers, *(further for one in measured for further in step.consumers.get(one.output, ()))):
        twice = reader.kind == "mul" and len(reader.inputs) > 1 and len(set(reader.inputs)) == 1
        sign = signs.get(reader.output)
        if sign is not None and (reader.kind in _EVEN or twice):
            yield Join(reader, -sign, "the distance")


def _products(step: StepIndex, op: Op, sign: Sign, labels: frozenset[str]) -> Iterator[Join]:
    """Probabilities, or their logarithms, times the labels or picked by them: the larger, the more they agree."""
    shaped = [name for name in op.inputs if name in step.depends_on_parameters]
    given = [name for name in op.inputs if name in labels]
    probability = probability_sign(step, shaped[0]) if len(shaped) == 1 and given else 0
    label = 1 if op.kind == "index" else label_sign(step, given[0]) if given else 0
    picked = op.kind == "mul" or (op.inputs[0] in shaped and step.value(given[0]).dtype in ("i64", "i32"))
    if probability and label and picked:
        yield Join(op, sign * probability * label, "the agreement")


def probability_sign(step: StepIndex, name: str) -> Sign:
    """+1 for a probability or its logarithm, -1 for one minus it, 0 for anything else and for one of two sides."""
    sign = 1
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind in _PROBABILITIES:
            return 0 if _of_the_other_side(step, op) else sign
        simple = family(op.kind) in ("layout", "cast") or op.kind in _KEEPING or (op.kind in ("add", "sub") and len(op.inputs) == 1)
        if not simple or not op.inputs:
            return 0
        sign *= local_sign(step, op, 0)
        name = op.inputs[0]
    return 0


def _of_the_other_side(step: StepIndex, op: Op) -> bool:
    """A probability of the scores turned round, which are read as they are by another one: which of the two classes it is of is a matter of the program's."""
    made = step.producer.get(op.inputs[0]) if op.inputs else None
    if made is None or made[1].kind != "neg":
        return False
    return any(other.kind in _PROBABILITIES for other in step.consumers.get(made[1].inputs[0], ()))


def label_sign(step: StepIndex, name: str) -> Sign:
    """+1 for labels that are never negative, -1 for one minus them, 0 for anything else."""
    figures = step.value(name).statistics
    if figures is None or figures.minimum is None or figures.minimum < 0:
        return 0
    sign = 1
    while name not in step.step.labels.values and name in step.producer:
        op = step.producer[name][1]
        turned = op.kind == "sub" and len(op.inputs) == 1
        if not (family(op.kind) in ("layout", "cast") or op.kind in ("one_hot", "index") or turned) or not op.inputs:
            return 0
        sign *= local_sign(step, op, 0) if turned else 1
        name = op.inputs[0]
    return sign


def diagnosis(step: StepIndex, group: tuple[Join, ...]) -> Diagnosis:
    """What is said, at the line that makes the loss."""
    join = group[0]
    made = next((step.producer[name][1] for name in step.losses if name in step.producer), join.op)
    falls = join.what == "the agreement"
    how = "rises as prediction and labels come to agree" if falls else "falls as the prediction moves away from the labels"
    loss = step.value(step.losses[0]).shown
    value = step.step.measures.loss
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error",
        confidence="proved",
        message=f"`{loss}` {how}: its sign is wrong",
        site=made.site,
        label="minimised as it is",
        related=places((join.op.site, "labels and prediction meet here")),
        evidence=(
            Evidence(
                f"followed op by op from `{join.op.kind}` to `{loss}`: "
                + (
                    "labels and prediction meet once, with this sign"
                    if len(group) == 1
                    else f"labels and prediction meet {len(group)} times, each with this sign"
                )
            ),
            *((Evidence(f"`{loss}` is {figure(value)} in this step", "loss", value),) if value is not None and finite(value) else ()),
        ),
        help=_help(step, join),
        facts=frozenset({Fact("odd-input", step.losses[0])}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss,),
        remedy=remedy("minimise the negative", Edit("wrap", made.site, "-{x}")) if made.site else None,
    )


def _help(step: StepIndex, join: Join) -> str:
    figures = step.value(step.losses[0]).statistics
    bounded = (
        figures is not None
        and figures.minimum is not None
        and figures.maximum is not None
        and figures.minimum >= 0
        and figures.maximum <= 1
    )
    if join.what == "the agreement" and bounded:
        return "minimise one minus the score, or its negative"
    return "put a minus before it, or remove the one that is there"
