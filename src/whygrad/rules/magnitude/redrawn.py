"""The part of WG515 that tells of trained parameters which are given initial values again and again."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.courses import fails
from whygrad.ir import Redraw
from whygrad.rules.phrases import listed, places, plural


def redrawn(index: Index) -> Iterator[Diagnosis]:
    """What is said of them, where the loss stands in the end: a run that learns all the same was reset on purpose."""
    # timid: folds of a cross-validation and resets against a lasting bias learn in between
    standing = [step for step in index.steps if index.record.redraws and fails(index, step) == "stands"]
    kinds = frozenset(str(step.step.kind) for step in standing)
    for found in index.record.redraws:
        if found.loaded and (standing or _undone(index, found)):
            yield _about_loaded(index, found, kinds)
        elif standing and not found.loaded:
            yield _about(index, found, kinds)


def _undone(index: Index, found: Redraw) -> bool:
    """No update came after the last time: the program ends with the weights that it began with."""
    return any(one.name == found.optimizer and one.steps == found.last for one in index.record.optimizers)


def _about_loaded(index: Index, found: Redraw, kinds: frozenset[str]) -> Diagnosis:
    optimizer = next((one for one in index.record.optimizers if one.name == found.optimizer), None)
    name, undone = next(iter(found.names), "the model"), _undone(index, found)
    return Diagnosis(
        rule="WG515",
        name="uninitialised-parameter",
        severity="error",
        confidence="proved" if undone else "measured",
        message=f"`{name}` is given the weights that it began with again, {plural(found.times, 'time')}: what was learnt is thrown away",
        site=found.site,
        label="loads the weights from before the first update",
        related=places(
            (found.site.caller() if found.site and found.site.callers else None, "called from here"),
            (optimizer.site if optimizer else None, "this optimizer goes on with them"),
        ),
        evidence=(
            Evidence(
                f"`{found.optimizer}` had taken {plural(found.first, 'update')} at the first time and {found.last:,} at the last; each time `{name}` then held what it held before the first of them",
                "loaded",
                found.times,
            ),
            Evidence("no update came after the last time: the program ends with the weights that it began with")
            if undone
            else Evidence("the loss stands still over the whole run"),
        ),
        help="look at what keeps the best weights: a best score that begins where no score can be better keeps those of the start; weights that are read from a file are loaded once, before the training",
        facts=frozenset({Fact("redrawn", name)}),
        explains=frozenset(Fact("stands", kind) for kind in kinds),
        names=(name,),
    )  # fmt: skip


def _about(index: Index, found: Redraw, kinds: frozenset[str]) -> Diagnosis:
    optimizer = next((one for one in index.record.optimizers if one.name == found.optimizer), None)
    names = [name for name in found.names if name]
    every = (found.last - found.first) / max(found.times - 1, 1)
    return Diagnosis(
        rule="WG515",
        name="uninitialised-parameter",
        severity="error",
        confidence="measured",
        message=f"{listed(names) if names else 'parameters'} {'is' if len(names) == 1 else 'are'} initialised again after updates, {found.times} times: what was learnt is thrown away",
        site=found.site,
        label="draws new initial values for what is being trained",
        related=places(
            (found.site.caller() if found.site and found.site.callers else None, "called from here"),
            (optimizer.site if optimizer else None, "this optimizer goes on with them"),
        ),
        evidence=(
            Evidence(
                f"`{found.optimizer}` had taken {plural(found.first, 'update')} at the first time and {found.last:,} at the last: about every {every:.0f} updates",
                "redrawn",
                found.times,
            ),
            Evidence("the loss stands still over the whole run"),
        ),
        help="initialise once, before the training",
        facts=frozenset(Fact("redrawn", name) for name in names or ("parameters",)),
        explains=frozenset(Fact("stands", kind) for kind in kinds),
        names=tuple(names[:1]),
    )
