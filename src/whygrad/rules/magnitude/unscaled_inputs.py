"""WG505: inputs of a scale that training can't cope with."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, fails, failure, fresh, one_training, supervised
from whygrad.flow.makers import edited_at
from whygrad.flow.origins import decided_at
from whygrad.flow.trials import trial_of
from whygrad.ir import Descend, Intervention, Op, Site, Standardise, Value, family
from whygrad.rules import rule
from whygrad.rules.magnitude.outgrown import outgrown
from whygrad.rules.magnitude.saturated import flat
from whygrad.rules.magnitude.scales import (
    EXTREME,
    course_told,
    data_of,
    dataset_of,
    fell_told,
    follows,
    labels_made_at,
    made_at,
    scale_of,
    source_of,
)
from whygrad.rules.magnitude.unscaled_targets import targets
from whygrad.rules.phrases import distinct, figure, listed, places
from whygrad.rules.remedies import remedy, standardised

LARGE = 20.0
"""Root mean square from which inputs are looked into; what is standardised has 1, pixels of 0 to 1 have less."""
SMALL = 1 / 255
"""Root mean square up to which they are looked into as well: what pixels can reach at most that were divided by 255 twice."""
_ORDINARY = 0.05
"""Root mean square from which numbers need no scaling: that of dark pictures between 0 and 1."""
_SCALING = ("mul", "div", "add", "sub", "cast")
_NORMALISES = ("batch_norm", "layer_norm", "embedding", "index", "one_hot")


@rule("WG505", "unscaled-inputs", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The inputs are so large, so small or so unlike in scale that the loss stands still or runs away.

    ## What it finds
    Inputs with a root mean square above 20, or below 0.004 as of pixels divided by 255 twice, that enter a layer as they are, in a run whose loss does not fall, or falls and ends no lower than a
    constant guess would, where a few updates on standardised inputs make it fall: raw prices, years, counts, sensor values, columns of unlike units, and
    behind a `Normalization` that was never adapted. And inputs that grow to thirty times their size and more while training goes on, in a run whose loss ends far above where it began:
    files in other units, put behind the first ones.

    ## Why it matters
    The gradient of a first layer is proportional to its input. Large inputs overshoot, small ones move nothing, and with columns of unlike
    size no learning rate suits both.

    ## When it is fine
    Many programs learn well on raw pixels, above all with a normalisation layer first or with Adam. A run whose loss falls is never spoken of, unless
    the inputs drive the first layer's sigmoid or tanh, or a recurrent layer's gates, to the flat end, so that it gets no gradient and only what comes after it learns.

    ## How sure
    Measured twice: by the loss over the run, and by a few updates on copies of the parameters with the inputs standardised, whose loss
    must fall at least twice as far as without, or begin and end at less than a tenth of what it reaches without. It is an error where the loss ran away, else a warning.

    ## References
    LeCun et al., "Efficient BackProp", section 4.3; `whygrad explain WG506` (targets), `WG411` (the rate).
    """
    found = [one for step in index.steps if supervised(index, step) or swallows(index, step) for one in of_step(index, step)]
    yield from distinct(sorted(found, key=lambda one: one.test is not None and isinstance(one.test.intervention, Descend)))
    yield from () if found else outgrown(index, {step.step.index: tuple(inputs(step)) for step in index.steps})


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """The inputs of one step that may be to blame."""
    failed, given = fails(index, step), tuple(inputs(step))
    extreme = any((scale_of(value) or 0.0) >= EXTREME for value in given)
    found = [value for value in given if unlike(value)]
    if failed is None and not fresh(index, step) and not extreme:
        found = [value for value in found if blocked(step, value)]
    if found:
        yield diagnosis(index, step, found, error=failed == "diverges")


def swallows(index: Index, step: StepIndex) -> bool:
    """The loss compares with labels that its size leaves nothing of: permuted, they change no bit of the gradient."""
    drowned = step.step.measures.label_sensitivity == 0 and step.labels_reach_loss
    return drowned and one_training(index) and any((scale_of(value) or 0.0) >= EXTREME for value in inputs(step))


