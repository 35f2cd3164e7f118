"""The part of WG405 that tells of an iterator which the first turn of a loop has read to its end."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Emptied
from whygrad.rules.phrases import places, plural
from whygrad.rules.remedies import remedy


def emptied(index: Index) -> Iterator[Diagnosis]:
    """What is said of it, in a program that came to its end by itself."""
    outcome = index.record.outcome
    whole = outcome.exception is None and not outcome.stopped and outcome.exit_status in (None, 0)
    for found in index.record.emptied if whole and index.steps else ():
        yield _about(index, found)


def _about(index: Index, found: Emptied) -> Diagnosis:
    kind, name = index.steps[-1].step.kind, found.name
    seen = max(index.record.outcome.steps_seen, len(index.steps))
    what = f"{'an' if found.type[:1] in 'aeiou' else 'a'} {found.type}"
    return Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="error",
        confidence="proved",
        message=f"`{name}` is used up after the first of {found.turns} turns of its loop: the later ones make no step",
        site=found.site,
        label=f"{what}, which gives its items once, is made before the loop",
        related=places((found.loop, "each turn of this loop reads it"), (found.read, "from the second turn on nothing comes here")),
        evidence=(
            Evidence(f"{plural(seen, 'step')} in the run, all of them in the first of {found.turns} turns, and the program went on to its end", "steps", seen),
        ),
        help=f"make `{name}` anew in each turn: move this line into the loop, or keep the items in a list",
        explains=frozenset({Fact("stands", str(kind)), Fact("short", str(kind))}),
        kind=kind,
        names=(name,),
        remedy=remedy(
            f"make `{name}` in each turn of the loop",
            Edit("move", found.site, to=found.body, after=False) if found.site and found.body else None,
        ),
    )  # fmt: skip
