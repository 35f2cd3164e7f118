"""Looking up what an experiment gave, and reading it as a verdict."""

import math
from itertools import pairwise
from typing import Literal

from whygrad.diagnosis import Experiment, Scalar, Test
from whygrad.ir import Bypass, Descend, Differentiate, Intervention, Lift, Measures, Permute, Reshape, Standardise, Step, Trial, Unhook

SHOWN = 3
"""Names that are written out."""

FELL = 0.02
"""Share of its size by which a loss must fall to have fallen: rounding and a lucky step stay below."""
STEADILY = 0.005
"""The same where the loss falls at every update with the change, and rises without."""
RAN_AWAY = 10.0
"""How many times its start a loss may reach on the way without having run away."""
FURTHER = 2.0
"""How many times further it must fall with the change than without; a mere matter of taste in settings stays below."""

ENTRIES = 3
"""Entries that must have been compared to contradict a derivative."""

Verdict = Literal["confirmed", "refuted", "inconclusive"]


def trial_of(step: Step, intervention: Intervention) -> Trial | None:
    """The trial of this very intervention on this step; None if it was not made."""
    return next((trial for trial in step.trials if trial.intervention == intervention), None)


def judged(test: Test, trial: Trial, baseline: Measures) -> Experiment:
    """What `trial` says about the prediction of `test`, given the unchanged replay."""
    return Experiment(described(test.intervention), test.prediction, _verdict(test, trial, baseline), _figures(test, trial, baseline))


def described(intervention: Intervention) -> str:
    """An intervention in words."""
    match intervention:
        case Permute(values):
            said = f"permute {_listed(values)} along the batch axis"
        case Lift(ops):
            said = f"let the gradient pass at {_listed(ops)}"
        case Bypass(ops):
            said = f"leave out {_listed(ops)}"
        case Reshape(value, shape):
            said = f"give `{value}` the shape [{','.join(map(str, shape))}]"
        case Standardise(values):
            said = f"standardise {_listed(values)}"
        case Descend():
            said = f"{intervention.steps} updates on copies, {_changes(intervention)}"
        case Unhook(values):
            said = f"calculate the gradient of {_listed(values)} without its hooks"
        case Differentiate(ops):
            said = f"compare the derivative of {_listed(ops)} with finite differences"
    return said


def _changes(descent: Descend) -> str:
    """What a descent does otherwise than the program."""
    parts = [f"with {_listed(descent.standardise)} standardised"] if descent.standardise else []
    parts += [f"at {descent.factor:g} times the learning rate"] if descent.factor != 1 else []
    parts += [f"with epsilon {descent.epsilon:g}"] if descent.epsilon is not None else []
    return " and ".join(parts) or "unchanged"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _verdict(test: Test, trial: Trial, baseline: Measures) -> Verdict:
    if trial.reason or baseline.reproduced is False:
        return "inconclusive"
    if isinstance(test.intervention, Descend):
        return _fell_further(trial)
    if isinstance(test.intervention, Differentiate):
        return _contradicted(trial)
    if test.raises_gradient_of:
        norms = [trial.gradients.get(name, 0.0) for name in test.raises_gradient_of]
        if any(math.isnan(norm) for norm in norms):
            return "inconclusive"
        return "confirmed" if all(norm > 0 for norm in norms) else "refuted"
    return _changed(trial.change, baseline.noise_floor)


def fall(losses: tuple[float, ...]) -> float | None:
    """By what share of its size the loss fell over a descent, at most 1; minus infinity where it ran away; None for none."""
    if not losses or not math.isfinite(losses[0]) or losses[0] == 0:
        return None
    if not all(math.isfinite(loss) and abs(loss) <= RAN_AWAY * abs(losses[0]) for loss in losses):
        return -math.inf
    return (losses[0] - losses[-1]) / abs(losses[0])


def _fell_further(trial: Trial) -> Verdict:
    """Whether the loss falls with the change, and clearly further than without."""
    changed, plain = fall(trial.losses), fall(trial.plain)
    if changed is None:
        return "inconclusive"
    before = -math.inf if plain is None else plain
    steady = before < 0 and all(later < earlier for earlier, later in pairwise(trial.losses)) and changed >= STEADILY
    return "confirmed" if steady or (changed >= FELL and changed >= FURTHER * max(before, 0.0)) else "refuted"


def _contradicted(trial: Trial) -> Verdict:
    """Whether finite differences contradict a custom derivative at most of the entries where they say anything."""
    checked, wrong = trial.figures.get("checked", 0.0), trial.figures.get("wrong", 0.0)
    if checked < ENTRIES:
        return "inconclusive"
    return "confirmed" if wrong > checked / 2 else "refuted"


def _changed(change: float | None, noise: float | None) -> Verdict:
    """Whether the gradient as a whole changed beyond what two unchanged replays differ by."""
    if change is None or math.isnan(change):
        return "inconclusive"
    floor = 0.0 if noise is None or math.isnan(noise) else noise
    return "confirmed" if change > floor else "refuted"


def _figures(test: Test, trial: Trial, baseline: Measures) -> dict[str, Scalar]:
    figures: dict[str, Scalar] = {
        "gradient_norm_before": baseline.gradient_norm,
        "gradient_norm": trial.gradient_norm,
        "change": trial.change,
    }
    figures |= {name: trial.gradients.get(name) for name in test.raises_gradient_of[:SHOWN]}
    figures |= {"fall_before": fall(trial.plain), "fall": fall(trial.losses), **trial.figures}
    return {key: value for key, value in figures.items() if value is not None}