def inputs(step: StepIndex) -> Iterator[Value]:
    """Floating data that meets parameters without having been normalised."""
    labels = step.from_labels - step.depends_on_parameters
    for op in step.graph.ops:
        weights = [name for name in op.inputs if step.origin(name, ("layout", "cast")) in step.parameter_of] if is_layer(op) else []
        if not weights or op.kind in _NORMALISES:
            continue
        value = step.value(next((name for name in op.inputs if name not in weights), op.inputs[0]))
        if value.name not in step.depends_on_parameters and value.name not in labels and value.dtype.startswith(("f", "bf")):
            yield value


def is_layer(op: Op) -> bool:
    """A layer, or the matrix product that a program writes out in its place."""
    return family(op.kind) == "layer" or op.kind == "matmul"


def blocked(step: StepIndex, value: Value) -> tuple[str, ...]:
    """Parameters of the layer that reads it whose gradient is 0, as its own or the next sigmoid or tanh is at its flat end; the loss may fall by what comes later alone."""
    readers = [op for op in step.consumers.get(value.name, ()) if is_layer(op)]
    read = {name for op in readers for name in op.outputs}
    flattened = any(not read.isdisjoint((op.inputs[0], step.origin(op.inputs[0]))) for op, _ in flat(step))
    if not flattened and not any(op.kind == "rnn" for op in readers):  # the sigmoids and tanhs of a recurrent layer are inside of one op
        return ()
    return tuple(p.name for p in step.step.parameters if p.gradient == "zero" and any(p.value in op.inputs for op in readers))


def unlike(value: Value) -> bool:
    """Far from the size that initialisations reckon with."""
    scale = scale_of(value)
    return scale is not None and (scale >= LARGE or scale <= SMALL)


def idle_normalisation(step: StepIndex, value: Value) -> Op | None:
    """The last op of a layer that takes a mean of 0 off its input and divides by a deviation of 1: it was never told the data's."""
    made = step.producer.get(value.name)
    if made is None or made[1].made is None or made[1].kind != "div":
        return None
    inside = [op for op in step.graph.ops if op.module == made[1].module]
    own = [step.value(name).statistics for op in inside for name in op.inputs if step.value(name).role == "buffer"]
    inert = all(figures is not None and figures.minimum == figures.maximum and figures.mean in (0.0, 1.0) for figures in own)
    return made[1] if inert and {figures.mean for figures in own if figures is not None} == {0.0, 1.0} else None


def fit_before(step: StepIndex, value: Value) -> tuple[Op, Value] | None:
    """The op that makes too small a value of one of ordinary size in the step, and what it is given: it was scaled once too often."""
    name = step.origin(value.name)
    while (scale_of(step.value(name)) or LARGE) <= SMALL and (made := step.producer.get(name)) is not None and made[1].kind in _SCALING:
        data = [step.value(given) for given in made[1].inputs if step.value(given).shape]
        if len(data) != 1:
            return None
        if _ORDINARY <= (scale_of(data[0]) or 0.0) <= LARGE:
            return made[1], data[0]
        name = step.origin(data[0].name)
    return None


def _help(step: StepIndex, value: Value) -> str:
    """Where to standardise: a data set that hands out pairs can't be assigned to."""
    if idle_normalisation(step, value) is not None:
        return "call the layer's `adapt` with the inputs of the training set before training begins"
    scaled = fit_before(step, value)
    if scaled is not None and scaled[1].statistics is not None:
        figures = scaled[1].statistics
        return f"leave this scaling out: `{scaled[1].shown}`, which it is given, reaches from {figure(figures.minimum)} to {figure(figures.maximum)} already"
    dataset = dataset_of(step, value)
    told = f"`{dataset}.map(lambda x, y: ((x - mean) / std, y))`, or a `Normalization` layer in front, `adapt`ed to the training set"
    once = told if dataset else f"`{value.written} = ({value.written} - mean) / std`, column by column"
    return f"standardise the inputs once, with figures of the training set: {once}"


