"""Newly made layers that were frozen by choice, the last one among them, in a run that does not learn: an experiment trains them as well."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, failure, fresh, supervised
from whygrad.flow.origins import chosen_at
from whygrad.ir import Descend, Event, Parameter
from whygrad.rules.magnitude.loss_at_chance import guesses
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import remedy

CHANCE = 0.98
"""Share of an even guess's cost from which on nothing was learnt; a few frozen scales gain 1 % as measured."""
FAR = 0.5
"""Share of an even guess's cost, or of the first loss, above which scales and biases have not come far: norms trained under a frozen random head end at 0.9 of it in 100 steps as measured."""
_LAYERS = ("linear", "conv", "matmul")


def frozen_by_choice(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis, where the loss has only just begun to be seen or stands."""
    step = tried(index)
    if step is None or not supervised(index, step):
        return
    frozen = chosen(index)
    trained = [p for p in step.step.parameters if p.trainable and p.registered and p.reached]
    if (
        frozen
        and trained
        and last_is_frozen(step, frozen)
        and (fresh(index, step) or fails(index, step) or scales_alone(index, step, trained))
    ):
        yield about(index, step, frozen, trained)


def tried(index: Index) -> StepIndex | None:
    """The step of the experiment; the latest one before it was made: of a compiled step it is known at the next one what was held still."""
    steps = [step for step in index.steps if step.step.differentiated]
    thaws = [
        step for step in steps if any(isinstance(trial.intervention, Descend) and trial.intervention.thaw for trial in step.step.trials)
    ]
    return next(iter(thaws or reversed(steps)), None)


def fails(index: Index, step: StepIndex) -> bool:
    """The loss stands, or ends where an even guess would put it."""
    course = course_of(index, step)
    last = course.last if course is not None else None
    return failure(course) == "stands" or any(last is not None and last >= CHANCE * chance for _, chance in guesses(step))


def scales_alone(index: Index, step: StepIndex, trained: list[Parameter]) -> bool:
    """What is trained are scales and biases, and the loss has not come far."""
    course = course_of(index, step)
    vectors = all(len(step.value(p.value).shape or ()) <= 1 for p in trained)
    guess = next((chance for _, chance in guesses(step)), course.first if course is not None else None)
    return course is not None and vectors and course.last is not None and guess is not None and course.last >= FAR * guess


def chosen(index: Index) -> tuple[Parameter, ...]:
    """Parameters that the program froze, that nothing was loaded into, and that were never trained."""
    targets = {name for step in index.steps for event in step.events("freeze") for name in event.targets}
    # what a compiled step holds still shows in its update, which is yet to come where it is looked at before
    seen = [step for step in index.steps if step.step.updated] or list(index.steps)
    trained = {p.name for step in seen for p in step.step.parameters if p.trainable}
    later = {name for name, ending in index.record.endings.items() if ending.gradient_seen or ending.changed}
    known = index.parameters.values()
    # timid: a model with loaded weights is frozen for what it has learnt elsewhere
    if any(p.loaded or p.library for p in known):
        return ()
    return tuple(p for p in known if p.name in targets and p.registered and p.reached and p.name not in trained | later)


def last_is_frozen(step: StepIndex, frozen: tuple[Parameter, ...]) -> bool:
    """The last layer before the loss is one of these: features drawn at random are kept under a trained layer, not over one."""
    names = {p.value: p for p in step.step.parameters}
    layers = [op for op in step.graph.ops if op.kind in _LAYERS and not step.shapes_loss.isdisjoint(op.outputs)]
    held = [[names[name] for name in op.inputs if name in names] for op in layers]
    last = next((found for found in reversed(held) if found), [])
    return bool(last) and {p.name for p in last} <= {p.name for p in frozen}


def last_frozen(step: StepIndex, frozen: tuple[Parameter, ...]) -> str:
    """The name of a frozen parameter of the last layer before the loss; "" where none is read."""
    own = {p.value: p.name for p in frozen}
    read = [name for op in step.graph.ops if not step.shapes_loss.isdisjoint(op.outputs) and op.kind in _LAYERS for name in op.inputs]
    return next((own[name] for name in reversed(read) if name in own), "")


def thawed_again(step: StepIndex, frozen: tuple[Parameter, ...], event: Event | None) -> Remedy | None:
    """The last layer made trainable behind the loop that froze it with the others."""
    layer, dot, _ = last_frozen(step, frozen).rpartition(".")
    if not dot:  # Keras' variables have a slash behind their layer's name
        layer = last_frozen(step, frozen).rpartition("/")[0].rpartition("/")[2]
    if not layer or event is None or event.site is None:
        return None
    part = layer if all(one.isidentifier() for one in layer.split(".")) else f'get_submodule("{layer}")'
    learning = f"{{x}}.{part}.requires_grad_(True)" if dot else f'{{x}}.get_layer("{layer}").trainable = True'
    return remedy(f"let `{layer}` learn", Edit("thaw", event.site, learning), changes="the last layer is trained as well")


def freezing(index: Index, frozen: tuple[Parameter, ...]) -> Event | None:
    """The last event that froze one of these."""
    names = {p.name for p in frozen}
    events = [e for step in index.steps for e in step.events("freeze") if not names.isdisjoint(e.targets) and e.site]
    return events[-1] if events else None


def about(index: Index, step: StepIndex, frozen: tuple[Parameter, ...], trained: list[Parameter]) -> Diagnosis:
    """What is said, where they are frozen."""
    names = tuple(p.name for p in frozen)
    kind = str(step.step.kind)
    thaw = Descend(thaw=names)
    event = freezing(index, frozen)
    optimizer = next((o for o in index.record.optimizers if o.site), None)
    decided = chosen_at(index, event.targets) if event else None
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "warning",
        "measured",
        f"{listed(reversed(names))} are frozen though they are newly made, and the loss stands: only {listed(p.name for p in trained)} {'is' if len(trained) == 1 else 'are'} trained",
        site=decided or (event.site if event else None),
        label=f"decides what is frozen: {plural(len(names), 'parameter')}, the last layer's among them"
        if decided
        else f"freezes {plural(len(names), 'parameter')}, the last layer's among them",
        related=places((optimizer.site if optimizer else None, "this optimizer trains what is left")),
        evidence=(
            *fell_told(step, thaw, "with them trained as well"),
            Evidence(f"frozen, and never loaded from anywhere: {len(names)}", "frozen_new_parameters", len(names)),
            *course_told(course_of(index, step)),
        ),
        help="see whether the condition on the names matches the layers that are to learn",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset({Fact("stands", kind), *(Fact("unmoved", name) for name in names)}),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
        remedy=thawed_again(step, frozen, event),
        test=Test(thaw, "with them trained as well the loss falls at least twice as far", required=True),
    )
