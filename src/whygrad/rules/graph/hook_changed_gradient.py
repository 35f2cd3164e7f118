"""WG316: a hook zeroes or replaces the gradient."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Severity, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.trials import trial_of
from whygrad.ir import Event, Parameter, Trial, Unhook
from whygrad.rules import rule
from whygrad.rules.phrases import figure, percent, places
from whygrad.rules.remedies import remedy

TAKEN = 0.99
"""Share of the gradient's norm that must be gone for a warning: what protects rows or blends gradients leaves more than that, clipping by a hook has other rules."""
AGAINST = -0.5
"""Cosine below which the hooked gradient points the other way."""


@rule("WG316", "hook-changed-gradient", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A hook that the program put on a parameter changes its gradient.

    ## What it finds
    Trainable parameters with a hook of the user's on their gradient, whose gradient without the hook is another one: all or nearly all of it is taken away, or turned round. A hook that takes
    away a part is a note with its figures, since protecting some rows is what such hooks are for; whether they are the right rows only the author knows.

    ## Why it matters
    A mask that is the wrong way round trains exactly the rows that were to be kept, and keeps the others. The parameter's gradient norm looks alive.

    ## When it is fine
    Hooks that log, that clip, that replace NaN, and masks that protect part of a parameter.

    ## How sure
    Measured: the recorded step is run again with copies of the parameters, which carry no hooks.

    ## References
    PyTorch, `torch.Tensor.register_hook`.
    """
    told: set[str] = set()
    for event in (event for step in index.steps for event in step.events("hook")):
        for step in index.steps:
            for parameter in step.step.parameters:
                if parameter.name in event.targets and parameter.name not in told and _judged(step, parameter):
                    yield _about(step, parameter, event)
                    told.update({parameter.name} if trial_of(step.step, _intervention(parameter)) else ())


def _judged(step: StepIndex, parameter: Parameter) -> bool:
    return parameter.trainable and bool(step.step.differentiated) and parameter.value in step.gets_gradient


def _intervention(parameter: Parameter) -> Unhook:
    return Unhook((parameter.value,))


def _about(step: StepIndex, parameter: Parameter, event: Event) -> Diagnosis:
    trial = trial_of(step.step, _intervention(parameter))
    severity, said = _effect(trial)
    backward = next((e.site for e in step.events("backward") if e.site), None)
    return Diagnosis(
        "WG316",
        "hook-changed-gradient",
        severity,
        "measured",
        f"a hook {said} of `{parameter.name}`",
        site=event.site,
        label="changes the gradient on its way",
        related=places((backward, "the gradient is calculated here")),
        evidence=tuple(_evidence(parameter, trial)),
        help="see that the mask keeps what is to be trained, and multiplies what is to be kept by zero",
        explains=frozenset(Fact(what, parameter.name) for what in ("no-gradient", "unmoved")) if severity == "warning" else frozenset(),
        kind=step.step.kind,
        step=step.step.index,
        names=(parameter.name,),
        test=Test(_intervention(parameter), "without the hook the gradient is another one", required=True),
        remedy=_unhooked(event, _intervention(parameter)) if severity == "warning" else None,
    )


_ALONE = re.compile(r"\s*[\w.\[\]]+\.register_hook\(.*\)\s*(#.*)?$")
"""A hook whose handle nobody keeps."""


def _unhooked(event: Event, proof: Unhook) -> Remedy | None:
    """The program without the hook: what it was to keep as it is moves, too."""
    edit = Edit("drop", event.site) if event.site is not None and _ALONE.match(event.site.text) else None
    return remedy("leave the hook out", edit, changes="what the hook was to keep as it is is trained as well", proof=proof)


def _effect(trial: Trial | None) -> tuple[Severity, str]:
    """How grave it is, and what the hook does, in words."""
    figures = trial.figures if trial is not None else {}
    hooked, bare, cosine = figures.get("hooked", 0.0), figures.get("bare", 0.0), figures.get("cosine", 1.0)
    if bare > 0 and hooked <= (1 - TAKEN) * bare:
        return "warning", "takes away all of the gradient" if hooked == 0 else f"takes away {percent(1 - hooked / bare, 1)} of the gradient"
    if cosine < AGAINST:
        return "warning", "turns round the gradient"
    zeroed = figures.get("zeroed", 0.0)
    return "note", f"zeroes {percent(zeroed)} of the entries with a gradient" if zeroed else "changes the gradient"


def _evidence(parameter: Parameter, trial: Trial | None) -> Iterator[Evidence]:
    if trial is None or "bare" not in trial.figures:
        return
    hooked, bare = trial.figures.get("hooked"), trial.figures["bare"]
    yield Evidence(
        f"gradient norm of `{parameter.name}`: {figure(hooked)} with the hook, {figure(bare)} without it",
        "gradient_norm_without_hook",
        bare,
    )
    yield Evidence(
        f"{percent(trial.figures.get('zeroed', 0.0))} of the entries that have a gradient are set to zero",
        "share_zeroed",
        trial.figures.get("zeroed"),
    )