def diagnosis(index: Index, step: StepIndex, found: list[Value], *, error: bool) -> Diagnosis:
    """What is said, where the data come from."""
    value = found[0]
    read = next((op.site for op in step.consumers.get(value.name, ()) if op.site), None)
    names, stuck = tuple(dict.fromkeys(v.name for v in found)), blocked(step, value)
    test, idle = tested(step, names, stuck), idle_normalisation(step, value)
    figures = value.statistics
    assert figures is not None
    return Diagnosis(
        rule="WG505",
        name="unscaled-inputs",
        severity="error" if error else "warning",
        confidence="measured",
        message=f"the input `{_shown(step, value)}` reaches from {figure(figures.minimum)} to {figure(figures.maximum)}, and {_what(index, step, error=error, stuck=bool(stuck))}",
        site=_place(index, step, value) or read,
        label="this layer hands its input on as it is: its mean is 0 and its variance 1" if idle else "the input comes from here",
        related=places((read, "a layer reads it as it is")),
        evidence=(
            Evidence(
                f"the root mean square of `{value.shown}` is {figure(scale_of(value))}; layers are initialised for about 1",
                "scale",
                scale_of(value),
            ),
            *(
                unblocked(step, test, stuck)
                if stuck
                else fell_told(step, test.intervention, "with the inputs standardised", below=test.same_unit)
            ),
            *course_told(course_of(index, step)),
        ),
        help=_help(step, value),
        facts=frozenset({Fact("odd-scale", value.name)}),
        explains=consequences_of(index, step, value),
        kind=step.step.kind,
        names=(value.shown,),
        remedy=_remedy(index, step, found, test.intervention),
        test=test,
    )


def _place(index: Index, step: StepIndex, value: Value) -> Site | None:
    """What scales it once too often, what makes it, what the source says decides its numbers; else who hands it out."""
    scaled = fit_before(step, value)
    found_at = (
        edited_at(step, scaled[0]) if scaled else None,
        made_at(step, value),
        *decided_at(index, value.name),
        source_of(step, value),
    )
    return next((site for site in found_at if site is not None), None)


def with_standardised(index: Index, step: StepIndex, found: list[Value], proof: Intervention) -> Remedy | None:
    """All inputs of odd scale standardised where they are made, and targets as large as they with them."""
    sources = [data_of(step, other) for other in (*found, *(step.value(name) for name in extreme_targets(step)))]
    return standardised(index, sources, "inputs", proof, labels_made_at(index, step))


