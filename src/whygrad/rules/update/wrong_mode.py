"""WG413: modules that train in evaluation mode."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.births import origin
from whygrad.flow.changes import backward_site
from whygrad.flow.origins import mode_asked_at, told_no_mode
from whygrad.flow.timeline import Moment, timeline
from whygrad.idioms import idiom, speaks, speaks_torch, spelled
from whygrad.ir import Op, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import scale_of
from whygrad.rules.phrases import distinct, figure, listed, percent, places, plural
from whygrad.rules.remedies import remedy, unseen
from whygrad.rules.update.thrown_statistics import as_made, model_called, thrown_away

SWITCHES = ("train", "eval")
_HALF = 0.5
"""What a dropout drops that is told nothing else."""


@rule("WG413", "wrong-mode", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The model trains in evaluation mode, or a part of it does not follow the mode: batch normalisation uses its running statistics and leaves them as they are, dropout does nothing, or goes on in evaluation.

    ## What it finds
    Four forms. A functional dropout that is not told the mode, in a program that switches its model to evaluation mode. Modules with batch normalisation or dropout that were in training mode in an earlier recorded step and are in evaluation mode in a later one of the same kind: a validation switched them
    and nothing switched them back. Or a whole model that was switched to evaluation mode before training, and whose batch normalisation, with parameters of its own to train, runs on
    running statistics in every recorded step. And, in flax, statistics that a training step computes and nobody carries over, where the program evaluates by them.

    ## Why it matters
    Running statistics that never move stay at their initial 0 and 1, or at those of the last epoch: the layers no longer normalise, and without dropout the model fits the training
    data more closely than it was meant to.

    ## When it is fine
    A pretrained backbone whose statistics are frozen, by switching the normalisation layers themselves or a model whose weights were loaded; normalisation whose own parameters are frozen; teachers and
    target networks. Those are left alone, as is a dropout that is told to stay on (`training=True`), and one in a program without evaluation.

    ## How sure
    Proved: the mode of each module was noted at the backward of each recorded step, and the recorded calls say on which statistics they ran.

    ## References
    PyTorch, `torch.nn.Module.train`, `torch.nn.BatchNorm1d`: "track_running_stats"; Keras, "Transfer learning and fine-tuning", on batch normalisation; flax, `use_running_average`.
    """
    switched = _switched_back_missing(index)
    if switched is not None:
        yield switched
    elif (found := _from_the_start(index) or _asked_for(index)) is not None:
        yield found
    yield from thrown_away(index)
    yield from distinct(_always_on(index))


def _always_on(index: Index) -> Iterator[Diagnosis]:
    """Dropout that does not ask for the mode, where the program evaluates."""
    for step in index.steps if index.record.evaluated is not None else ():
        for op in step.graph.ops:
            rate = op.attributes.get("p", _HALF)
            if (
                op.kind == "dropout"
                and told_no_mode(index, op.outputs)
                and op.attributes.get("training")
                and rate
                and not step.shapes_loss.isdisjoint(op.outputs)
            ):
                yield _about_dropout(index, step, op, float(rate))  # type: ignore[arg-type]  # a number


def _about_dropout(index: Index, step: StepIndex, op: Op, rate: float) -> Diagnosis:
    return Diagnosis(
        "WG413",
        "wrong-mode",
        "warning",
        "proved",
        "this dropout is not told the mode, so that it goes on in evaluation",
        site=op.site,
        label="drops in training and in evaluation alike",
        related=places((index.record.evaluated, "the program switches to evaluation mode here")),
        evidence=(
            Evidence(f"it is called without `training`, which is true by default, and drops {percent(rate)} of the entries", "p", rate),
        ),
        help=idiom(index, "dropout mode"),
        kind=step.step.kind,
        step=step.step.index,
        names=("dropout",),
        remedy=_of_module(index, op),
    )


def _of_module(index: Index, op: Op) -> Remedy | None:
    """The mode of the module in whose method the dropout is called."""
    if op.site is None or not speaks_torch(index) or not op.site.function.endswith(".forward"):
        return None
    told = remedy("hand the mode over", Edit("argument", op.site, "self.training", (spelled(op), "dropout"), keyword="training"))
    return unseen(told)


