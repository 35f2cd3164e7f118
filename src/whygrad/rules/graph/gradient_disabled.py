"""WG303: a parameter that the loss uses while gradient tracking is off."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Related, Remedy
from whygrad.flow import Index
from whygrad.flow.cuts import Cut, cuts
from whygrad.flow.origins import switched_off_at
from whygrad.flow.starved import fed, meant, refuses
from whygrad.idioms import dialects, idiom, speaks, speaks_torch, spelled
from whygrad.ir import Op, Site
from whygrad.rules import rule
from whygrad.rules.graph.idle_terms import idle
from whygrad.rules.graph.kept_untracked import kept
from whygrad.rules.graph.never_asked import never_tracked
from whygrad.rules.graph.starvation import Words, diagnosis, lifting
from whygrad.rules.phrases import plural
from whygrad.rules.remedies import moved, remedy

ENOUGH = 2
"""Steps that must have begun with tracking off: one may have been cleared for the next that never came."""


@rule("WG303", "gradient-disabled", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Trainable parameters were used only while gradient tracking was off: `no_grad`, `inference_mode`, `set_grad_enabled(False)`, outside the tape.

    ## What it finds
    Parameters that an optimizer holds and that the loss was computed from, where the part of the forward that reads them ran without tracking. The place is the
    line that switched tracking off, or the call outside of the tape in the function that asks for the gradient; the first op that it cut is shown with it. `set_grad_enabled(False)` without its counterpart is the usual form: validation
    switches tracking off and the next epoch finds it off. A penalty that is computed without tracking and added to the loss is a warning. A run whose every loss was computed
    without tracking, as under `set_grad_enabled(phase == "train")` where no phase has that name, is told at its end.

    ## Why it matters
    What runs without tracking has no backward. Either the parameters before it stay as they are while the rest learns, or backward raises, at a line that has
    nothing to do with the switch.

    ## When it is fine
    Validation, teachers, target networks and features of a pretrained model are computed without tracking on purpose: parameters that no optimizer holds, that were
    loaded from elsewhere, or that get a gradient in another step are left alone.

    ## How sure
    Proved: the ops ran with tracking off, and no open path goes round them.

    ## References
    PyTorch, "Autograd mechanics: locally disabling gradient computation", `torch.no_grad`, `torch.inference_mode`, `torch.set_grad_enabled`; TensorFlow, `tf.GradientTape`.
    """
    for cut in index.once(cuts):
        if cut.story == "disabled" and kept(index, cut) is None:
            yield _spoken(index, cut)
    yield from idle(index, "disabled", "WG303", "gradient-disabled")
    yield from never_tracked(index)
    if not any(cut.refused for cut in index.once(cuts)):
        yield from _left_off(index) if index.record.outcome.exception is not None else _went_on(index)


def _left_off(index: Index) -> Iterator[Diagnosis]:
    """The program stopped at a loss without history, in a step whose ops were not recorded, and tracking had been left switched off."""
    exception = index.record.outcome.exception
    switches = [event for step in index.steps for event in step.events("tracking")]
    if exception is None or not refuses(exception.message) or not switches or switches[-1].attributes.get("on"):
        return
    last = index.steps[-1].step
    names = tuple(sorted(index.once(meant)))
    yield Diagnosis(
        "WG303",
        "gradient-disabled",
        "error",
        "proved",
        "gradient tracking was switched off and never on again: the loss of the last step has no history",
        site=switches[-1].site,
        label="tracking is switched off here",
        related=(Related(exception.site, "backward finds nothing to differentiate here"),) if exception.site else (),
        evidence=(
            Evidence(f"backward was refused: {exception.message.rstrip('.')}"),
            Evidence(
                f"{plural(len(index.once(fed)), 'parameter')} had a gradient in earlier steps",
                "parameters_with_gradient",
                len(index.once(fed)),
            ),
        ),
        help=_help(index, switches[-1].site),
        facts=frozenset((Fact("tracking-off", str(last.kind)),)),
        explains=frozenset({Fact("exception", exception.type), Fact("constant-loss", str(last.kind)), Fact("no-update", str(last.kind))}),
        kind=last.kind,
        step=last.index,
        names=names,
        remedy=_for_the_function(switches[-1].site),
    )


def _for_the_function(site: Site | None) -> Remedy | None:
    """Tracking off for as long as the function runs that switches it off."""
    if site is None or not _FOR_GOOD.match(site.text):
        return None
    return remedy("switch tracking off for this function alone", Edit("decorate", site, "torch.no_grad()"))


_FOR_GOOD = re.compile(r"\s*torch\.(_C\.)?(autograd\.)?set_grad_enabled\(False\)\s*(#.*)?$")
"""A line that switches tracking off and is no block."""