_LAYER = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*[\w.]*Normalization\(")
_FIT = re.compile(r"([A-Za-z_][\w.]*)\.fit\(\s*(?:x\s*=\s*)?([A-Za-z_]\w*)\s*,\s*(?:y\s*=\s*)?[A-Za-z_][\w.]*\s*[,)]")
"""The model, and the array of inputs that it is fitted to, beside another one."""


def _remedy(index: Index, step: StepIndex, found: list[Value], proof: Intervention) -> Remedy | None:
    """A layer that hands on what it is given is adapted; where no layer would have scaled them, the inputs are standardised."""
    idle = idle_normalisation(step, found[0])
    if idle is not None:
        return adapted(index, step, idle, proof)
    return with_standardised(index, step, found, proof) if fit_before(step, found[0]) is None else None


def adapted(index: Index, step: StepIndex, idle: Op, proof: Intervention) -> Remedy | None:
    """The layer told the inputs of the training set right before it is trained: by its own name where that stands in the same function, else by the model's."""
    name = _given(step, idle).name
    handed = [event.site for event in step.events("batch") if name in event.targets]
    handed += [batches.site for batches in index.record.batches if name in batches.values]
    fit = next((site for site in handed if site is not None and _FIT.search(site.text)), None)
    given = _FIT.search(fit.text) if fit is not None else None
    if fit is None or given is None or idle.made is None:
        return None
    own = _LAYER.match(idle.made.text)
    near = own is not None and (idle.made.file, idle.made.function) == (fit.file, fit.function) and idle.made.line < fit.line
    layer = own[1] if own is not None and near else f'{given[1]}.get_layer("{idle.module.rpartition(".")[2]}")'
    return remedy(
        "adapt the layer to the inputs before training",
        Edit("insert", fit, f"{layer}.adapt({given[2]})", after=False),
        changes="the layer keeps the mean and the variance of these inputs",
        proof=proof,
    )


def _shown(step: StepIndex, value: Value) -> str:
    """The user's name for it: a layer that changes nothing hands on what it was given."""
    idle = idle_normalisation(step, value)
    return (_given(step, idle) if idle is not None else value).shown


def _given(step: StepIndex, idle: Op) -> Value:
    """What the layer of this op is given."""
    while (before := step.producer.get(idle.inputs[0])) is not None and before[1].module == idle.module:
        idle = before[1]
    return step.value(idle.inputs[0])


def _what(index: Index, step: StepIndex, *, error: bool, stuck: bool) -> str:
    """What comes of it, in words."""
    if error:
        return "the loss runs away"
    if stuck:
        return "the layer that reads it gets no gradient"
    fell = fails(index, step) is not None and failure(course_of(index, step)) is None
    return "the loss ends no lower than a constant guess" if fell else "the loss does not fall"


def tested(step: StepIndex, names: tuple[str, ...], stuck: tuple[str, ...]) -> Test:
    """The experiment: standardised inputs open what was blocked, or let the loss fall further."""
    if stuck:
        weight = stuck[:1]  # the others of a recurrent layer may have none for another reason: a state that is 0 has no weight to move
        return Test(
            Standardise(names), f"with standardised inputs {listed(weight)} gets a gradient", raises_gradient_of=weight, required=True
        )
    changed = tuple(dict.fromkeys((*names, *extreme_targets(step))))
    return Test(
        Descend(standardise=changed),
        "with standardised inputs the loss falls at least twice as far over a few updates, or lies far below all that it reaches without",
        required=True,
        same_unit=changed == names,
    )


def unblocked(step: StepIndex, test: Test, stuck: tuple[str, ...]) -> Iterator[Evidence]:
    """The gradient of the layer before and after."""
    trial = trial_of(step.step, test.intervention)
    norm = max((trial.gradients.get(name, 0.0) for name in stuck), default=0.0) if trial is not None else 0.0
    told = f"; with the inputs standardised its norm is {figure(norm)}" if norm else ""
    yield Evidence(f"the activation behind it is flat for these inputs: the gradient of {listed(stuck)} is 0{told}", "gradient_norm", norm)


def extreme_targets(step: StepIndex) -> Iterator[str]:
    """Targets so large that squares overflow: standardising one side alone would show nothing."""
    if any((scale_of(value) or 0.0) >= EXTREME for value in inputs(step)):
        yield from (value.name for _, value in targets(step) if (scale_of(value) or 0.0) >= EXTREME)


def consequences_of(index: Index, step: StepIndex, value: Value) -> frozenset[Fact]:
    """What follows: a loss that fails, and, from sizes whose squares overflow, an optimizer's state that does."""
    kind = str(step.step.kind)
    overflow = {Fact("overflow", kind), *beyond_measure(index)} if (scale_of(value) or 0.0) >= EXTREME else set()
    losses = (Fact("non-finite", name) for name in step.losses)
    later = (other for other in index.kinds[step.step.kind] if other.step.index > step.step.index)
    again = (Fact("odd-scale", other.name) for one in later for other in inputs(one))
    return frozenset({*follows(index), Fact("diverges", kind), Fact("stands", kind), *overflow, *losses, *again})


def beyond_measure(index: Index) -> Iterator[Fact]:
    """Where squares overflow, parameters stand still, and then everything that is computed with them is no number."""
    for step in index.steps:
        yield from (Fact(what, p.name) for p in step.step.parameters for what in ("unmoved", "non-finite"))
        yield from (Fact("non-finite", name) for name in step.values)