def _switched_back_missing(index: Index) -> Diagnosis | None:
    """Training mode in an early step, evaluation mode in the last of the same kind."""
    for steps in index.kinds.values():
        first, last = steps[0], steps[-1]
        lost = [name for name, on in last.step.modes.items() if not on and first.step.modes.get(name) and _takes_part(last, name)]
        if lost and len(lost) == sum(1 for on in first.step.modes.values() if on):
            return _about_switch(index, first, last, lost)
    return None


def _takes_part(step: StepIndex, name: str) -> bool:
    """Nothing under it is frozen whole: what is not trained may well be in evaluation mode."""
    below = [p for p in step.step.parameters if p.name.startswith(f"{name}.") or f".{name}." in p.name]
    return not below or any(p.trainable for p in below)


def _about_switch(index: Index, first: StepIndex, last: StepIndex, lost: list[str]) -> Diagnosis:
    switch = _last_switch(index, last)
    site = switch.event.site if switch is not None else None
    backward = next((event.site for event in last.events("backward") if event.site), None)
    return Diagnosis(
        "WG413",
        "wrong-mode",
        "warning",
        "proved",
        f"training goes on in evaluation mode: {plural(len(lost), 'module')} switched and not switched back",
        site=site or backward,
        label="switches to evaluation mode, and nothing switches back" if site else "the gradient is calculated in evaluation mode",
        related=places((backward if site else None, "the gradient is calculated in evaluation mode here")),
        evidence=(
            Evidence(
                f"{listed(lost)} in training mode in step {first.step.index}, in evaluation mode in step {last.step.index}",
                "modules",
                len(lost),
            ),
        ),
        help=idiom(index, "training mode"),
        remedy=_back(site, backward),
        kind=last.step.kind,
        step=last.step.index,
        names=tuple(lost),
    )


def _last_switch(index: Index, step: StepIndex) -> Moment | None:
    """The last switch to evaluation mode before a step's end, as far as one was recorded."""
    found = [m for m in index.once(timeline) if m.event.kind == "eval" and m.step.step.index <= step.step.index]
    return found[-1] if found else None


def _from_the_start(index: Index) -> Diagnosis | None:
    """A model switched as a whole before training, whose normalisation then trains on statistics that stand still."""
    before = [m for m in index.once(timeline) if m.event.kind in SWITCHES and index.steps and m.step is index.steps[0]]
    whole = [m for m in before if not _is_normalisation(str(m.event.attributes.get("class", "")))]
    if not whole or whole[-1].event.kind != "eval":
        return None
    frozen = [found for step in index.steps if step.step.differentiated for found in _still(step)]
    trained = [s for s in index.steps if s.step.differentiated and s.step.updated]
    if not frozen or any(not list(_still(step)) for step in trained) or any(_moving(step) for step in trained):
        return None
    # timid: whether weights were loaded is not known of JAX's; statistics that are not as they were made come from somewhere
    if speaks(index, "jax") and not all(as_made(step, op) for step in index.steps[:1] for op, _ in _still(step)):
        return None
    return _about_start(index, whole[-1], frozen)


def _asked_for(index: Index) -> Diagnosis | None:
    """Normalisation that is told at each call to use running statistics, which still hold what they were made with."""
    trained = [s for s in index.steps if s.step.differentiated and s.step.updated]
    fresh = [[(op, p) for op, p in _still(step) if as_made(step, op)] for step in trained]
    # timid: statistics that hold anything else were trained or loaded, and may be kept on purpose
    if not fresh or not all(fresh) or any(_moving(step) for step in trained):
        return None
    return _about_call(index, trained[0], fresh[0])


