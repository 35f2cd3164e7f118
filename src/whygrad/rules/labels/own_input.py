"""What WG101 says of a loss that compares the prediction with a part of the model's own input while the batch's labels lie unread."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import StepIndex
from whygrad.flow.scopes import enclosing
from whygrad.ir import Op, Value, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import operand, remedy

REARRANGED = ("layout", "cast", "select")
SAYS_LOSS = ("loss", "criterion", "objective", "cost")
"""What a function that makes the loss is called."""
UNNAMED = ("", "_", "__")
_ENTRY = re.compile(r"[A-Za-z_]\w*\[(?:'\w+'|\d+)\]")
"""An entry of a batch that is handed on as a whole."""


def own_input(step: StepIndex) -> Iterator[Diagnosis]:
    """Losses whose target was cut out of what the model reads whole, beside an unread element of the batch that has the target's form;
    or the whole of it, where the function that makes the loss was handed that element, or where the input was computed from it.
    """
    for event in step.events("batch"):
        for op in step.loss_ops():
            prediction, target = input_of(op), target_of(op)
            given = element(step, target, event.targets) if target else ""
            if not target or not prediction or given not in event.targets or not read_whole(step, prediction, given):
                continue
            spare = next((name for name in event.targets if name != given and stands_in(step, name, target)), None)
            if spare is not None and (cut_out(step, target, given) or handed_in_vain(step, op, spare) or made_of(step, given, spare)):
                yield diagnosis(step, op, target, given, spare)


def element(step: StepIndex, name: str, batch: tuple[str, ...]) -> str:
    """The element of the batch that a value is a rearranged part of; "" where there is none."""
    while name not in batch:
        made = step.producer.get(name)
        if made is None or family(made[1].kind) not in REARRANGED or not made[1].inputs:
            return ""
        name = made[1].inputs[0]
    return name


def cut_out(step: StepIndex, target: str, given: str) -> bool:
    """Only a part of it: an autoencoder compares with all."""
    return _entries(step, target) < _entries(step, given)


def handed_in_vain(step: StepIndex, op: Op, spare: str) -> bool:
    """The function that makes the loss takes the element and never mentions it."""
    scopes = (step.step.scopes[number] for number in enclosing(step.step.scopes, op))
    return any(
        scope.arguments.get(name) == spare and any(word in scope.function.lower() for word in SAYS_LOSS)
        for scope in scopes
        for name in scope.unread
    )


def made_of(step: StepIndex, given: str, spare: str) -> bool:
    """The input was computed from the element that nobody reads, as a noisy picture is from the clean one."""
    base = step.origin(spare, REARRANGED)
    return base != step.origin(given, REARRANGED) and base in step.upstream(given)


def read_whole(step: StepIndex, prediction: str, given: str) -> bool:
    """The model gets it with the part that is the target; what is left out for a pretext task is predicted from the rest."""
    above = step.upstream(prediction)
    same = {name for name in above if reshaped(step, name, given)}
    return any(
        not same.isdisjoint(op.inputs) and not step.depends_on_parameters.isdisjoint(op.outputs) and not above.isdisjoint(op.outputs)
        for op in step.graph.ops
    )


def reshaped(step: StepIndex, name: str, given: str) -> bool:
    """The same entries in another form."""
    return element(step, name, (given,)) == given and _entries(step, name) == _entries(step, given)


def stands_in(step: StepIndex, name: str, target: str) -> bool:
    """An element that no op reads, that the program has a name for, and that could be the target as it is."""
    spare, used = step.value(name), step.value(target)
    alike = spare.dtype == used.dtype and spare.dtype.startswith(("f", "bf")) and _entries(step, name) == _entries(step, target)
    return alike and name not in step.consumers and spare.called not in UNNAMED


def _entries(step: StepIndex, name: str) -> int:
    count = 1
    for size in step.value(name).shape or ():
        count *= size
    return count


def alike(step: StepIndex, given: str) -> set[str]:
    """The same element of every batch that the step saw: the next one may have come already."""
    at = next(event.targets.index(given) for event in step.events("batch") if given in event.targets)
    return {event.targets[at] for event in step.events("batch") if at < len(event.targets)}


def diagnosis(step: StepIndex, op: Op, target: str, given: str, spare: str) -> Diagnosis:
    """What is said, at the loss."""
    name, used, source = step.value(spare).shown, step.value(target), step.value(given)
    handed = any(spare in step.step.scopes[number].arguments.values() for number in enclosing(step.step.scopes, op))
    made = step.producer[target][1] if target in step.producer else op
    part = "a part of " if cut_out(step, target, given) else ""
    return Diagnosis(
        rule="WG101",
        name="unused-labels",
        severity="error" if handed else "warning",
        confidence="proved",
        message=f"`{name}` never {'reach' if name.endswith('s') else 'reaches'} the loss: `{op.kind}` compares with `{used.shown}`, {part}the model's own input",
        site=op.site,
        label=f"compares with {part}`{source.shown}`",
        related=places((made.site if part else None, f"`{used.shown}` is cut out of `{source.shown}` here")),
        evidence=(
            Evidence(
                f"no op reads {typed(step.value(spare))}, which came in the same batch and has as many entries as the target {typed(used)}"
            ),
            Evidence(f"the model reads all of {typed(source)}, the target's entries included, so that it can copy them"),
        ),
        help=f"compare the prediction with `{name}`",
        facts=frozenset({Fact("unread", spare)}),
        explains=frozenset(Fact("odd-input", name) for name in (*alike(step, given), step.origin(given, REARRANGED))),
        kind=step.step.kind,
        step=step.step.index,
        names=(name, used.shown),
        remedy=_with_labels(step, op, used, step.value(spare), handed=handed),
    )


def _with_labels(step: StepIndex, op: Op, used: Value, spare: Value, *, handed: bool) -> Remedy | None:
    """The labels in the place of the input, where the function that compares has a name for them, or for what it takes them out of."""
    unpacked = next((event.site for event in step.events("batch") if spare.name in event.targets), None)
    here = op.site is not None and unpacked is not None and (unpacked.file, unpacked.function) == (op.site.file, op.site.function)
    known = (spare.called.isidentifier() and (here or handed)) or _ENTRY.fullmatch(spare.called)
    return remedy(f"compare with `{spare.called}`", operand(op, used, spare.called)) if known and used.shape == spare.shape else None
