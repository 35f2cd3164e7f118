"""The part of WG308 that tells of a loop which makes a new state at each turn and hands on the old one."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.idle_states import IdleState, lasting
from whygrad.idioms import speaks
from whygrad.ir import Site
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import remedy

_PAIR = re.compile(r"\s*return\s*\(?\s*([A-Za-z_]\w*)\s*,\s*([A-Za-z_]\w*)\s*\)?\s*(#.*)?$")


def never_handed_on(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each state that all turns of a loop find as it was at first."""
    told = set[tuple[str, ...]]()
    for step, item in lasting(index):
        names = tuple(parameter.name for parameter in item.parameters)
        if names not in told:
            told.add(names)
            yield _about(index, step, item, names)


def _about(index: Index, step: StepIndex, item: IdleState, names: tuple[str, ...]) -> Diagnosis:
    handed = next((o.site for o in index.record.origins if o.setting == "carried" and item.state in o.values), None)
    one = len(names) == 1
    return Diagnosis(
        "WG308",
        "discarded-result",
        "warning",
        "proved",
        f"{listed(names)} {'weighs' if one else 'weigh'} nothing but zeros: each turn of the loop reads the state that it began with, and the new one is dropped",
        site=handed or item.op.site,
        label="hands on the state as it was given" if handed else "reads the same state at each turn",
        related=places((item.op.site if handed else None, "reads it at each turn")),
        evidence=(
            Evidence(
                f"{plural(item.turns, 'turn')} read the same state, all of which is 0, and no parameter has made it", "turns", item.turns
            ),
            Evidence(f"the gradient by {listed(names)} is 0 in every recorded step{_unmoved(index, names)}", "gradient", 0),
        ),
        help="hand the new state to the next turn"
        + (": it comes first in what the body of `lax.scan` returns" if speaks(index, "jax") else ""),
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset({Fact("stands", str(step.step.kind)), *(Fact(what, name) for name in names for what in ("unmoved", "unused"))}),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
        remedy=_handed_on(handed),
    )


def _unmoved(index: Index, names: tuple[str, ...]) -> str:
    """What is known of them at the end of the run."""
    endings = [index.record.endings.get(name) for name in names]
    stayed = all(ending is not None and not ending.changed for ending in endings)
    return f", and {'it has' if len(names) == 1 else 'they have'} the same values at the end of the run" if stayed else ""


def _handed_on(site: Site | None) -> Remedy | None:
    """Where two names are returned, the second one stands in both places."""
    pair = _PAIR.match(site.text) if site is not None else None
    if site is None or pair is None:
        return None
    return remedy(f"hand on `{pair[2]}`", Edit("replace", site, pair[2]), changes=f"the next turn begins with `{pair[2]}`")
