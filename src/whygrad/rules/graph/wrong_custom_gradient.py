"""WG312: a custom backward that does not fit its forward."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.starved import meant
from whygrad.flow.trials import trial_of
from whygrad.idioms import idiom
from whygrad.ir import Differentiate, Op, Parameter, Site, Trial, Value
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, listed, places
from whygrad.rules.remedies import remedy

FEWEST = 3
"""Entries that must have been compared, as `flow.trials` has it."""


@rule("WG312", "wrong-custom-gradient", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A custom autograd function gives no gradient, or one that finite differences of its own forward contradict.

    ## What it finds
    Custom functions of the user's in the loss's path whose backward leaves an input without a gradient (`None` or zeros at its position), so that a parameter never gets one; and those whose
    gradient differs, at most of the entries that were tried, from what moving the entry does to the output: a sign, a missing factor, the incoming gradient not multiplied in.

    ## Why it matters
    A backward written by hand is not checked by anything. With a wrong sign the loss rises from the first step on; with a missing term one parameter stays as it is.

    ## When it is fine
    Straight-through estimators and surrogate gradients, whose forward is flat: there finite differences are zero, and those entries are left out. Gradient reversal and scaling, whose
    forward returns its input unchanged. Inputs that need no gradient.

    ## How sure
    Proved where an input gets none; measured, with entries of the recorded inputs moved in double precision, where the gradient is wrong.

    ## References
    PyTorch, "Extending torch.autograd" and `torch.autograd.gradcheck`; TensorFlow, `tf.custom_gradient`; JAX, `jax.custom_vjp`, `jax.test_util.check_grads`.
    """
    silent = list(distinct(_missing(index)))
    yield from silent
    told = {diagnosis.names[0] for diagnosis in silent}
    yield from distinct(found for found in _contradicted(index) if found.names[0] not in told)


def _customs(step: StepIndex) -> Iterator[Op]:
    """Functions of the user's on the way of the gradient."""
    return (
        op
        for op in step.graph.ops
        if op.kind == "custom"
        and op.tracking
        and op.outputs
        and "backward" in op.attributes
        and not step.gets_gradient.isdisjoint(op.outputs)
    )


def _missing(index: Index) -> Iterator[Diagnosis]:
    """Parameters that never get a gradient though the only thing between them and the loss is a custom backward that should give one."""
    wanted = index.once(meant)
    unfed = wanted - {p.name for step in index.steps for p in step.step.parameters if p.gradient in ("finite", "non-finite")}
    for step in index.steps:
        hungry = [p for p in step.step.parameters if p.trainable and p.name in unfed and p.value in step.gets_gradient]
        for op in _customs(step) if hungry and step.step.differentiated else ():
            behind = tuple(p for p in hungry if p.gradient in ("none", "zero") and _only_through(step, p, op))
            if behind:
                yield _about_missing(index, step, op, behind)


def _only_through(step: StepIndex, parameter: Parameter, op: Op) -> bool:
    """Every open way from the parameter to the loss passes this op, with nothing selective in front that could give zeros by itself."""
    found = {parameter.value}
    for other in step.graph.ops:
        if other is op or found.isdisjoint(other.inputs):
            continue
        carried = [name for name, open_ in zip(other.inputs, other.carrying, strict=True) if open_ and name in found]
        if carried:
            found.update(other.outputs)
    return not found.isdisjoint(op.inputs) and found.isdisjoint(step.losses)


def _about_missing(index: Index, step: StepIndex, op: Op, behind: tuple[Parameter, ...]) -> Diagnosis:
    names = [p.name for p in behind]
    site, what = _backward_site(op), "None" if behind[0].gradient == "none" else "zeros"
    positions = [at for at, name in enumerate(op.inputs, 1) if any(p.value == name for p in behind)]
    at = f" at position {positions[0]}" if positions else ""
    return Diagnosis(
        "WG312",
        "wrong-custom-gradient",
        "error",
        "proved",
        f"the backward of `{op.native}` returns {what}{at}, so {listed(names)} {'gets' if len(names) == 1 else 'get'} no gradient",
        site=site or op.site,
        label=f"nothing for {listed(names)}",
        related=places((op.site if site else None, f"`{op.native}` is called here")),
        evidence=(
            Evidence(
                f"{listed(names)} {'enters' if len(names) == 1 else 'enter'} the loss through `{op.native}` alone, require a gradient, and have {'none' if what == 'None' else 'zeros'} after the backward",
                "parameters_without_gradient",
                len(names),
            ),
        ),
        help=f"return the derivative for every input that needs a gradient, and try the function with {idiom(index, 'check gradient')}",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("unmoved", "unused")),
        kind=step.step.kind,
        step=step.step.index,
        names=(op.native, *names),
        test=Test(Differentiate((op.output,)), "moving the inputs changes the output otherwise than the backward says"),
        remedy=_derived(op, site, flat=_is_flat(step, op)),
    )


