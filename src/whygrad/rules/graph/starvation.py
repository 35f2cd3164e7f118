"""What the rules about cut gradients say alike: names, evidence, facts and the experiment, from one `Cut`."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Related, Remedy, Severity, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.cuts import Cut
from whygrad.flow.starved import fed
from whygrad.flow.trials import judged, trial_of
from whygrad.idioms import dialects, speaks_torch, spelled
from whygrad.ir import Intervention, Lift, Op, Site, family
from whygrad.rules.phrases import listed, places, plural

FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX"}


class Words(NamedTuple):
    """What differs from rule to rule."""

    rule: str
    name: str
    because: str
    """The end of the message, after "… no gradient: "; the whole of it where no cut is told of."""
    site: Site | None
    label: str
    help: str
    related: tuple[Related, ...] = ()
    severity: Severity = "error"
    remedy: Remedy | None = None


def diagnosis(index: Index, cut: Cut, words: Words, intervention: Intervention | None = None) -> Diagnosis:
    """The diagnosis of one cut, in the words of its rule."""
    names = tuple(p.name for p in cut.starved)
    test = _test(intervention, names)
    trial = trial_of(cut.step.step, intervention) if intervention else None
    sure = cut.whole or not cut.blind or _same_call(cut)
    return Diagnosis(
        words.rule,
        words.name,
        words.severity if sure else "warning",
        "proved" if sure else "suspected",
        f"{subject(cut)}: {words.because}",
        site=words.site,
        label=words.label,
        related=_distinct(words.site, (*words.related, *_other_places(cut))),
        evidence=tuple(_evidence(index, cut, intervention)),
        help=words.help,
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=explained(cut),
        kind=cut.step.step.kind,
        step=cut.step.step.index,
        names=names,
        remedy=without_marks(cut.step, words.remedy),
        test=test,
        experiment=judged(test, trial, cut.step.step.measures) if test and trial else None,
    )


_MARKING = re.compile(r"\s*[\w.]+\.requires_grad(\s*=\s*True|_\([^()]*\))\s*(#.*)?")
"""A statement that asks for a gradient of a tensor and does nothing else."""


def without_marks(step: StepIndex, found: Remedy | None) -> Remedy | None:
    """The remedy, and without the lines that ask for a gradient of what the loss is computed by: once it has a history, PyTorch refuses that."""
    marks = [event for event in step.events("marked") if any(name in step.producer and name in step.shapes_loss for name in event.targets)]
    sites = dict.fromkeys(event.site for event in marks if event.site is not None and _MARKING.fullmatch(event.site.text))
    if found is None or not sites:
        return found
    drops = tuple(Edit("drop", site) for site in sites)
    return replace(found, edits=(*found.edits, *drops), otherwise=(*found.otherwise, *drops) if found.otherwise else ())


def subject(cut: Cut) -> str:
    """Who gets no gradient."""
    if cut.whole and len(cut.starved) > 1:
        return f"none of the {len(cut.starved)} parameters gets a gradient"
    return f"{listed(p.name for p in cut.starved)} {'gets' if len(cut.starved) == 1 else 'get'} no gradient"


def them(cut: Cut) -> str:
    """The pronoun for the starved parameters."""
    return "it" if len(cut.starved) == 1 else "them"


def loss_name(cut: Cut) -> str:
    """The user's name for the loss, in backticks."""
    names = cut.step.losses
    shown = cut.step.value(names[0]).shown if names else "loss"
    return f"`{shown}`"


def framework(index: Index) -> str:
    """The name of the framework in prose."""
    backend = index.once(dialects)[-1]
    return FRAMEWORKS.get(backend, backend) if index.record.frameworks else "the framework"


def lifting(*ops: Op) -> Lift | None:
    """The intervention that lets the gradient pass at these ops; None if none of them has an output."""
    names = tuple(dict.fromkeys(op.output for op in ops if op.output))
    return Lift(names) if names else None