def _went_on(index: Index) -> Iterator[Diagnosis]:
    """Steps went on without a backward, since tracking had been left switched off."""
    steps, site = index.record.outcome.untracked, switched_off_at(index)
    if steps < ENOUGH or site is None or not index.once(fed) or not speaks_torch(index):
        return
    kinds = [str(kind) for kind in index.kinds]
    yield Diagnosis(
        "WG303",
        "gradient-disabled",
        "error",
        "proved",
        f"gradient tracking was switched off and never on again: {plural(steps, 'step')} since then trained nothing",
        site=site,
        label="tracking is switched off here",
        evidence=(
            Evidence(
                f"gradients were cleared {steps} times since then, with tracking off, and no loss had a history to ask one of",
                "steps",
                steps,
            ),
            Evidence(
                f"{plural(len(index.once(fed)), 'parameter')} had a gradient in earlier steps",
                "parameters_with_gradient",
                len(index.once(fed)),
            ),
        ),
        help=_help(index, site),
        facts=frozenset(Fact("tracking-off", kind) for kind in kinds),
        explains=frozenset(Fact("stands", kind) for kind in kinds),
        names=tuple(sorted(index.once(meant))),
        remedy=_for_the_function(site),
    )


def _spoken(index: Index, cut: Cut) -> Diagnosis:
    first = cut.ops[0]
    # under `fit` the loop is Keras' own, and nothing can be moved beside it
    fitted = index.once(dialects)[0] == "keras"
    site = _switch_site(cut) or (first.site if fitted else _beside_backward(cut, first.site))
    words = Words(
        "WG303",
        "gradient-disabled",
        idiom(index, "untracked", them="them" if len(cut.starved) > 1 else "it"),
        site,
        "tracking is switched off here" if _switch_site(cut) else idiom(index, "untracked op", name=spelled(first)),
        _help(index, site),
        tuple(_related(first) if site != first.site else ()),
        remedy=_remedy(cut) or _within_tape(index, cut, site) or _within_function(index, cut, site),
    )
    return diagnosis(index, cut, words, lifting(*_untracked(cut)))


def _switch_site(cut: Cut) -> Site | None:
    return cut.switch.site if cut.switch else None


def _beside_backward(cut: Cut, site: Site | None) -> Site | None:
    """The line on the way to an op that stands in the function that asks for the gradient: what is moved below the tape is the call there, not what it runs."""
    asked = next((event.site for event in cut.step.events("backward") if event.site), None)
    places = site.with_callers if site else ()
    beside = (place for place in places if asked and (place.file, place.function) == (asked.file, asked.function))
    return next(beside, site)


def _related(first: Op) -> Iterator[Related]:
    if first.site:
        yield Related(first.site, f"`{spelled(first)}` is the first call that it cuts")


def _untracked(cut: Cut) -> tuple[Op, ...]:
    """All ops that ran without tracking on the way to the loss: opening the first alone would not do."""
    return (*cut.ops, *(op for op in (*cut.chain, *cut.others) if not op.tracking))


def _help(index: Index, site: Site | None) -> str:
    text = site.text if site else ""
    if "set_grad_enabled" in text:
        return "switch tracking on again before training goes on, or write `with torch.no_grad():` around the part meant, which restores it by itself"
    return idiom(index, "track")


def _readers(cut: Cut) -> Iterator[Op]:
    """The ops that read what was computed without tracking."""
    outside = {name for op in _untracked(cut) for name in op.outputs}
    return (op for op in cut.step.graph.ops if not outside.isdisjoint(op.inputs))


def _within_tape(index: Index, cut: Cut, site: Site | None) -> Remedy | None:
    """The statement that computes outside of the tape in front of the first one inside that reads what it makes; or no pause of the tape around it."""
    inside = _beside_backward(cut, next((op.site for op in _readers(cut) if op.tracking), None))
    if site is None or inside is None or not speaks(index, "tensorflow") or site.function != inside.function or site.line >= inside.line:
        return None
    unpaused = Edit("dissolve", site, calls=("stop_recording",))
    return remedy("compute this under the tape", moved(site, inside, after=False), otherwise=(unpaused,), proof=lifting(*_untracked(cut)))


def _within_function(index: Index, cut: Cut, site: Site | None) -> Remedy | None:
    """The statement that computes outside of the differentiated function at the start of the function that reads what it makes."""
    readers = (op.site for op in _readers(cut) if op.site)
    reader = next((reader for reader in readers if site and reader.file == site.file and reader.function != site.function), None)
    if site is None or reader is None or not speaks(index, "jax"):
        return None
    return remedy(
        "compute this inside the function that is differentiated", Edit("take in", site, to=reader), proof=lifting(*_untracked(cut))
    )


def _remedy(cut: Cut) -> Remedy | None:
    """Without the block or the decorator that switches tracking off."""
    site = _switch_site(cut)
    if site is None or "set_grad_enabled" in site.text:
        return _for_the_function(site)
    return remedy("let this part be tracked", Edit("dissolve", site, calls=("no_grad", "inference_mode")), proof=lifting(*_untracked(cut)))
