"""What rules about labels ask of a step: was S measured, did the labels leave the framework, what do the figures say."""

from collections.abc import Iterator

from whygrad.diagnosis import Evidence, Test
from whygrad.flow import StepIndex
from whygrad.flow.labels import permuting, varying
from whygrad.flow.trials import trial_of
from whygrad.ir import Measures
from whygrad.rules.phrases import figure, finite


def floor_of(measures: Measures) -> float:
    """The label sensitivity below which nothing was measured: the noise floor, 0 where it is unknown."""
    return measures.noise_floor if measures.noise_floor is not None and finite(measures.noise_floor) else 0.0


def insensitive(measures: Measures) -> bool | None:
    """Permuting the labels changes nothing; None if that was not measured, or measured as NaN."""
    if measures.label_sensitivity is None or not finite(measures.label_sensitivity):
        return None
    return measures.label_sensitivity <= floor_of(measures)


def permuted(step: StepIndex) -> Test | None:
    """The central measure as an experiment; None where it has no meaning."""
    if insensitive(step.step.measures) is None:
        return None
    return Test(permuting(step), "with the labels permuted the gradient stays the same", stays=True)


def varied(step: StepIndex, name: str, starved: tuple[str, ...] = ()) -> Test:
    """Labels, or a mask, of which all entries are the same, drawn anew: then they tell examples apart, and the parameters that are starved get a gradient."""
    told = "the parameters get a gradient" if starved else "the loss has another gradient"
    return Test(varying(step, name), f"with `{step.value(name).shown}` drawn anew {told}", raises_gradient_of=starved)


def once_varied(step: StepIndex, name: str) -> Iterator[Evidence]:
    """What came of it."""
    trial, before = trial_of(step.step, varying(step, name)), step.step.measures.gradient_norm
    norm = trial.gradient_norm if trial is not None else None
    if trial is None or norm is None or not finite(norm) or trial.change is None or not finite(trial.change):
        return
    drawn = f"replayed with `{step.value(name).shown}` drawn from 0 to {varying(step, name).classes - 1}"
    yield (
        Evidence(f"{drawn}, the gradient differs by {figure(trial.change)} of its norm", "change", trial.change)
        if before
        else Evidence(f"{drawn}, the gradient norm is {figure(norm)}", "gradient_norm", norm)
    )


def is_cut_off(step: StepIndex) -> bool:
    """Neither the measure nor the program's control flow speaks for the labels."""
    # timid: a measured sensitivity means that the labels reach the gradient on a way that the graph does not show
    return insensitive(step.step.measures) is not False and not away(step)


def away(step: StepIndex) -> bool:
    """A label left the framework before the loss was made, so that it may steer the program from outside the graph."""
    last = max((step.producer[name][0] for name in step.losses if name in step.producer), default=0)
    alone = step.from_labels - step.depends_on_parameters
    # timid: control flow is not in the graph (triplets chosen by class in Python)
    return any(op.kind == "leave" and not alone.isdisjoint(op.inputs) for op in step.graph.ops[:last])


def measured(step: StepIndex) -> Iterator[Evidence]:
    """The central measure as evidence, and the sentence that corrects the belief that no gradient was calculated."""
    measures = step.step.measures
    if insensitive(measures):
        same = (
            "bit-for-bit the same" if measures.label_sensitivity == 0 else f"the same to within the noise of {figure(floor_of(measures))}"
        )
        yield Evidence(f"labels permuted: the gradient is {same}", "label_sensitivity", measures.label_sensitivity)
    if measures.gradient_norm is not None and finite(measures.gradient_norm) and measures.gradient_norm > 0:
        norm = figure(measures.gradient_norm)
        yield Evidence(
            f"gradients are calculated (norm {norm}), and would be the same with any labels", "gradient_norm", measures.gradient_norm
        )