def _about_call(index: Index, step: StepIndex, still: list[tuple[Op, Parameter]]) -> Diagnosis:
    op = still[0][0]
    # a function of the program's own around the model may have the name of a forward: what asks for the mode is the line
    called = op.site if op.site is not None and _ASKED.search(op.site.text) else model_called(op.site)
    decided = mode_asked_at(index, op.outputs)
    if called is not None and decided is not None and called.line_of_code == decided.line_of_code:
        decided = None
    layers = list(dict.fromkeys(op.module or p.name for op, p in still))
    return Diagnosis(
        "WG413",
        "wrong-mode",
        "warning",
        "proved",
        f"the model trains in evaluation mode: {plural(len(layers), 'normalisation layer')} {'runs' if len(layers) == 1 else 'run'} on statistics that never move",
        site=decided or called,
        label="decides for evaluation mode" if decided else "the forward of a training step, in evaluation mode",
        related=places(
            (called if decided else None, "the forward of a training step, in evaluation mode"),
            (
                op.site
                if called is not op.site and (decided is None or op.site is None or op.site.line_of_code != decided.line_of_code)
                else None,
                "the layer is called here",
            ),
        ),
        evidence=(
            Evidence(
                f"{listed(layers)} {'normalises' if len(layers) == 1 else 'normalise'} by running statistics that are still 0 and 1, as they were made",
                "layers",
                len(layers),
            ),
            *_handed_on(index),
        ),
        explains=_unnormalised(index),
        help=idiom(index, "training mode"),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(layers),
        remedy=_told(index, called) or _turned(decided),
    )


def _is_normalisation(name: str) -> bool:
    return "Norm" in name


def _still(step: StepIndex) -> Iterator[tuple[Op, Parameter]]:
    """Batch normalisation on running statistics, in a part of the forward that learns, with parameters of its own that are trained from scratch."""
    known = {p.value: p for p in step.step.parameters}
    for op in step.graph.ops:
        if op.kind == "batch_norm" and op.attributes.get("training") is False and not step.shapes_loss.isdisjoint(op.outputs):
            own = [known[name] for name in op.inputs if name in known]
            # timid: statistics that were loaded with the weights are commonly kept
            yield from ((op, p) for p in own[:1] if p.trainable and p.optimizer and not p.loaded and not p.library)


def _moving(step: StepIndex) -> bool:
    """Some normalisation of the same step runs on the batch's own statistics."""
    return any(op.kind == "batch_norm" and op.attributes.get("training") for op in step.graph.ops)


LARGE = 30.0
"""
Size of what such a layer hands on from which it explains that a run fails: a net of two layers, SGD at 0.01 with momentum, got 98 % right on inputs of size 1 and 3, 95 % at 10,
81 % at 30 and 36 % at 1,000.
"""


def _let_through(step: StepIndex) -> Iterator[tuple[Op, float]]:
    """What normalises on running statistics, and hands on numbers far from size 1."""
    for op, _ in _still(step):
        size = scale_of(step.value(op.output))
        if size is not None and size >= LARGE:
            yield op, size


def _unnormalised(index: Index) -> frozenset[Fact]:
    """What follows: a loss that fails, and numbers behind such a layer that are not finite."""
    found = [(step, op) for step in index.steps if step.step.differentiated for op, _ in _let_through(step)]
    facts = {Fact(what, str(step.step.kind)) for step, _ in found for what in ("stands", "diverges")}
    # by the batch's own statistics, nothing behind the layer would see how large what goes into it is
    facts |= {Fact("odd-scale", name) for step, op in found for name in (*step.upstream(op.inputs[0]), step.origin(op.inputs[0]))}
    born = origin(index)
    if found and born is not None and born.op is not None and born.birth.stage in ("forward", "backward"):
        behind = born.step.downstream(tuple(name for op, _ in _let_through(born.step) for name in op.outputs))
        facts |= {Fact("non-finite", name) for name in born.op.outputs if name in behind}
    return frozenset(facts)


def _handed_on(index: Index) -> Iterator[Evidence]:
    """How large what the first such layer lets through is."""
    for op, size in list(_let_through(index.steps[0]))[:1]:
        told = (
            f"`{op.module or 'the first'}` hands on numbers of size {figure(size)}: by the statistics of the batch they would be of size 1"
        )
        yield Evidence(told, "size", size)


