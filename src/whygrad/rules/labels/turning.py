"""WG104: images and masks that are flipped or rotated at random, the one without the other."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Site, Turning, family
from whygrad.rules.labels.ways import Way, entering, rows_of, way
from whygrad.rules.loss.calls import Call, calls
from whygrad.rules.phrases import places, plural

TURNS = frozenset(("flip", "fliplr", "flipud", "rot90", "rev", "reverse"))
"""Functions that turn a picture round and keep its shape, by the last part of their name."""
WAY = ("layout", "cast")
_OTHER = {"path": "other", "other": "path"}
PLANE = 2
"""Axes of a picture."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One example and its label, and what turned only one of them."""

    given: tuple[Op, ...]
    label: tuple[Op, ...]

    @property
    def difference(self) -> tuple[Counter[str], Counter[str]]:
        """What the one side went through and the other did not, by kind of turn."""
        mine, theirs = Counter(map(_called, self.given)), Counter(map(_called, self.label))
        return mine - theirs, theirs - mine


SHARE = 0.2
"""Share of the rows that must fit better turned."""
BOTH = 0.05
"""Share that must fit as they are: a side that is stored the other way round fits nowhere."""
TIMES = 2
"""How many times as many must fit as would by chance, which the masks of other rows tell."""
FEWEST = 16
"""Rows that must have been compared."""


def turned_apart(index: Index) -> Iterator[Diagnosis]:
    """By the ops that turned them, else by what the pictures look like."""
    found = list(turned_by_ops(index))
    yield from found or turned_in_data(index)


def turned_in_data(index: Index) -> Iterator[Diagnosis]:
    """Pictures and labels of a loader of which some rows fit one another as they are, and others only with one of the two turned."""
    for call in calls(index):
        for item in index.record.turnings:
            sides = {"path": item.values, "other": item.others}
            label = next((side for side, names in sides.items() if _comes_from(call.step, call.target.name, names)), None)
            other = sides[_OTHER[label]] if label else ()
            given = next((name for name in entering(call.step, call.prediction.name) if _comes_from(call.step, name, other)), None)
            if given is not None and apart(item) and rows_of(call.step, call.prediction.name) == rows_of(call.step, call.target.name):
                yield in_data(call, given, item)
                return


def apart(item: Turning) -> bool:
    """Many rows fit only turned, some fit as they are, and by chance far fewer of the others would."""
    by_chance = item.chance * (item.rows - item.straight) / max(1, item.rows)
    enough = item.turned - by_chance >= SHARE * item.rows and item.turned >= TIMES * by_chance
    return item.rows >= FEWEST and enough and item.straight >= BOTH * item.rows


def _comes_from(step: StepIndex, name: str, names: tuple[str, ...]) -> bool:
    """A value is one of these in another shape or dtype."""
    while name not in names:
        made = step.producer.get(name)
        if made is None or family(made[1].kind) not in WAY or not made[1].inputs:
            return False
        name = made[1].inputs[0]
    return True


