"""What rules about numbers that are not finite say alike."""

import re
from collections.abc import Iterable, Iterator
from math import isnan

from whygrad.diagnosis import Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.births import Origin, refuses
from whygrad.idioms import idiom, spelled
from whygrad.ir import Op, Site
from whygrad.rules.phrases import figure, plural


def called(op: Op) -> str:
    """The op by the name that the user wrote: `log`, `sqrt`."""
    return spelled(op)


def comes_of(index: Index, origin: Origin) -> str:
    """What follows, in words: the loss is not finite, or what was given such numbers refused them."""
    if not refuses(index):
        return "so that the loss is not finite"
    ops = () if origin.later else origin.step.failed
    return f"which `{called(ops[-1])}` refuses" if ops else "which the program stops at"


def differentiated(index: Index, origin: Origin) -> tuple[Site | None, str]:
    """Where the loss that is not finite was differentiated, and what to say there."""
    backward = next((event.site for event in origin.step.events("backward") if event.site), None)
    return (None if refuses(index) else backward), "the loss differentiated here is not finite"


def when(index: Index, origin: Origin) -> Iterator[Evidence]:
    """At which step it began, and how that is known."""
    number, seen = origin.birth.step, index.record.outcome.steps_seen
    if origin.later:
        yield Evidence(
            f"first at step {number} of {seen}: the calls of step {origin.step.step.index}, run again on that step's data, show it",
            "step",
            number,
        )
    elif number > 0:
        yield Evidence(f"first at step {number} of {seen}", "step", number)


def entries(origin: Origin, verb: str) -> Iterator[Evidence]:
    """How many entries, and what the op read at the first of them."""
    birth = origin.birth
    if birth.count:
        yield Evidence(
            f"{plural(birth.count, 'entry').replace('entrys', 'entries')} of what it {verb} {'is' if birth.count == 1 else 'are'} not finite",
            "entries",
            birth.count,
        )
    if birth.entries:
        shown = ", ".join(f"{' and '.join(map(figure, numbers))} at {place}" for place, numbers in birth.entries.items())
        first = next(iter(birth.entries.values()))
        yield Evidence(f"it read {shown}", "input", first[0] if first and not isnan(first[0]) else None)


def beyond_table(origin: Origin, op: Op) -> Iterator[Evidence]:
    """Ids that a look-up was given, and the table has no row for."""
    if origin.later or op.kind not in ("embedding", "index"):
        return
    given = [origin.step.value(name) for name in op.inputs]
    table = next((value for value in given if (value.dtype or "").startswith(("f", "bf")) and value.shape), None)
    ids = next((value for value in given if (value.dtype or "").startswith(("i", "u")) and value.statistics is not None), None)
    if table is None or ids is None or not table.shape or ids.statistics is None or ids.statistics.maximum is None:
        return
    if ids.statistics.maximum >= table.shape[0]:
        largest = ids.statistics.maximum
        yield Evidence(
            f"`{ids.shown}` goes up to {largest:.0f}, and the table has the rows 0 to {table.shape[0] - 1}", "largest_id", largest
        )


def consequences(index: Index, origin: Origin) -> frozenset[Fact]:
    """What follows from numbers that are not finite: an exception that speaks of them, parameters that no longer move."""
    found = {Fact("non-finite", name) for step in index.steps for name, value in step.values.items() if value.role in ("loss", "parameter")}
    raised = index.record.outcome.exception
    if raised is not None and raised.not_finite:
        found.add(Fact("exception", raised.type))
    found.update(Fact("insensitive", str(step.step.kind)) for step in index.steps if step.step.index >= origin.step.step.index)
    return frozenset(found)


def first(index: Index, kinds: Iterable[tuple[tuple[str, ...], str]], kind: str, otherwise: str) -> str:
    """The sentence for a kind of op; ideas in braces are said in the program's dialect: `{clamp 1e-8}`."""
    found = next((text for names, text in kinds if kind in names), otherwise)
    return _IDEA.sub(lambda match: idiom(index, match[1], low=match[2] or ""), found)


_IDEA = re.compile(r"\{([a-z -]+?)(?: ([0-9e-]+))?\}")