def _about_start(index: Index, switch: Moment, frozen: list[tuple[Op, Parameter]]) -> Diagnosis:
    modules = list(dict.fromkeys(op.module or parameter.name.rsplit(".", 1)[0] for op, parameter in frozen))
    called: Site | None = frozen[0][0].site
    return Diagnosis(
        "WG413",
        "wrong-mode",
        "warning",
        "proved",
        f"the model trains in evaluation mode: {plural(len(modules), 'normalisation layer')} {'runs' if len(modules) == 1 else 'run'} on statistics that never move",
        site=switch.event.site or called,
        label="switches to evaluation mode before training",
        related=places((called, "the forward of a training step, in evaluation mode")),
        evidence=(
            Evidence(
                f"in each recorded step {listed(modules)} ran on running statistics, while {'its' if len(modules) == 1 else 'their'} scale and shift were trained",
                "layers",
                len(modules),
            ),
            *_handed_on(index),
        ),
        explains=_unnormalised(index),
        help=idiom(index, "training mode first"),
        remedy=_instead(index, switch.event.site, backward_site(switch.step)),
        kind=switch.step.step.kind,
        step=switch.step.step.index,
        names=tuple(modules),
    )


_ASKED = re.compile(
    r"\b((?:is_)?train(?:ing)?(?=\s*=\s*F)|(?:deterministic|use_running_average|inference)(?=\s*=\s*T))\s*=\s*(False|True)\b"
)
"""How a call asks for evaluation mode."""
_EVAL = re.compile(r"^\s*([A-Za-z_][\w.]*)\.eval\(\)")


def _switched(site: Site | None) -> str:
    """What the line switches to evaluation mode."""
    found = _EVAL.match(site.text) if site is not None else None
    return found[1] if found else ""


def _back(site: Site | None, backward: Site | None) -> Remedy | None:
    """Training mode at the start of each step."""
    name = _switched(site)
    if not name or backward is None:
        return None
    # where the switch stands the name is known, which it may not be within the step
    backward = next((p for p in backward.with_callers if site and (p.file, p.function) == (site.file, site.function)), backward)
    return remedy("switch back to training mode", Edit("insert", backward, f"{name}.train()", after=False, around="body"))


def _instead(index: Index, site: Site | None, backward: Site | None) -> Remedy | None:
    """Training mode in the place of evaluation mode; where the switch is a part of an expression, this without it. An evaluation's own switch stays: the steps switch back."""
    name = _switched(site)
    if site is not None and backward is not None and _evaluates(index, site, backward):
        return _back(site, backward)
    changes = "normalisation takes the batch's own statistics, and dropout drops"
    if site is not None and not name and ".eval()" in site.text:
        return remedy("train in training mode", Edit("unwrap", site, calls=("eval",)), changes=changes)
    return remedy("train in training mode", Edit("callee", site, f"{name}.train", ("eval",)), changes=changes) if name and site else None


def _evaluates(index: Index, site: Site, backward: Site) -> bool:
    """A function that does not train switches a model that an optimizer has already: what makes or loads a model comes before that."""
    evaluated, trains = index.record.evaluated, {(place.file, place.function) for place in backward.with_callers}
    return evaluated is not None and evaluated.line_of_code == site.line_of_code and (site.file, site.function) not in trains


def _told(index: Index, site: Site | None) -> Remedy | None:
    """Training mode, where the call of the model asks for the other one, or for none and takes evaluation for what is meant."""
    if site is not None and speaks(index, "tensorflow") and "training" not in site.text and site.column:
        return remedy("call the model in training mode", Edit("argument", site, "True", keyword="training", around="once"))
    asked = _ASKED.search(site.text) if site is not None else None
    if site is None or asked is None:
        return None
    return remedy(
        "call the model in training mode", Edit("wrap", site, "True" if asked[2] == "False" else "False", keyword=asked[1], around="once")
    )


def _turned(site: Site | None) -> Remedy | None:
    """The other mode, where a literal decides."""
    written = site.text[site.column - 1 : (site.end_column or 0) - 1] if site is not None and site.column else ""
    other = {"True": "False", "False": "True"}.get(written)
    return (
        remedy("call the model in training mode", Edit("replace", site, other, around="once"))
        if site is not None and other is not None
        else None
    )
