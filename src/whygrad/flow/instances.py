"""The line that tells one use of a class or function from its sound ones: a block made four times, whose last copy alone should have no activation."""

from whygrad.flow.index import StepIndex
from whygrad.flow.makers import apart, edited_at, ways
from whygrad.ir import Op, Site, family

_REARRANGED = ("layout", "cast", "select")


def own_line(step: StepIndex, op: Op) -> Site | None:
    """The line to edit for an op whose result a loss reads.

    Where the same line serves other uses that are as they should be, it is the line that made this copy of the module, else the one that called it.
    """
    others = _sound_uses(step, op)
    if not others or op.site is None:
        return edited_at(step, op)
    return _made_at(step, op, others) or apart(op.site, ways(other.site for other in others))


def is_shared(step: StepIndex, op: Op) -> bool:
    """Its line serves sound uses too, so that editing the line would change these."""
    return bool(_sound_uses(step, op))


def _sound_uses(step: StepIndex, op: Op) -> list[Op]:
    """Other uses of the op's line; none where the framework's own layer has a line of its own, or where a loss reads what another use makes as well."""
    others = uses_elsewhere(step, op) if op.made is None else []
    return [] if any(_ends_in_loss(step, other) for other in others) else others


def uses_elsewhere(step: StepIndex, op: Op) -> list[Op]:
    """The same line run by other copies of a module, or by other calls of a function, on the way to the loss: a second forward for a figure is no other use."""
    if op.site is None:
        return []
    place, callers = op.site.line_of_code, op.site.callers
    return [
        other
        for other in step.of(op.kind)
        if other.site
        and other.site.line_of_code == place
        and (other.module != op.module if op.module else other.site.callers != callers)
        and not step.shapes_loss.isdisjoint(other.outputs)
    ]


def _ends_in_loss(step: StepIndex, op: Op) -> bool:
    """A loss reads its result as well: what is wrong with one is wrong with both."""
    names = list(op.outputs)
    for name in names:
        for reader in step.consumers.get(name, ()):
            if family(reader.kind) == "loss":
                return True
            if family(reader.kind) in _REARRANGED:
                names.extend(reader.outputs)
    return False


def _made_at(step: StepIndex, op: Op, others: list[Op]) -> Site | None:
    """The line that made this copy of the module, as its parameters were made on the way from there; None where both copies came about on one line."""
    mine, theirs = _parameter_sites(step, op.module), [s for other in others for s in _parameter_sites(step, other.module)]
    shared = ways(theirs)
    if not mine or not theirs or mine[0].line_of_code not in shared:
        return None
    found = apart(mine[0], shared)
    return found if found is not None and found.line_of_code != mine[0].line_of_code else None


def _parameter_sites(step: StepIndex, module: str) -> list[Site]:
    """Where the parameters of a module were made."""
    return [p.site for p in step.step.parameters if module and p.site is not None and p.name.startswith(f"{module}.")]
