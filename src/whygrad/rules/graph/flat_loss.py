"""For WG311: a loss that depends on the parameters, and does not change with any of them where they are."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.changes import began_late
from whygrad.flow.standing import motionless
from whygrad.idioms import spelled
from whygrad.ir import Op, Parameter, family
from whygrad.rules.phrases import listed, places, plural


def flat(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each kind of step, at what the gradient has to pass and nobody could look into, else at the loss."""
    for steps in index.kinds.values():
        found = motionless(index, steps)
        if found:
            yield about(index, steps[-1], found)


def about(index: Index, step: StepIndex, found: tuple[Parameter, ...]) -> Diagnosis:
    """What is said."""
    kind, names = str(step.step.kind), [p.name for p in found]
    shown = step.value(step.losses[0]).shown if step.losses else "loss"
    hidden = closed(step)
    # timid: at zeros the parts of a smooth loss may cancel one another, and nothing on the way is flat
    zeros = hidden is None and all(p.norm == 0 for p in found)
    loss = next((op.site for op in step.loss_ops() if op.site), None) or next((e.site for e in step.events("backward") if e.site), None)
    called = spelled(hidden) if hidden else ""
    return Diagnosis(
        "WG311",
        "constant-loss",
        "error",
        "measured",
        level(shown, names) if zeros else f"`{shown}` does not change with {listed(names)}: every entry of {'its' if len(names) == 1 else 'their'} gradient is exactly 0",
        site=hidden.site if hidden else loss,
        label=f"somewhere inside of this `{called}` the gradient becomes 0" if hidden else "no gradient comes back from here",
        related=places((loss if hidden else None, "the loss is made here")),
        evidence=(
            Evidence(f"gradient norm 0 in {plural(len(index.kinds[step.step.kind]), 'recorded step')}, loss {step.step.measures.loss:.3g}", "gradient_norm", 0),
            Evidence(f"so from step {step.step.index} at the latest, after steps that had a gradient", "step", step.step.index)
            if began_late(index, step)
            else Evidence(f"{listed(names)}: the same at the end of the run as at its start", "moved", 0),
        ),
        help=OTHER_START if zeros else "look for what is flat on the way: a comparison, a rounding, a draw (`bernoulli`, `categorical`), or values beyond the limits of a clip",
        facts=frozenset({Fact("no-gradient", name) for name in names} | {Fact("vanishes", kind)}),
        explains=frozenset({Fact("stands", kind), Fact("insensitive", kind), *(Fact("unmoved", name) for name in names)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(shown,),
    )  # fmt: skip


OTHER_START = "start them from small random numbers; if the loss then comes back to this value, the model has no better answer to these labels than one for all, and needs a layer more"


def level(shown: str, names: list[str]) -> str:
    """What is the case where all parameters are zeros."""
    return f"`{shown}` is level where it begins: with {listed(names)} all zeros, every entry of {'its' if len(names) == 1 else 'their'} gradient is exactly 0"


def closed(step: StepIndex) -> Op | None:
    """The only op between the parameters and the loss that could not be looked into."""
    found = [
        op
        for op in step.graph.ops
        if family(op.kind) == "opaque"
        and not step.depends_on_parameters.isdisjoint(op.outputs)
        and not step.shapes_loss.isdisjoint(op.outputs)
    ]
    return found[0] if len(found) == 1 else None