def explained(cut: Cut) -> frozenset[Fact]:
    """Symptoms that follow from a cut."""
    facts = {Fact("unmoved", p.name) for p in cut.starved}
    if cut.refused:
        facts.add(Fact("exception", cut.refused[0]))
    if cut.whole or cut.refused:
        facts |= {Fact("no-gradient", p.name) for p in cut.step.step.parameters}
        facts |= {Fact(what, str(kind)) for kind in cut.kinds for what in ("constant-loss", "insensitive", "no-update")}
    if cut.blind:
        facts |= {Fact("unread", label) for label in cut.step.step.labels.values}
    elif cut.meets_labels:
        facts |= {Fact("insensitive", str(kind)) for kind in cut.kinds}
    return frozenset(facts)


def applied(op: Op) -> tuple[Related, ...]:
    """Where an op runs that stands in a list of layers and functions."""
    return places((op.site if op.made else None, "it is applied here"))


def _same_call(cut: Cut) -> bool:
    """Value and copy were handled in one call of one function, as far as the places tell."""
    left, entered = cut.left, cut.entered
    if left is None or entered is None:
        return False
    if left.scope is not None and left.scope == entered.scope:
        return True
    here, there = left.site, entered.site
    return here is not None and there is not None and bool(here.function) and (here.file, here.function) == (there.file, there.function)


def _test(intervention: Intervention | None, names: tuple[str, ...]) -> Test | None:
    if intervention is None:
        return None
    shown = f"`{names[0]}`" if len(names) == 1 else f"all {len(names)} parameters behind it"
    verb = "gets" if len(names) == 1 else "get"
    return Test(intervention, f"with this cut open and nothing else changed, {shown} {verb} a gradient", raises_gradient_of=names)


def _other_places(cut: Cut) -> Iterator[Related]:
    # timid: ops without a native name of their own were put in by the recorder and stand at no line of the user's
    for op in cut.others:
        if op.site:
            yield Related(op.site, f"the other paths are cut here by `{spelled(op)}`")
    for op in cut.chain:
        if op.site and "." in op.native and op is not cut.left and op is not cut.entered:
            yield Related(op.site, f"`{spelled(op)}` cuts what is left of the path")


def _distinct(site: Site | None, related: tuple[Related, ...]) -> tuple[Related, ...]:
    """One entry for each line, without the line of the diagnosis itself."""
    seen = {(site.file, site.line)} if site else set()
    kept = []
    for entry in related:
        place = (entry.site.file, entry.site.line)
        if place not in seen:
            seen.add(place)
            kept.append(entry)
    return tuple(kept)


def _evidence(index: Index, cut: Cut, intervention: Intervention | None) -> Iterator[Evidence]:
    yield _absence(index, cut)
    trial = trial_of(cut.step.step, intervention) if intervention else None
    first = cut.starved[0].name
    norm = trial.gradients.get(first) if trial else None
    if norm is not None and math.isfinite(norm) and norm > 0:
        yield Evidence(f"replayed without this cut, the gradient norm of `{first}` is {norm:.3g}", "gradient_norm", norm)
    fine = index.once(fed)
    if fine and not cut.refused:
        get = "gets its" if len(fine) == 1 else "get their"
        yield Evidence(
            f"{plural(len(fine), 'other parameter')} {get} gradient, so the loss may still fall", "parameters_with_gradient", len(fine)
        )


def _absence(index: Index, cut: Cut) -> Evidence:
    """That there is no gradient, as the framework shows it."""
    first = cut.starved[0]
    torch = speaks_torch(index)
    after = " after backward" if torch else ""
    more = len(cut.starved) - 1
    rest = f"; {'so is' if more == 1 else 'so are'} {plural(more, 'more parameter')} behind this cut" if more else ""
    if cut.refused:
        shown = "parameters shape" if more else "parameter shapes"
        return Evidence(f"{len(cut.starved)} trainable {shown} the loss, and no open path leads back")
    if first.gradient == "zero":
        rest = rest.replace("so is", "so is that of").replace("so are", "so are those of")
        return Evidence(f"the gradient of `{first.name}` is exactly 0{after}{rest}", "parameters_without_gradient", more + 1)
    said = f"`{first.name}.grad` is None" if torch else f"`{first.name}` has no gradient"
    rest = rest if torch else rest.replace("so is", "nor has").replace("so are", "nor have")
    return Evidence(f"{said}{after}{rest}", "parameters_without_gradient", more + 1)


def is_rounding(op: Op) -> bool:
    """The op has values between which a straight-through estimator may pass a gradient."""
    return family(op.kind) == "step" or op.kind == "integer_cast"
