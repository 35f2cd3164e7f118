"""Numbers and short sentences that every report words alike."""

from math import isfinite, isnan

from whygrad.diagnosis import Report
from whygrad.ir import Labels, Measures, Outcome

HOW_FOUND = {
    "given": "as given by the caller",
    "framework": "as the framework names them",
    "batch": "the part of the batch that does not enter the model",
    "target": "the target of the loss",
    "argument": "an argument of the function that makes the loss",
    "operand": "what meets the model's output in a hand-written loss",
}


def figure(value: float | None) -> str:
    """Three significant digits, `0` for an exact zero."""
    if value is None:
        return "unknown"
    if not isfinite(value):
        return "nan" if isnan(value) else ("inf" if value > 0 else "-inf")
    return "0" if value == 0 else f"{value:.3g}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 step`, `2 steps`, `4,500 steps`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: tuple[str, ...], most: int = 4) -> str:
    """Names in backticks, the first few of them."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def labels_sentence(report: Report) -> str:
    """Which values are the labels, and how that is known."""
    labels: Labels = report.labels
    if not labels.values:
        return f"none found{': ' + labels.reason if labels.reason else ''}"
    names = listed(tuple(dict.fromkeys(report.label_names or labels.values)))
    return f"{names}, {HOW_FOUND.get(labels.how, labels.how)}" if labels.how else names


def sensitivity_sentence(measures: Measures) -> str:
    """What permuting the labels did to the gradient."""
    value, noise = measures.label_sensitivity, measures.noise_floor
    if value is None or not isfinite(value):
        return f"not measured{': ' + measures.sensitivity_reason if measures.sensitivity_reason else ''}"
    if value == 0:
        return "0 (of 0 to 2): with the labels permuted, not one bit of the gradient changes"
    if noise is not None and value <= noise:
        return f"{figure(value)} (of 0 to 2), within the noise of two unchanged replays ({figure(noise)})"
    return f"{figure(value)} (of 0 to 2): permuting the labels changes the gradient by {value:.0%} of its norm".replace("%", " %")


def gradient_sentence(report: Report) -> str:
    """How large the gradient is, and how many parameters have one."""
    norm = report.measures.gradient_norm
    share = f"{report.parameters_with_gradient} of {counted(report.parameters, 'trainable parameter')} with a gradient"
    zero = ", each of them zero" if norm == 0 and report.parameters_with_gradient else ""
    return f"norm {figure(norm)}; {share}{zero}" if norm is not None else share


def run_sentence(report: Report) -> str:
    """The frameworks, the steps, and how the program ended."""
    frameworks = ", ".join(f"{framework.name} {framework.version}" for framework in report.frameworks) or "no framework"
    steps = f"{counted(report.outcome.steps_seen, 'step')} seen, {len(report.steps_recorded)} recorded"
    return f"{frameworks}; {steps}; {ending(report.outcome)}"


def ending(outcome: Outcome) -> str:
    """How the program ended, in a few words."""
    if outcome.stopped:
        return outcome.stopped
    if outcome.exception is not None:
        return f"ended by {outcome.exception.type}"
    if outcome.exit_status is None:
        return "the program did not come to its end"
    return f"exit status {outcome.exit_status}"


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