def in_data(call: Call, given: str, item: Turning) -> Diagnosis:
    """What is said, where the data set turns pictures round."""
    step, shown = call.step, (call.step.value(given).shown, call.target.shown)
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="warning",
        confidence="measured",
        message=f"`{shown[0]}` and `{shown[1]}` are not turned alike: {item.turned} of {item.rows} pairs fit one another only with one of the two flipped or rotated",
        site=item.site or call.op.site,
        label="turns one of the two" if item.site else "",
        related=places((call.op.site if item.site else None, "the loss compares them entry by entry here")),
        evidence=(
            Evidence(
                f"of {item.rows} pairs seen, {item.straight} go together best as they are, and {item.turned} clearly better with one flipped or rotated, by their correlation; on the labels of another row {item.chance} do so by chance",
                "misaligned",
                item.turned,
            ),
        ),
        help="draw once for each pair and turn both by it",
        facts=frozenset({Fact("odd-input", given)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=shown,
    )


def turned_by_ops(index: Index) -> Iterator[Diagnosis]:
    """Pairs of which one side alone is turned, in some and not in all; examples by themselves, and whole batches."""
    seen: dict[tuple[int, bool], list[tuple[Call, str, list[Pair]]]] = {}
    for call in calls(index):
        if call.op.failed or call.target.name in call.step.depends_on_parameters:
            continue
        for given in entering(call.step, call.prediction.name):
            for single in (True, False):
                found = list(pairs(call.step, given, call.target.name, single=single))
                seen.setdefault((call.step.step.kind, single), []).append((call, given, found))
    for group in seen.values():
        every = [pair for _, _, found in group for pair in found]
        apart = [pair for pair in every if any(pair.difference)]
        # timid: a side that is turned in every pair may be stored so
        if apart and any(pair.difference != apart[0].difference for pair in every):
            call, given, _ = next(one for one in group if any(any(pair.difference) for pair in one[2]))
            yield diagnosis(call, given, apart, len(every))


def pairs(step: StepIndex, given: str, label: str, *, single: bool) -> Iterator[Pair]:
    """The examples of a batch beside their labels, or the batches themselves, where both are pictures of one size."""
    rows, planes = rows_of(step, given), all(len(step.value(name).shape or ()) > PLANE for name in (given, label))
    if not planes or not rows or rows != rows_of(step, label):
        return
    mine, theirs = (list(items(step, name) if single else batch(step, name)) for name in (given, label))
    if len(mine) != len(theirs) or not all(alike(step, one.name, other.name) for one, other in zip(mine, theirs, strict=True)):
        return
    for one, other in zip(mine, theirs, strict=True):
        shared = {op.output for op in one.ops} & {op.output for op in other.ops}
        # timid: what was done to one side outside of the framework may have turned it as well
        if one.whole and other.whole:
            yield Pair(*(tuple(op for op in side if _called(op) in TURNS and op.output not in shared) for side in (one.ops, other.ops)))


def stacking(behind: list[Op]) -> Op | None:
    """What made a batch of its items."""
    return next((op for op in behind if op.kind == "concat" and _called(op) == "stack"), None)


def items(step: StepIndex, name: str) -> Iterator[Way]:
    """The values that a batch was stacked from; none where the stacking was not seen."""
    stacked = stacking(way(step, name).ops)
    for item in stacked.inputs if stacked is not None else ():
        yield way(step, item)


def batch(step: StepIndex, name: str) -> Iterator[Way]:
    """The batch, with the ops on its way since it was stacked."""
    behind = way(step, name)
    stacked = stacking(behind.ops)
    yield behind if stacked is None else Way(name, behind.ops[: behind.ops.index(stacked)], whole=True)


def alike(step: StepIndex, one: str, other: str) -> bool:
    """Both are pictures of the same height and width, whichever side the channels stand on."""
    mine, theirs = (step.value(name).shape or () for name in (one, other))
    planes = [(shape[-PLANE:], shape[-PLANE - 1 : -1]) for shape in (mine, theirs) if len(shape) >= PLANE]
    return len(planes) == 2 and any(len(a) == PLANE and min(a) > 1 and a == b for a, b in zip(*planes, strict=True))  # noqa: PLR2004 - two sides


def _called(op: Op) -> str:
    return op.native.rsplit(".", 1)[-1]


def place(ops: Iterable[Op], others: Iterable[Op]) -> Site | None:
    """The innermost place on the way to one side's turn that is not on the way to the other's as well."""
    site = next((op.site for op in ops if op.site), None)
    theirs = {frame.line_of_code for op in others if op.site for frame in op.site.with_callers}
    return next((frame for frame in site.with_callers if frame.line_of_code not in theirs), site) if site is not None else None


def diagnosis(call: Call, given: str, apart: list[Pair], count: int) -> Diagnosis:
    """What is said, where one side is turned."""
    step = call.step
    mine, theirs = [op for pair in apart for op in pair.given], [op for pair in apart for op in pair.label]
    shown = [step.value(name).shown for name in (given, call.target.name)]
    first, second = (place(mine, theirs), place(theirs, mine)) if mine else (place(theirs, mine), None)
    how = "by a draw of its own" if mine and theirs else f"and `{shown[1] if mine else shown[0]}` is not"
    alone = [sum(bool(pair.difference[side]) for pair in apart) for side in (0, 1)]
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="warning",
        confidence="measured",
        message=f"`{shown[0] if mine else shown[1]}` is turned round at random {how}: the entries of {len(apart)} of {plural(count, 'pair')} no longer belong together",
        site=first,
        label=f"turns `{shown[0] if mine else shown[1]}` alone",
        related=places((second, f"turns `{shown[1]}` alone"), (call.op.site, "the loss compares them entry by entry here")),
        evidence=(
            Evidence(
                f"of {plural(count, 'pair')} recorded, {alone[0]} have the input alone turned and {alone[1]} the label alone",
                "misaligned",
                len(apart),
            ),
        ),
        help="draw once for each pair and turn both by it, or join the two along their channels, turn them together, and take them apart again",
        facts=frozenset({Fact("odd-input", given)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(shown),
    )
