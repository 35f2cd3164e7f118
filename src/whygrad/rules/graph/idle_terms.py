"""The part of WG301 to WG304 that tells of a term of the loss which trains nothing, beside others that do."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Test
from whygrad.flow import Index
from whygrad.flow.frontier import switched_off
from whygrad.flow.idle_terms import IdleTerm, Reason, idle_terms
from whygrad.idioms import spelled
from whygrad.ir import Event, Lift, Op
from whygrad.rules.phrases import distinct, figure, finite, places, plural
from whygrad.rules.remedies import remedy

_WHY: dict[Reason, tuple[str, str]] = {
    "detached": ("`{op}` cuts it off from every parameter", "leave out `{op}` on the way to this term"),
    "graphless": ("`autograd.{op}` keeps no graph of the derivatives that it is made of", "pass `create_graph=True` to `autograd.{op}`"),
    "rebuilt": ("its number leaves through `{op}` and comes back without a history", "use the tensor itself in place of its number"),
    "disabled": ("it is computed while gradient tracking is off", "compute this term with gradient tracking on"),
    "decided": ("`{op}` has no derivative", "use a term with a derivative: the probabilities or scores themselves in place of what `{op}` makes of them"),
}  # fmt: skip


def idle(index: Index, story: Reason, rule: str, name: str) -> Iterator[Diagnosis]:
    """What is said of the terms that are idle for this reason."""
    yield from distinct(_told(term, rule, name) for term in index.once(idle_terms) if term.story == story)


def _told(term: IdleTerm, rule: str, name: str) -> Diagnosis:
    step, op = term.step, spelled(term.cut)
    why, cure = (text.format(op=op) for text in _WHY[term.story])
    made = step.producer.get(term.value.name)
    told = f"`{term.value.shown}` is a term of the loss and" if term.value.called else "a term of the loss"
    it = f"`{term.value.shown}`" if term.value.called else "it"
    figures = term.value.statistics
    size = figures.mean if figures is not None and figures.mean is not None and finite(figures.mean) else None
    value = f" ({figure(size)} in this step)" if size is not None else ""
    return Diagnosis(
        rule=rule,
        name=name,
        severity="warning",
        confidence="proved",
        message=f"{told} trains nothing: {why}",
        site=term.cut.site,
        label="no gradient passes back through this",
        related=places((made[1].site if made else None, "the term is computed here")),
        evidence=(
            Evidence(
                f"{it}{value} is computed from {plural(len(term.behind), 'trainable parameter')}, and no gradient goes back through it: it changes the loss and not the gradient",
                "term",
                size,
            ),
        ),
        help=f"{cure}; if it is there to be printed, keep it out of what is differentiated",
        facts=frozenset({Fact("idle", term.cut.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=term.behind[:1],
        test=Test(lift, "with this cut open and nothing else changed, the gradient is another one") if (lift := _opened(term)) else None,
        remedy=_opening(term),
    )


def _shut(term: IdleTerm) -> tuple[Op, ...]:
    """All that has to let a gradient pass; nothing where that has no derivative anyway."""
    above = term.step.upstream(term.value.name)
    on_the_way = [op for op in term.step.graph.ops if not above.isdisjoint(op.outputs)]
    if term.story == "detached":
        return tuple(op for op in on_the_way if op.kind == "detach")
    return tuple(op for op in on_the_way if not op.tracking) if term.story == "disabled" else ()


def _opened(term: IdleTerm) -> Lift | None:
    names = tuple(op.output for op in _shut(term) if op.output)
    return Lift(names) if names else None


def _opening(term: IdleTerm) -> Remedy | None:
    """Without the calls that cut, or without the block that switches tracking off; with the graph of a derivative that was taken without."""
    if term.story == "graphless":
        site, op = term.cut.site, spelled(term.cut)
        return remedy("keep the graph of the derivatives", Edit("argument", site, "True", (op,), "create_graph")) if site else None
    if term.story == "detached":
        sites = dict.fromkeys((op.site, spelled(op)) for op in _shut(term))
        edits = [Edit("unwrap", site, calls=(name, "detach", "data", "stop_gradient")) if site else None for site, name in sites]
        return remedy(_WHY["detached"][1].format(op=spelled(term.cut)), *edits, changes=_TRAINS, proof=_opened(term))
    at = next((place for place, op in enumerate(term.step.graph.ops) if op is term.cut), -1)
    switch = switched_off(term.step).get(at) if term.story == "disabled" else None
    site = switch.site if isinstance(switch, Event) else None
    if site is None or "set_grad_enabled" in site.text:
        return None
    edit = Edit("dissolve", site, calls=("no_grad", "inference_mode"))
    return remedy("let this term be tracked", edit, changes=_TRAINS, proof=_opened(term))


_TRAINS = "the term takes part in training, with the factor that it has"
