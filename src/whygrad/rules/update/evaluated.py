"""The part of WG403 that tells of gradients which an evaluation leaves to the next update."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.origins import evaluated_at
from whygrad.idioms import speaks_torch
from whygrad.rules.phrases import places


def evaluated(index: Index) -> Iterator[Diagnosis]:
    """What is said where it happened more than once."""
    site = evaluated_at(index)
    if site is None or not speaks_torch(index):
        return
    optimizer = next((one for one in index.record.optimizers if one.steps), None)
    yield Diagnosis(
        rule="WG403",
        name="accumulated-gradient",
        severity="error",
        confidence="proved",
        message="an evaluation calculates gradients that are never cleared: the next update uses them with its own",
        site=site,
        label="runs in evaluation mode as well",
        related=places(
            (site.caller() if site.callers else None, "called from here"),
            (optimizer.site if optimizer else None, "this optimizer uses the sum"),
        ),
        evidence=(
            Evidence(
                "a backward ran while the model was in evaluation mode, its gradients were still there when the next one in training mode began, and an update followed: more than once, and at most in every fourth update"
            ),
        ),
        help="run no backward in the evaluation: put it under `torch.no_grad()`; or clear the gradients before each backward of the training",
        facts=frozenset({Fact("stale-gradient", "evaluation")}),
        names=(optimizer.name,) if optimizer else (),
    )
