"""WG313: activation checkpointing of a part whose inputs need no gradient."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, listed, plural
from whygrad.rules.remedies import remedy, setting

NATIVE = "CheckpointFunction"
"""The reentrant form of PyTorch's checkpointing: a function of its own, which sees tensor arguments alone and not the parameters used inside."""


@rule("WG313", "checkpoint-without-grad", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A part of the model is checkpointed, and none of its inputs requires a gradient, so its parameters get none.

    ## What it finds
    Reentrant activation checkpointing whose tensor inputs all need no gradient, and trainable parameters inside that were left without one in every recorded step: the first block,
    which is given the data, or blocks behind a frozen embedding.

    ## Why it matters
    The checkpointed function sees its tensor arguments, not the parameters used within. Where no argument needs a gradient, its output needs none either, and the whole part
    is left out of training; the framework says so in a warning, once.

    ## When it is fine
    Frozen parts, checkpoints under `no_grad`, and the non-reentrant form, which follows parameters by itself.

    ## How sure
    Proved: the recorded call has no differentiable input and no differentiable output, and the parameters have no gradient.

    ## References
    PyTorch, `torch.utils.checkpoint`: "None of the inputs have requires_grad=True. Gradients will be None"; `use_reentrant`.
    """
    yield from distinct(_about(index, *found) for found in _left_out(index))


def _left_out(index: Index) -> Iterator[tuple[StepIndex, Op, tuple[Parameter, ...]]]:
    """For each place that checkpoints without a gradient, the parameters that it leaves out."""
    for step in index.steps:
        for op in step.graph.ops:
            if (
                op.native.endswith(NATIVE)
                and op.native.rsplit(".", 1)[-1] == NATIVE
                and op.tracking
                and not any(step.value(name).differentiable for name in (*op.inputs, *op.outputs))
            ):
                inside = tuple(p for p in step.step.parameters if _starved(index, p) and _within(op, p))
                if inside and op.outputs and not step.shapes_loss.isdisjoint(op.outputs):
                    yield step, op, inside


def left_out(index: Index) -> frozenset[str]:
    """Names of the parameters that checkpoints leave out: the forward runs them, unseen."""
    return frozenset(p.name for _, _, inside in _left_out(index) for p in inside)


def _starved(index: Index, parameter: Parameter) -> bool:
    """Trainable, meant to learn, never read by a recorded op, never with a gradient."""
    ending = index.record.endings.get(parameter.name)
    if not parameter.trainable or parameter.name in index.reached or parameter.name in index.with_gradient:
        return False
    held = not index.record.optimizers or parameter.optimizer or parameter.name in index.held
    return bool(held) and not (ending is not None and ending.gradient_seen)


def _within(op: Op, parameter: Parameter) -> bool:
    """It belongs to what is checkpointed, as far as that is known; else to the module that the call stands in."""
    runs = op.attributes.get("runs")
    inside = runs if isinstance(runs, str) and runs else op.module
    return not inside or parameter.name == inside or parameter.name.startswith(f"{inside}.") or f".{inside}." in parameter.name


def _about(index: Index, step: StepIndex, op: Op, inside: tuple[Parameter, ...]) -> Diagnosis:
    everything = {p.name: p for _, other, more in _left_out(index) if other.site == op.site for p in more} or {p.name: p for p in inside}
    names = tuple(everything)
    given = listed(dict.fromkeys(step.value(name).shown for name in op.inputs))
    return Diagnosis(
        "WG313",
        "checkpoint-without-grad",
        "error",
        "proved",
        f"{listed(names)} {'gets' if len(names) == 1 else 'get'} no gradient: what is checkpointed here has no input that requires one",
        site=op.site,
        label=f"{given} {'requires' if len(set(op.inputs)) == 1 else 'require'} no gradient",
        evidence=(
            Evidence(f"the checkpointed call takes {given}, and neither that nor its output carries a gradient", "inputs_with_gradient", 0),
            Evidence(
                f"{plural(len(names), 'parameter')} inside, trainable and held by an optimizer, {'has' if len(names) == 1 else 'have'} none after the backward",
                "parameters",
                len(names),
            ),
        ),
        help="pass `use_reentrant=False`, or let the input require a gradient: `x.requires_grad_()` in front of the first checkpoint",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("unused", "unmoved", "no-gradient")),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
        remedy=remedy("checkpoint without reentering", setting(op.site, "use_reentrant", "False"))
        if "checkpoint" in (op.site.text if op.site else "")
        else None,
    )
