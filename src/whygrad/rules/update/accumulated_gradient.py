"""WG403: gradients of earlier steps are still there when the next backward adds to them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Event, Optimizer, Site
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, plural
from whygrad.rules.remedies import behind, in_front, remedy
from whygrad.rules.update.evaluated import evaluated

_BY_HAND = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, with the step that it happened in."""

    step: StepIndex
    event: Event


@dataclass(frozen=True, slots=True)
class Added:
    """A backward that added to used gradients, and the update that then used the sum."""

    backward: Happening
    update: Event
    stale: int


@rule("WG403", "accumulated-gradient", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradients that an update has already used are never cleared, so each step adds to those of all steps before it.

    ## What it finds
    A backward that begins while parameters still hold the gradient of the last update, and an update that then uses the sum, with no
    `zero_grad` of that optimizer's parameters in between. In TensorFlow, variables that gradients are added to, that an update is handed, and that grow by each step's gradients alone. In JAX, an update that is
    handed what the last one was handed, and the gradients since then.

    In PyTorch also an evaluation that runs a backward and leaves its gradients to the next update.

    ## Why it matters
    The update follows the sum of all gradients since the start, most of them of parameters long gone. It acts like a momentum that never
    decays: small problems are learnt all the same, others swing or diverge. So the loss is no evidence, and is not used.

    ## When it is fine
    Gradient accumulation adds up several backwards and clears after the update. In a GAN the generator's backward leaves gradients in the
    discriminator, which are cleared before its own. Neither lets an update use a gradient twice, and both stay silent.

    ## How sure
    Proved by the events: which gradients an update had used was noted, and that they were still there was measured as the next backward
    began.

    ## References
    PyTorch, "Zeroing out gradients"; `whygrad explain WG404` for clearing too late.
    """
    happenings = [Happening(step, event) for step in index.steps for event in step.step.events]
    found = {name: list(added(index, happenings, name, parameters_of(index, name))) for name in updaters(happenings)}
    yield from distinct(diagnosis(index, name, times) for name, times in found.items() if times)
    yield from evaluated(index)


def updaters(happenings: list[Happening]) -> list[str]:
    """Optimizers that stepped in the recorded steps; "" for updates by hand."""
    names = (target for h in happenings if h.event.kind == "optimizer_step" for target in h.event.targets)
    by_hand = [_BY_HAND for h in happenings if h.event.kind == "update"][:1]
    # timid: beside an optimizer, what is changed by hand is a moving average or a projection
    return list(dict.fromkeys(names)) or by_hand


def parameters_of(index: Index, name: str) -> frozenset[str] | None:
    """What an optimizer holds; None where that is unknown."""
    held = frozenset(p for o in index.record.optimizers if o.name == name for group in o.groups for p in group.parameters)
    return held or None


def added(index: Index, happenings: list[Happening], name: str, held: frozenset[str] | None) -> Iterator[Added]:
    """Backwards on used gradients, each with the update of `name` that used the sum."""
    alone = len(index.record.optimizers) <= 1
    pending: list[Happening] = []
    used, before = False, -1
    for happening in happenings:
        event, number = happening.event, happening.step.step.index
        # timid: what happened in steps that were not recorded is unknown, unless there is but one optimizer
        used = (used and number - before <= 1) or (alone and number > 0)
        before = number
        if event.kind == "clear" and (held is None or not held.isdisjoint(event.targets) or not event.targets):
            pending, used = [], False if not alone else used
        elif event.kind in ("backward", "accumulate") and used and stale(event):
            pending.append(happening)
        elif updates(event, name):
            yield from (Added(one, event, stale(one.event)) for one in pending[:1])
            pending, used = [], True


def updates(event: Event, name: str) -> bool:
    """It is an update by this optimizer, or by hand."""
    return event.kind == "update" if name == _BY_HAND else event.kind == "optimizer_step" and name in event.targets


def stale(event: Event) -> int:
    """How many parameters held a used gradient when this backward began."""
    count = event.attributes.get("stale", 0)
    return count if isinstance(count, int) else 0


def diagnosis(index: Index, name: str, found: list[Added]) -> Diagnosis:
    """One for an optimizer, at the first such backward."""
    first = found[0]
    optimizer = next((o for o in index.record.optimizers if o.name == name), None)
    who = f"`{name}`" if name else "the update by hand"
    own = next(iter(first.backward.step.events("accumulate")), None)
    backwards = sum(event.kind == "backward" for step in index.steps for event in step.step.events)
    return Diagnosis(
        rule="WG403",
        name="accumulated-gradient",
        severity="error",
        confidence="proved",
        message=f"gradients are never cleared: {who} uses those of all steps before as well",
        site=(own.site if own is not None else None) or first.backward.event.site or first.update.site,
        label=f"adds to {plural(first.stale, 'gradient')} that {who} has already used",
        related=places((first.update.site, "the sum is used here")),
        evidence=(
            Evidence(
                f"what the update is given for {plural(first.stale, 'parameter')} is what the last one was given, and the gradients since then"
                if own is not None
                else f"{plural(first.stale, 'parameter')} still held the gradient of the last update when this backward began",
                "stale",
                first.stale,
            ),
            Evidence(f"so in {len(found)} of {backwards} recorded backwards; the first can't be", "backwards", len(found)),
        ),
        help=_help(index, optimizer),
        facts=frozenset({Fact("stale-gradient", name)}),
        kind=first.backward.step.step.kind,
        step=first.backward.step.step.index,
        names=(name,) if name else (),
        remedy=_begun_anew(index, own.site if own is not None else None, first.update.site) or _cleared(index, name, first),
    )


_SUMMED = re.compile(r"\s*([A-Za-z_]\w*)\s*\+?=(?!=)(.*)")
"""A sum of the program's own, as a name and what it becomes."""


def _begun_anew(index: Index, summed: Site | None, used: Site | None) -> Remedy | None:
    """A sum in arrays of JAX', which never change, made of zeros again behind the update that used it; or one in TensorFlow's variables set to zero."""
    if summed is not None and used is not None and speaks(index, "tensorflow") and (variables := _APPLIED.search(used.text)) is not None:
        return remedy("set the sums to zero behind the update", behind(used, _ZEROED.format(variables[1])))
    if summed is None or not speaks(index, "jax"):
        return None
    found, mapped = _SUMMED.match(summed.text), _MAPPED.match(summed.text)
    if used is None and mapped is not None and (own := [name for name in (mapped[2], mapped[3]) if name != mapped[1]]) and len(own) == 1:
        return _zeroed_behind(summed, own[0])
    if found is None or used is None or (summed.file, summed.function) != (used.file, used.function):
        return None
    name = re.compile(rf"\b{found[1]}\b")
    # timid: behind an update that is given something else the sum may still be wanted
    if not name.search(used.text) or not ("+=" in summed.text or name.search(found[2])):
        return None
    return _zeroed_behind(used, found[1])


_APPLIED = re.compile(r"\.apply(?:_gradients)?\(\s*(?:zip\(\s*)?([A-Za-z_][\w.]*)\s*,")
"""A list of variables that an optimizer of Keras' is given for gradients."""
_ZEROED = "for total in {}:\n    total.assign(tensorflow.zeros_like(total))"
_MAPPED = re.compile(
    r"\s*([A-Za-z_]\w*)\s*=\s*(?:jax\.)?(?:tree\.|tree_util\.)?(?:tree_)?map\(lambda .*-.*,\s*([A-Za-z_]\w*),\s*([A-Za-z_]\w*)\)\s*(?:#.*)?$"
)
"""An update of a tree, by hand, that takes off a part of what was summed up, both of them names."""


def _zeroed_behind(site: Site, name: str) -> Remedy | None:
    return remedy("begin a new sum behind the update", behind(site, f"{name} = jax.tree.map(jax.numpy.zeros_like, {name})"))


_STEPPED = re.compile(r"\s*([A-Za-z_][\w.]*)\.step\(\s*\)")


def _cleared(index: Index, name: str, first: Added) -> Remedy | None:
    """The gradients cleared before the backward."""
    site = first.backward.event.site
    called = stepped_as(site, first.update.site) or (name if _is_variable(index, name) else "") if speaks_torch(index) else ""
    return remedy("clear before the backward", in_front(site, f"{called}.zero_grad()")) if called else None


def stepped_as(backward: Site | None, step: Site | None) -> str:
    """What the line of the step calls the optimizer, `self.optimizer` say, if the backward stands in the same function; "" else."""
    if backward is None or step is None or (backward.file, backward.function) != (step.file, step.function):
        return ""
    written = _STEPPED.match(step.text)
    return written[1] if written is not None else ""


def _help(index: Index, optimizer: Optimizer | None) -> str:
    """The line to add."""
    return idiom(index, "clear", optimizer=optimizer.name) if optimizer is not None else idiom(index, "clear by hand")


def _is_variable(index: Index, name: str) -> bool:
    """The optimizer is one of PyTorch's, and goes by a name that the source can use."""
    return speaks_torch(index) and name.replace(".", "").isidentifier()