def _backward_site(op: Op) -> Site | None:
    """Where the user's backward returns."""
    place = op.attributes.get("backward")
    if not isinstance(place, tuple) or len(place) < 4:  # noqa: PLR2004 - file, line, name and text
        return None
    file, line, function, text = place[:4]
    return Site(str(file), int(line), function=str(function), text=str(text)) if isinstance(line, int) else None


def _is_flat(step: StepIndex, op: Op) -> bool:
    """Too few entries were found whose movement changes the output."""
    trial = trial_of(step.step, Differentiate((op.output,)))
    return trial is not None and trial.figures.get("checked", 0.0) < FEWEST


def _derived(op: Op, site: Site | None, *, flat: bool = False) -> Remedy | None:
    """The function without its own derivative; one whose forward is flat learns no more by that, as trying it shows."""
    if flat and site is not None and "zeros_like(" in site.text:
        through = "the gradient is that of the identity, though the forward is flat: a straight-through estimator"
        return remedy("hand the incoming gradient on", Edit("unwrap", site, calls=("zeros_like",)), changes=through)
    return remedy(
        f"let the framework differentiate `{op.native}`",
        Edit("derive", site) if site else None,
        changes="a derivative that was written to save memory, or for numbers that overflow, is gone",
    )


def _contradicted(index: Index) -> Iterator[Diagnosis]:
    """Custom functions to be compared with finite differences; spoken only where those contradict."""
    for step in index.steps:
        tried: set[str] = set()
        for op in _customs(step):
            if op.native not in tried and any(step.value(name).differentiable for name in op.inputs):
                tried.add(op.native)
                yield _about_wrong(index, step, op)


def _about_wrong(index: Index, step: StepIndex, op: Op) -> Diagnosis:
    intervention = Differentiate((op.output,))
    trial = trial_of(step.step, intervention)
    site = _backward_site(op)
    opposed = trial is not None and trial.figures.get("opposed", 0.0) * 2 > trial.figures.get("wrong", 0.0)
    about = _input(step, op, trial)
    shown = f" for `{about.shown}`" if about is not None else ""
    deaf = trial is not None and bool(trial.figures.get("deaf"))
    how = ": it does not use the gradient that it is given" if deaf else ": it points the other way" if opposed else ""
    return Diagnosis(
        "WG312",
        "wrong-custom-gradient",
        "error",
        "measured",
        f"the backward of `{op.native}` gives a wrong gradient{shown}{how}",
        site=site or op.site,
        label="is not multiplied by the incoming gradient" if deaf else "does not fit the forward",
        related=places((op.site if site else None, f"`{op.native}` is called here")),
        evidence=tuple(_evidence(trial)),
        help=f"{'multiply the derivative by the gradient that the backward is given' if deaf else 'derive it anew'}, and try the function with {idiom(index, 'check gradient')} on double-precision inputs",
        kind=step.step.kind,
        step=step.step.index,
        names=(op.native,),
        test=Test(intervention, "moving the inputs changes the output otherwise than the backward says", required=True),
        remedy=_derived(op, site),
    )


def _input(step: StepIndex, op: Op, trial: Trial | None) -> Value | None:
    at = int(trial.figures.get("input", -1)) if trial is not None else -1
    return step.value(op.inputs[at]) if 0 <= at < len(op.inputs) else None


def _evidence(trial: Trial | None) -> Iterator[Evidence]:
    if trial is None or trial.figures.get("checked", 0.0) < FEWEST:
        return
    checked, wrong, opposed = (int(trial.figures.get(key, 0.0)) for key in ("checked", "wrong", "opposed"))
    yield Evidence(
        f"of {checked} entries that were moved, {wrong} change the output otherwise than the backward says, {opposed} in the other direction",
        "entries_wrong",
        wrong,
    )
    if trial.figures.get("deaf"):
        yield Evidence("with the incoming gradient doubled, it returns the same to the last bit")
    if trial.figures.get("zero"):
        yield Evidence(f"for {figure(trial.figures['zero'])} of them the backward says zero", "entries_zero", trial.figures["zero"])
