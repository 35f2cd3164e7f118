"""The few figures of one recorded step that a training curve wants beside its loss."""

from collections.abc import Mapping
from math import isfinite
from statistics import median

from whygrad.ir import Parameter, Step


def gauges(step: Step) -> Mapping[str, float]:
    """Figure to its value; one that was not measured in this step is left out.

    `label_sensitivity` (0 to 2), `gradient_norm`, `update_ratio` (the median over parameters of the update's norm to the parameter's own) and
    `starved_parameters` (trainable ones that the loss was asked about and that got no gradient, or zeros).
    """
    found = {
        "label_sensitivity": step.measures.label_sensitivity,
        "gradient_norm": step.measures.gradient_norm,
        "update_ratio": _ratio(step.parameters),
        "starved_parameters": _starved(step),
    }
    return {name: value for name, value in found.items() if value is not None}


def _ratio(parameters: tuple[Parameter, ...]) -> float | None:
    ratios = [p.update_norm / p.norm for p in parameters if p.norm and p.update_norm is not None]
    finite = [ratio for ratio in ratios if isfinite(ratio)]
    return median(finite) if finite and len(finite) == len(ratios) else None


def _starved(step: Step) -> float | None:
    if not step.differentiated:
        return None
    return float(sum(p.trainable and p.gradient in ("none", "zero") for p in step.parameters))
