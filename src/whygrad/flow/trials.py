"""Looking up what an experiment gave, and reading it as a verdict."""

import math
from typing import Literal

from whygrad.diagnosis import Experiment, Scalar, Test
from whygrad.ir import Bypass, Intervention, Lift, Measures, Permute, Reshape, Step, Trial

SHOWN = 3
"""Names that are written out."""

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
            return f"permute {_listed(values)} along the batch axis"
        case Lift(ops):
            return f"let the gradient pass at {_listed(ops)}"
        case Bypass(ops):
            return f"leave out {_listed(ops)}"
        case Reshape(value, shape):
            return f"give `{value}` the shape [{','.join(map(str, shape))}]"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _verdict(test: Test, trial: Trial, baseline: Measures) -> Verdict:
    if trial.reason or baseline.reproduced is False:
        return "inconclusive"
    if test.raises_gradient_of:
        norms = [trial.gradients.get(name, 0.0) for name in test.raises_gradient_of]
        if any(math.isnan(norm) for norm in norms):
            return "inconclusive"
        return "confirmed" if all(norm > 0 for norm in norms) else "refuted"
    return _changed(trial.change, baseline.noise_floor)


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
    return {key: value for key, value in figures.items() if value is not None}
