"""Which diagnosis is the cause: folds what follows from another one, and puts the root causes in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Fact, Symptom

RESIDUAL = frozenset({"WG311", "WG512"})
"""Rules that speak only about what nothing else explains."""
CONTENT = frozenset({"WG420"})
"""Rules that call a loss sound and on its way: they say nothing beside an error."""
GRAVEST = {"error": 0, "warning": 1, "note": 2}
SUREST = {"proved": 0, "measured": 1, "suspected": 2}


def rank(diagnoses: Sequence[Diagnosis], observed: Mapping[Fact, str]) -> tuple[Diagnosis, ...]:
    """Root causes first, the gravest and surest at the top, each with its symptoms; then what was folded into them.

    `observed` holds facts of the run that no rule states, such as the exception that ended it, with a sentence for each.
    """
    standing = without_residues(without_refuted(without_repeats(diagnoses)))
    folding = Folding.of(sorted(standing, key=preference))
    roots = sorted(folding.roots, key=lambda at: order(folding.nodes[at], len(folding.followers(at))))
    told: set[Fact] = set()
    ranked: list[Diagnosis] = []
    for at in roots:
        root = folding.nodes[at]
        followers = [folding.nodes[other] for other in folding.followers(at)]
        facts = [fact for fact in observed if fact in root.explains and fact not in told | root.facts and not _in_evidence(fact, root)]
        told.update(facts)
        follow = tuple(Symptom(other.message, other.rule) for other in followers)
        seen = tuple(Symptom(observed[fact]) for fact in facts)
        ranked.append(replace(root, root_cause=True, symptoms=(*root.symptoms, *seen, *follow)))
    folded = [replace(folding.nodes[at], root_cause=False) for root in roots for at in folding.followers(root)]
    return (*ranked, *folded)


def _in_evidence(fact: Fact, diagnosis: Diagnosis) -> bool:
    """The diagnosis already shows the figure that the fact is about."""
    return fact.what == "insensitive" and any(evidence.measure == "label_sensitivity" for evidence in diagnosis.evidence)


def order(diagnosis: Diagnosis, explained: int = 0) -> tuple[int, bool, int, int, int]:
    """Sort key of a root cause: severity, what names a cause before what only states the failure, confidence, how much it explains, where it happened."""
    return (
        GRAVEST[diagnosis.severity],
        diagnosis.rule in RESIDUAL,
        SUREST[diagnosis.confidence],
        -(len(diagnosis.facts | diagnosis.explains) + explained),
        diagnosis.step if diagnosis.step is not None else -1,
    )


def preference(diagnosis: Diagnosis) -> tuple[int, int, int, int, str]:
    """Sort key for which of two that explain each other is the cause: the surer, then the earlier one."""
    earlier = diagnosis.step if diagnosis.step is not None else -1
    line = diagnosis.site.line if diagnosis.site is not None else 0
    return (SUREST[diagnosis.confidence], GRAVEST[diagnosis.severity], earlier, line, diagnosis.rule)


def covers(cause: Diagnosis, symptom: Diagnosis) -> bool:
    """All that `symptom` says follows from `cause`."""
    return bool(symptom.facts) and symptom.facts <= cause.explains


def without_repeats(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """One of each: the same rule at the same place about the same names, seen in several steps."""
    first: dict[object, Diagnosis] = {}
    for diagnosis in diagnoses:
        site = diagnosis.site
        place = (site.file, site.line, site.column) if site is not None else None
        first.setdefault((diagnosis.rule, place, diagnosis.names or diagnosis.message), diagnosis)
    return list(first.values())


def without_refuted(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """What needs an experiment to be spoken stays only where that confirmed it."""
    return [
        diagnosis
        for diagnosis in diagnoses
        if not (diagnosis.test is not None and diagnosis.test.required)
        or (diagnosis.experiment is not None and diagnosis.experiment.verdict == "confirmed")
    ]


def without_residues(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Residual rules fall silent about what another diagnosis explains or states, and their notes beside any cause that is known."""
    spoken: set[Fact] = set()
    for diagnosis in diagnoses:
        if diagnosis.rule not in RESIDUAL:
            spoken |= diagnosis.facts | diagnosis.explains
    known = any(diagnosis.severity != "note" for diagnosis in diagnoses)
    kept = [diagnosis for diagnosis in diagnoses if diagnosis.rule not in RESIDUAL or spoken.isdisjoint(diagnosis.facts)]
    failing = any(diagnosis.severity == "error" for diagnosis in diagnoses)
    return [diagnosis for diagnosis in kept if not (known and guessed(diagnosis)) and not (failing and diagnosis.rule in CONTENT)]


def guessed(diagnosis: Diagnosis) -> bool:
    """That a loss stands, or a guess at why, which nobody needs where a cause is known."""
    if diagnosis.rule in RESIDUAL and diagnosis.severity == "note":
        return True
    return diagnosis.severity == "note" and diagnosis.confidence == "suspected" and any(fact.what == "stands" for fact in diagnosis.facts)


@dataclass(frozen=True, slots=True)
class Folding:
    """Who explains whom, by position in `nodes`, and which of them nothing explains. Circles are opened at their surest member."""

    nodes: tuple[Diagnosis, ...]
    explained: tuple[tuple[int, ...], ...]
    roots: tuple[int, ...]

    @classmethod
    def of(cls, nodes: Sequence[Diagnosis]) -> "Folding":
        """The folding of diagnoses that are given in order of preference."""
        explained = tuple(tuple(at for at, other in enumerate(nodes) if other is not node and covers(node, other)) for node in nodes)
        taken = {at for group in explained for at in group}
        roots = [at for at in range(len(nodes)) if at not in taken]
        reached = set().union(*(reach(explained, root) for root in roots))
        for at in range(len(nodes)):
            if at not in reached:
                roots.append(at)
                reached |= reach(explained, at)
        return cls(tuple(nodes), explained, tuple(roots))

    def followers(self, root: int) -> tuple[int, ...]:
        """What follows from `root` and from no root before it in the order of preference."""
        before = set(self.roots).union(*(reach(self.explained, other) for other in self.roots if other < root))
        return tuple(sorted(reach(self.explained, root) - before))


def reach(explained: tuple[tuple[int, ...], ...], root: int) -> frozenset[int]:
    """Everything that follows from `root`, directly or not, itself included."""
    found: set[int] = set()
    waiting = [root]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting.extend(explained[at])
    return frozenset(found)
