"""Which parameters were meant to learn from a step and did not, whatever the reason."""

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Parameter

REFUSALS = ("does not require grad", "not have a grad_fn", "nference tensor", "No gradients provided", "not have been used in the graph")
"""Parts of the frameworks' messages for a loss that nothing can be differentiated from."""


def refusal(index: Index, step: StepIndex) -> tuple[str, str] | None:
    """Type and message of the exception that ended this step because its loss could not be differentiated; None if none did."""
    found = [(str(e.attributes.get("type", "")), str(e.attributes.get("message", ""))) for e in step.events("exception")]
    outcome = index.record.outcome
    if outcome.exception is not None and step is index.steps[-1] and step.step.index + 1 >= outcome.steps_seen:
        found.append((outcome.exception.type, outcome.exception.message))
    return next((one for one in found if refuses(one[1])), None)


def refuses(message: str) -> bool:
    """The message says that there is nothing to differentiate."""
    return any(part in message for part in REFUSALS)


def ends(index: Index, step: StepIndex) -> tuple[str, ...]:
    """What the step differentiated, or was refused to differentiate; nothing for a step that never asked for a gradient."""
    refused = refusal(index, step) is not None
    if not refused and not step.step.differentiated:
        return ()
    if step.losses:
        return step.losses
    failed = [op for op in step.graph.ops if op.failed]
    last = step.graph.ops[-1:]
    return failed[-1].inputs if failed else last[0].outputs if last else ()


def fed(index: Index) -> frozenset[str]:
    """Parameters that a gradient reached in some recorded step. Exact zeros count only where the graph has an open path."""
    return frozenset(
        parameter.name
        for step in index.steps
        for parameter in step.step.parameters
        if parameter.gradient in ("finite", "non-finite") or (parameter.gradient == "zero" and parameter.value in step.gets_gradient)
    )


def shaping(index: Index) -> frozenset[str]:
    """Parameters that the loss of some step was computed from, through cuts too."""
    return frozenset(p.name for step in index.steps for p in step.step.parameters if p.value in step.shapes_loss)


def meant(index: Index) -> frozenset[str]:
    """Trainable parameters that the program means to train: those that an optimizer holds, or all where there is none."""
    # timid: with optimizers about, a parameter in none of them is a teacher, a target network or WG401's business
    held = bool(index.record.optimizers)
    return frozenset(
        parameter.name
        for step in index.steps
        for parameter in step.step.parameters
        if parameter.trainable and (not held or parameter.optimizer or parameter.name in index.held)
    )


def starved(index: Index, step: StepIndex) -> tuple[Parameter, ...]:
    """Parameters meant to be trained that this step left without a gradient, and that no other step gives one.

    In a step that was refused, what earlier steps gave does not count: the program stopped here.
    """
    wanted = index.once(meant)
    candidates = tuple(p for p in step.step.parameters if p.trainable and p.name in wanted)
    if refusal(index, step) is not None:
        return candidates or tuple(p for p in step.step.parameters if p.trainable)
    known = index.once(fed)
    return tuple(p for p in candidates if p.name not in known and not _fed_later(index, p))


def _fed_later(index: Index, parameter: Parameter) -> bool:
    """Steps that were not recorded gave it a gradient. Zeros are seen as gradients too, so they say nothing."""
    ending = index.record.endings.get(parameter.name)
    return ending is not None and ending.gradient_seen and parameter.gradient == "none"
