"""The part of WG215 that tells of a generator which is trained for the answer that its critic is trained to give of what it makes."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.signs import Sign, local_sign, loss_signs
from whygrad.ir import Op, Site, Value, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.phrases import figure, places
from whygrad.rules.remedies import operand, remedy

_BINARY = frozenset(("bce_with_logits", "binary_cross_entropy"))
_PASSING = frozenset(("layout", "cast", "activation"))
HALF = 0.5
"""Targets of a binary loss below it pull the answer down, those above it up."""
NEARER = 0.25
"""What the generator makes is so many times nearer to one of the critic's batches than to the others, or it is not told which of them it made."""
FAR = 0.5
"""How far the others must be from it at least, in mean and spread together, measured in spreads: 2,000 pairs of batches of one normal distribution differed by at
most 0.22 with 32 rows of 24 columns, by 0.46 with 2 columns in 95 % of them; what four generators made before they had learnt differed by 0.5 to 1.1 from real data, and by 0.05 to 0.16 from itself."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Where a loss pulls an answer of the critic's: to the targets of a loss function, or up or down."""

    loss: str
    """Kind of the loss function; "" where only the direction is known."""
    low: float
    """Lowest target; of a direction, +1 where the loss rises with the answer."""
    high: float
    op: Op | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result of the critic's last layer."""

    step: StepIndex
    value: str
    shown: str
    """What the critic was shown for it."""
    layer: frozenset[str]
    """Names of the parameters of the critic's last layer."""


@dataclass(frozen=True, slots=True)
class Cooperating:
    """A generator's loss that pulls as the critic's own does."""

    answer: Answer
    own: Pull
    made: Pull
    real: Pull
    apart: tuple[float, float] | None = None
    """Where it was told by likeness alone what the generator made: how far from its output that is, and the nearest of the rest."""


def cooperating(index: Index) -> Iterator[Cooperating]:
    """Kinds of step that train through another network, trained elsewhere, where both pull the answer to what is made the same way."""
    for step in index.steps:
        trained, through = networks(step)
        for answer in answers(step, through) if trained and through else ():
            own = pull_of(answer)
            if own is None or not _made_by(step, answer.value, trained):
                continue
            shares, apart = told_apart(index, answer, trained)
            made, real = ([share.pull for share in shares if share.made is side] for side in (True, False))
            if made and real and all(same(own, pull) for pull in made) and all(opposed(own, pull) for pull in real):
                yield Cooperating(answer, own, made[0], real[0], apart)


def networks(step: StepIndex) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the parameters that this step's update moves, and of those that shape its loss and belong to another optimizer."""
    moved = {target for event in step.events("optimizer_step") for target in event.targets}
    shaping = [p for p in step.step.parameters if p.optimizer and p.value in step.shapes_loss]
    trained = frozenset(p.name for p in shaping if p.optimizer in moved)
    return trained, frozenset(p.name for p in shaping if p.optimizer not in moved)


def answers(step: StepIndex, network: Container[str]) -> Iterator[Answer]:
    """What those layers of a network give whose results none of its other layers reads."""
    values = {p.value: p.name for p in step.step.parameters if p.name in network}
    inside: set[str] = set()
    for op in reversed(step.graph.ops):
        reads = not values.keys().isdisjoint(op.inputs)
        if op.failed or step.shapes_loss.isdisjoint(op.outputs):
            continue
        if reads and inside.isdisjoint(op.outputs):
            layer = frozenset(values[name] for name in op.inputs if name in values)
            yield Answer(step, op.output, _shown(step, op.output, values), layer)
        if reads or not inside.isdisjoint(op.outputs):
            inside.update(op.inputs)


def _shown(step: StepIndex, answer: str, values: Container[str]) -> str:
    """What the network's first layer on the way to an answer reads."""
    way = step.upstream(answer)
    first = next(op for op in step.graph.ops if not way.isdisjoint(op.outputs) and any(name in values for name in op.inputs))
    return next((name for name in first.inputs if name not in values), "")


def _made_by(step: StepIndex, name: str, network: Container[str]) -> bool:
    """A value was computed by this network, through cuts too."""
    way = step.upstream(name)
    return any(p.value in way for p in step.step.parameters if p.name in network)


