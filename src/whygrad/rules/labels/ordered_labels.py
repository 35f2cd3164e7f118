"""WG109: every batch holds one class."""

import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import handed_out
from whygrad.flow.written import losses_of
from whygrad.idioms import idiom, speaks
from whygrad.ir import Batches, Site, Value
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.labels.constant_labels import made_here, only_entry
from whygrad.rules.phrases import distinct, figure, places, plural
from whygrad.rules.remedies import GIVEN, remedy, setting

ROWS = 8
"""Labels of a batch: eight of a class that has at most half of all are all the same with probability 0.5 ** 8, below 1 %."""
MOST = 0.5
"""Share of the loader's batches that must hold one class: sorted data have a mixed one at each border."""
_CLASSIFIES = frozenset(("cross_entropy", "nll_loss", "bce_with_logits", "binary_cross_entropy", "hinge_loss"))


@rule("WG109", "ordered-labels", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Every batch holds a single class: the data are sorted by class, and not shuffled.

    ## What it finds
    Batches of which each has one label throughout, but not all the same one: folders read in order without `shuffle=True`, a sampler that
    groups by class, slices of a sorted table.

    ## Why it matters
    Each update learns "everything is this class" and forgets the last one. The loss of a batch falls to nothing and jumps up at the next
    class; batch normalisation sees statistics of one class at a time.

    ## When it is fine
    A rare class may be missing from many batches; so the rule asks for batches of one class with at least two different classes among them:
    eight labels of the rarer one are all the same by luck in fewer than one batch of 200. Regression is left alone.

    ## How sure
    Proved for what the data loader handed out; where the program cuts its batches itself, suspected from the recorded steps.

    ## References
    `torch.utils.data.DataLoader` (`shuffle=True`); `tf.data.Dataset.shuffle`; `whygrad explain WG103` (one label for all).
    """
    yield from distinct(found for steps in index.kinds.values() for found in judged(index, steps))


def judged(index: Index, steps: tuple[StepIndex, ...]) -> Iterator[Diagnosis]:
    """What the loader's batches show, else the recorded steps."""
    for step in steps:
        for name in classified(index, step):
            batches = handed_out(index, step, name)
            if batches is not None and (step.value(name).shape or (0,))[0] >= ROWS and sorted_batches(batches):
                yield of_loader(index, step, step.value(name), batches)
                return
    labels = [(step, name) for step in steps for name in classified(index, step)]
    # timid: calls at different places that are given one class each are meant so, as the real and the made of an adversary
    if len({(e.site.file, e.site.line) for step, _ in labels for e in step.events("batch") if e.site}) > 1:
        return
    # timid: so are several losses of one step that are each told another class
    if any(len({only_entry(step.value(name)) for name in classified(index, step)}) > 1 for step in steps):
        return
    levels = [only_entry(step.value(name)) for step, name in labels]
    enough = all((step.value(name).shape or (0,))[0] >= ROWS for step, name in labels)
    if enough and None not in levels and len(set(levels)) > 1 and not any(handed_out(index, *pair) for pair in labels):
        yield of_steps(index, labels[0][0], labels[0][0].value(labels[0][1]), [level for level in levels if level is not None])


def classified(index: Index, step: StepIndex) -> Iterator[str]:
    """Labels that a loss on classes compares with, called or written out, and that the program did not fill with a constant itself."""
    for op in losses_of(index, step):
        target = target_of(op)
        if op.kind in _CLASSIFIES and target is not None and not op.failed and target in step.from_labels and not made_here(step, target):
            yield target


def sorted_batches(batches: Batches) -> bool:
    """Most batches hold one class, and it is not the same one in all."""
    return batches.constant_levels > 1 and batches.constant_batches >= max(2, MOST * batches.seen)


def of_loader(index: Index, step: StepIndex, value: Value, batches: Batches) -> Diagnosis:
    """What is said of a loader."""
    loop = next((event.site for event in step.events("batch") if event.site), None)
    many = f"{batches.constant_batches} of {plural(batches.seen, 'batch')}"
    help_ = idiom(index, "shuffle")
    found = _diagnosis(
        index,
        step,
        value,
        "proved",
        batches.order_site or batches.site or loop,
        f"{many} hold one class each, {batches.constant_levels} different ones",
        help_,
        loop,
    )
    changes = "the order that the sampler gave is lost" if batches.order_site else ""
    return replace(found, remedy=remedy("shuffle the examples", _shuffled(index, value, batches), changes=changes))


_IN_ORDER = re.compile(r"\s*return iter\(\w+\)\s*(#.*)?")
"""The end of a sampler that has put rows into a list."""


def _shuffled(index: Index, value: Value, batches: Batches) -> Edit | None:
    """A loader that shuffles; a data set of TensorFlow's is shuffled before it is cut into batches, with room for all rows."""
    own = batches.order_site
    if own is not None and speaks(index, "torch") and _IN_ORDER.fullmatch(own.text):
        mixed = "[{x}[i] for i in torch.randperm(len({x})).tolist()]"
        return Edit("wrap", own, mixed, ("iter",), position=0)
    if own is not None or batches.site is None:
        return None
    if not speaks(index, "tensorflow"):
        return setting(batches.site, "shuffle", "True", calls=("DataLoader",))
    rows = batches.seen * (value.shape or (1,))[0]
    return Edit("wrap", batches.site, f"{{x}}.shuffle({rows})", ("batch",), position=GIVEN)


def of_steps(index: Index, step: StepIndex, value: Value, levels: list[float]) -> Diagnosis:
    """What is said of the recorded steps."""
    seen = ", ".join(figure(level) for level in levels)
    made = step.producer.get(step.origin(value.name))
    return _diagnosis(
        index, step, value, "suspected", made[1].site if made else None, f"all labels of a step are the same: {seen}, step by step",
        f"shuffle the examples once an epoch: {idiom(index, 'permute both')}", None,
    )  # fmt: skip


def _diagnosis(
    index: Index, step: StepIndex, value: Value, sure: str, site: Site | None, statement: str, help_: str, loop: Site | None
) -> Diagnosis:
    loss = next((op.site for op in losses_of(index, step)), None)
    return Diagnosis(
        rule="WG109",
        name="ordered-labels",
        severity="warning",
        confidence="proved" if sure == "proved" else "suspected",
        message=f"every batch holds one class: `{value.shown}` is the same throughout a batch and changes from batch to batch",
        site=site or loss,
        label="gives batches of one class",
        related=places((loop if site is not loop else None, "the batches come from here")),
        evidence=(Evidence(statement, "batches"),),
        help=help_,
        facts=frozenset({Fact("constant", value.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
    )
