"""WG308: a loss that is computed and never differentiated."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Parameter
from whygrad.loss_contracts import contract_of, target_of
from whygrad.rules.phrases import listed, places, plural, typed

READS = ("leave", "detach")
"""What takes the number of a loss without using the loss."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A number computed from parameters that were to learn from it."""

    step: StepIndex
    op: Op
    whole: bool
    """The loss that was differentiated is one of its terms."""
    parameters: tuple[Parameter, ...]


def forgotten(index: Index, lost: frozenset[str]) -> Iterator[Diagnosis]:
    """For each number that nothing differentiates, the parameters that only such numbers are computed from."""
    for step in index.steps:
        members: dict[str, list[Parameter]] = {}
        for parameter in step.step.parameters if step.step.differentiated and step.losses else ():
            for op in _ends(step, parameter) if parameter.name in lost else ():
                members.setdefault(op.output, []).append(parameter)
        found = [_forgotten(step, step.producer[name][1], tuple(parameters)) for name, parameters in members.items()]
        if found:
            yield from (_diagnosis(one) for one in found if one is not None)
            return


def _ends(step: StepIndex, parameter: Parameter) -> tuple[Op, ...]:
    """The last ops on the parameter's way, where all of them make one number that can be differentiated."""
    below = step.downstream((parameter.value,))
    ops = [op for op in step.graph.ops if op.outputs and op.kind not in READS and not below.isdisjoint(op.inputs)]
    last = [op for op in ops if not any(reader.kind not in READS for name in op.outputs for reader in step.consumers.get(name, ()))]
    numbers = all(op.tracking and step.value(op.output).shape == () and any(op.carries or (True,)) for op in last)
    return tuple(last) if last and numbers else ()


def _forgotten(step: StepIndex, op: Op, parameters: tuple[Parameter, ...]) -> Forgotten | None:
    """None where it is no loss: neither does it hold the one that is differentiated, nor does it compare with anything."""
    above = step.upstream(op.output)
    if not above.isdisjoint(step.losses):
        return Forgotten(step, op, True, parameters)
    own = {p.value for p in parameters}
    compares = any(
        other.output in above | {op.output}
        and contract_of(other) is not None
        and (target := target_of(other)) is not None
        and target not in step.depends_on_parameters
        and not own.isdisjoint(step.upstream(other.output))
        for other in step.graph.ops
        if other.outputs
    )
    return Forgotten(step, op, False, parameters) if compares else None


def _diagnosis(found: Forgotten) -> Diagnosis:
    step, names = found.step, tuple(dict.fromkeys(p.name for p in found.parameters))
    modules = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in names))
    value, loss = step.value(found.op.output), step.value(step.losses[0])
    backward = next((event.site for event in step.events("backward") if event.site), None)
    shown = value.shown
    rest = ": only one of its terms is" if found.whole else ""
    return Diagnosis(
        "WG308",
        "discarded-result",
        # timid: a library's model computes more than one task uses
        "note" if all(p.library for p in found.parameters) else "warning",
        "proved",
        f"the loss `{shown}` is computed and never differentiated{rest}, and {listed(modules)} {'gets' if len(names) == 1 else 'get'} no gradient",
        site=found.op.site,
        label="nothing is differentiated from this",
        related=places(
            (step.producer[loss.name][1].site if loss.name in step.producer else None, "this is the loss"),
            (backward, "it is differentiated here"),
        ),
        evidence=(
            Evidence(f"{typed(value)} goes into no backward of step {step.step.index}; what reads it takes the number alone", "readers", 0),
            Evidence(
                f"{plural(len(names), 'parameter')} of {listed(modules)} {'was' if len(names) == 1 else 'were'} read by the forward and {'is' if len(names) == 1 else 'are'} held by the optimizer, and {'has' if len(names) == 1 else 'have'} no gradient and the same values at the end of the run",
                "parameters",
                len(names),
            ),
        ),
        help=f"differentiate the sum of all the terms: look for a line between this one and the backward that leaves terms out; or take {listed(modules)} out of the optimizer",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("unmoved", "unused")),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
    )