def pull_of(answer: Answer) -> Pull | None:
    """Where the loss of its step pulls an answer; None where that can't be told."""
    step, name = answer.step, answer.value
    while readers := [op for op in step.consumers.get(name, ()) if not step.shapes_loss.isdisjoint(op.outputs)]:
        op = readers[0]
        if family(op.kind) == "loss":
            bounds = _targets(step, target_of(op))
            if bounds is not None and input_of(op) == name and step.once(_signs).get(op.output) == 1:
                return Pull(op.kind, *bounds, op, target_of(op) or "")
            break
        if family(op.kind) not in _PASSING or len(readers) > 1:
            break
        name = op.output
    sign = step.once(_signs).get(answer.value, 0)
    return Pull("", sign, sign) if sign else None


def _targets(step: StepIndex, name: str | None) -> tuple[float, float] | None:
    """Lowest and highest entry of a target that no parameter shapes."""
    figures = step.value(name).statistics if name else None
    if figures is None or figures.minimum is None or figures.maximum is None or name in step.depends_on_parameters:
        return None
    return figures.minimum, figures.maximum


def _signs(step: StepIndex) -> dict[str, Sign]:
    return loss_signs(step, _sign)


def _sign(step: StepIndex, op: Op, position: int) -> Sign:
    """As `local_sign`, and of a binary loss whose targets all lie on one side."""
    bounds = _targets(step, target_of(op)) if op.kind in _BINARY and op.inputs[position] == input_of(op) else None
    return _side(*bounds) if bounds is not None else local_sign(step, op, position)


def _side(low: float, high: float) -> Sign:
    return 1 if high < HALF else -1 if low > HALF else 0


def direction(pull: Pull) -> Sign:
    """+1 where the loss rises with the answer, -1 where it falls, 0 where that depends on the answer."""
    return int(pull.low) if not pull.loss else _side(pull.low, pull.high) if pull.loss in _BINARY else 0


def same(one: Pull, other: Pull) -> bool:
    """Both pull to the same targets, or the same way."""
    if direction(one) and direction(other):
        return direction(one) == direction(other)
    return bool(one.loss) and one.loss == other.loss and one.low <= other.high and other.low <= one.high


def opposed(one: Pull, other: Pull) -> bool:
    """They pull to targets that have nothing in common, or different ways."""
    if direction(one) and direction(other):
        return direction(one) != direction(other)
    return bool(one.loss) and one.loss == other.loss and (one.high < other.low or other.high < one.low)


# --- what the critic is shown -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """A batch of the critic's, or one of those that it was joined of."""

    made: bool
    """The generator made it."""
    pull: Pull
    step: StepIndex
    value: str


def told_apart(index: Index, answer: Answer, generator: frozenset[str]) -> tuple[list[Share], tuple[float, float] | None]:
    """What the critic's own loss is taken of; with distances, where the graph does not show which of it the generator made."""
    # of each kind the first step: later ones may lack what they computed without gradients
    first = {step.step.kind: step for step in reversed(index.steps)}.values()
    steps = [(step, networks(step)[0]) for step in first]
    own = [a for step, trained in steps if answer.layer <= trained for a in answers(step, trained) if a.layer == answer.layer]
    shares = [share for a in own for share in _shares(a, generator)]
    return (shares, None) if any(share.made for share in shares) else _by_figures(shares, answer)


def _shares(answer: Answer, generator: frozenset[str]) -> Iterator[Share]:
    """Of a batch of the critic's: the whole of it, or what it was joined of, each with its own target."""
    step, pull = answer.step, pull_of(answer)
    if pull is None:
        return
    inputs, targets = _joined(step, answer.shown), _joined(step, pull.target)
    if pull.loss and len(inputs) == len(targets) > 1:
        for part, target in zip(inputs, targets, strict=True):
            bounds = _targets(step, target) or _rest(step, pull, targets)
            if bounds is not None:
                yield Share(_made_by(step, part, generator), Pull(pull.loss, *bounds, pull.op, target), step, part)
    else:
        yield Share(_made_by(step, answer.shown, generator), pull, step, answer.shown)


def _rest(step: StepIndex, whole: Pull, targets: tuple[str, ...]) -> tuple[float, float] | None:
    """Of two targets that were joined, the one that nobody looked at: it reaches to the other end of the whole."""
    known = [bounds for name in targets if (bounds := _targets(step, name)) is not None]
    if len(targets) != 2 or len(known) != 1:  # noqa: PLR2004 - one known, one not
        return None
    end = whole.high if whole.high - known[0][1] > known[0][0] - whole.low else whole.low
    return end, end


