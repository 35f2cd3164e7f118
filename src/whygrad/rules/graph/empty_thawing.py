"""Layers that are made trainable and hold no parameter, where all that is frozen stays so."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Event, Parameter
from whygrad.rules.phrases import listed, places, plural


def thaws_nothing(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each place, while parameters that the program has frozen shape the loss to the end."""
    frozen = still_frozen(index)
    if not frozen:
        return
    for step in index.steps:
        for event in step.events("unfreeze"):
            count = event.attributes.get("empty")
            if isinstance(count, int):
                yield about(index, event, count, frozen)


def still_frozen(index: Index) -> tuple[Parameter, ...]:
    """Parameters that the program froze, that take part, and that neither a gradient nor an update has reached."""
    targets = {name for step in index.steps for event in step.events("freeze") for name in event.targets}
    trained = {p.name for step in index.steps for p in step.step.parameters if p.trainable}
    moved = {name for name, ending in index.record.endings.items() if ending.changed or ending.gradient_seen}
    return tuple(p for p in index.parameters.values() if p.name in targets and p.reached and p.name not in trained | moved)


def about(index: Index, event: Event, count: int, frozen: tuple[Parameter, ...]) -> Diagnosis:
    """What is said, at the line that makes them trainable."""
    names = tuple(p.name for p in frozen)
    first = next((e for step in index.steps for e in step.events("freeze") if not set(names).isdisjoint(e.targets)), None)
    what = "this layer holds" if count == 1 else f"these {count} layers hold"
    kind = next((step.step.kind for step in index.steps), 0)
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "error",
        "proved",
        f"nothing is unfrozen: {what} no parameter, and {listed(names)} {'stays' if len(names) == 1 else 'stay'} frozen",
        site=event.site,
        label="makes no parameter trainable",
        related=places((first.site if first else None, f"freezes {listed(first.targets)}" if first else "")),
        evidence=(
            Evidence(f"parameters of what is made trainable here: 0 in {plural(count, 'layer')}", "unfrozen_parameters", 0),
            Evidence(
                f"{plural(len(names), 'parameter')} that shape{'s' if len(names) == 1 else ''} the loss had no gradient and did not move to the end of the run",
                "frozen_parameters",
                len(names),
            ),
        ),
        help="unfreeze the layers that hold the parameters, and compile the model again: `base.trainable = True; model.compile(…)`",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset({Fact("stands", str(kind)), *(Fact("unmoved", name) for name in names)}),
        kind=kind,
        names=names,
    )