def _joined(step: StepIndex, name: str) -> tuple[str, ...]:
    """The parts of which a value was joined, perhaps with noise added."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "concat":
            return op.inputs
        if not op.inputs or (family(op.kind) not in ("layout", "cast") and op.kind != "add"):
            break
        name = op.inputs[0]
    return ()


def _by_figures(shares: list[Share], answer: Answer) -> tuple[list[Share], tuple[float, float] | None]:
    """The same where the generator ran outside the step: it made the batch that is like what it makes, if the others are far from that."""
    apart = [_distance(answer.step.value(answer.shown), share.step.value(share.value)) for share in shares]
    known = [distance for distance in apart if distance is not None]
    if not known or len(known) < len(shares):
        return [], None
    near = min(known)
    far = min((distance for distance in known if distance > 2 * near), default=0.0)
    if far < FAR or near > NEARER * far:
        return [], None
    return [replace(share, made=distance < far) for distance, share in zip(known, shares, strict=True)], (near, far)


def _distance(first: Value, second: Value) -> float | None:
    """How far two values are apart in mean and spread, in their spreads."""
    if first.statistics is None or second.statistics is None or (first.shape or ())[1:] != (second.shape or ())[1:]:
        return None
    figures = (first.statistics.mean, first.statistics.std, second.statistics.mean, second.statistics.std)
    if any(number is None for number in figures):
        return None
    mean, std, other_mean, other_std = (number or 0.0 for number in figures)
    return (abs(mean - other_mean) + abs(std - other_std)) / max(std, other_std, 1e-12)


# --- what is said -------------------------------------------------------------------------------------------------


def about_cooperating(found: Cooperating) -> Diagnosis:
    """What is said, at the generator's loss."""
    step, own = found.answer.step, found.own
    loss, shown = step.value(step.losses[0]).shown, step.value(found.answer.shown).shown
    made = step.producer[step.losses[0]][1] if step.losses[0] in step.producer else None
    site = _handed(step, own.target) or (own.op.site if own.op is not None else made.site if made is not None else None)
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error" if found.apart is None else "warning",
        confidence="proved" if found.apart is None else "measured",
        message=f"`{loss}` pulls the critic's answer to `{shown}` the way that the critic's own loss does: the generator learns to be told apart",
        site=site,
        label="the generator's loss",
        related=places((found.made.op.site if found.made.op is not None else None, "the critic's own loss")),
        evidence=(
            Evidence(f"the generator's loss {_told(own)}; the critic's own {_told(found.made)} for what is generated"),
            Evidence(f"the critic's own loss {_told(found.real)} for everything else"),
            *_likeness(found),
        ),
        help=f"train the generator for the answer that real data are given: {_told(found.real).removeprefix('has ') if found.real.loss else 'a loss that ' + _told(found.real)}",
        facts=frozenset({Fact("odd-input", step.losses[0])}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss,),
        remedy=_turned(found, site),
    )


def _likeness(found: Cooperating) -> Iterator[Evidence]:
    if found.apart is not None:
        near, far = (figure(distance) for distance in found.apart)
        yield Evidence(
            f"which batch is generated is told by its mean and spread: {near} spreads from what the generator makes, the others {far} and more",
            "spreads",
            found.apart[1],
        )


def _handed(step: StepIndex, target: str) -> Site | None:
    """Where a batch with the target was handed to a training loop of the framework's."""
    return next((event.site for event in step.events("batch") if target and target in event.targets and event.site), None)


def _told(pull: Pull) -> str:
    if not pull.loss:
        return "rises with the answer" if pull.low > 0 else "falls as the answer rises"
    return f"has the target {figure(pull.low)}" if pull.low == pull.high else f"has targets from {figure(pull.low)} to {figure(pull.high)}"


def _turned(found: Cooperating, site: Site | None) -> Remedy | None:
    """The other target, or the negative."""
    own, real, changes = found.own, found.real, "the generator is trained for the other answer"
    if not own.loss:
        return remedy("minimise the negative", Edit("wrap", site, "-{x}"), changes=changes) if site is not None else None
    if own.op is None or own.low != own.high or own.low + real.low != 1.0 or real.low != real.high:
        return None
    step = found.answer.step
    handed = Edit("wrap", site, "1 - {x}", keyword="y", position=1) if site is not None and _handed(step, own.target) == site else None
    edit = handed or operand(own.op, step.value(own.target), "1 - {x}")
    return remedy("give it the target of real data", edit, changes=changes)
