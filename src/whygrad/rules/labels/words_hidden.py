"""Masks of padding the wrong way round: an attention that looks at the padding alone, and labels of which the padding alone counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Related, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.idioms import speaks_torch
from whygrad.ir import Op, Site, Value, family
from whygrad.loss_contracts import target_of
from whygrad.rules.loss.calls import BY_IDS, INTEGERS
from whygrad.rules.phrases import percent, places, typed
from whygrad.rules.remedies import turned_round

STEPS = 2
"""Recorded steps that must agree: in one the words may be as many as the padding by chance."""
_EXACT = 1e-9
_HALF = 0.5
_VARIED = 3
"""Different ids from which a tensor holds words and not marks of one kind."""
_HIDES = -1e3
"""What is added to scores to hide a position is this or less."""
_PICKED = ("layout", "cast", "select")
_MASKS = 3
"""Behind the queries, keys and values."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A mask, or labels, that keep exactly as many positions as the ids are 0."""

    step: StepIndex
    op: Op
    """The attention, or the loss."""
    mask: Value
    ids: Value
    kept: float


def words_hidden(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis for each kind of step and each of the two forms, where all of its recorded steps show it."""
    for steps in index.kinds.values():
        learning = [step for step in steps if step.losses]
        for find, say in ((_attended, _of_attention), (_counted, _of_labels)):
            found = [next(find(step), None) for step in learning]
            told = [one for one in found if one is not None]
            if len(told) == len(found) >= STEPS and _unlike_rows(told):
                yield say(index, told)


def _unlike_rows(found: list[Turned]) -> bool:
    """Rows end in more or less of it, as padding does: timid of marks that stand as often in every row."""
    in_each_row = (one.kept * (one.ids.shape or (0,))[-1] for one in found)
    return len({one.kept for one in found}) > 1 or any(abs(count - round(count)) > _EXACT for count in in_each_row)


def _words(step: StepIndex) -> Iterator[Value]:
    """What embeddings read: whole numbers by rows and positions, of which some are 0."""
    for op in step.of("embedding"):
        for name in op.inputs:
            ids = _rows(step, name)
            figures = ids.statistics
            known = figures is not None and not figures.sampled and figures.zeros is not None and (figures.distinct or 0) >= _VARIED
            if ids.dtype in INTEGERS and len(ids.shape or ()) == 2 and known:  # noqa: PLR2004 - rows and positions
                yield ids


def _attended(step: StepIndex) -> Iterator[Turned]:
    """Attentions whose mask leaves open exactly as many positions as the ids are 0."""
    masks = [(op, mask, kept) for op, mask, keeps in _masks(step) if (kept := keeps(mask)) is not None]
    for ids in _words(step) if masks else ():
        rows, positions = ids.shape or (0, 0)
        zeros = ids.statistics.zeros if ids.statistics is not None else None
        for op, mask, kept in masks:
            shape = mask.shape or ()
            fits = len(shape) > 1 and (shape[0], shape[-1]) == (rows, positions)
            if fits and zeros is not None and abs(zeros - kept) < _EXACT and abs(kept - _HALF) > _EXACT:
                yield Turned(step, op, mask, ids, kept)


def _masks(step: StepIndex) -> Iterator[tuple[Op, Value, Callable[[Value], float | None]]]:
    """Masks of the library's attentions, and of scores that a softmax reads: each with what tells the share that it leaves open."""
    for op in step.of("attention"):
        given = (step.value(name) for name in op.inputs[_MASKS:] if name not in step.depends_on_parameters)
        yield from ((op, mask, _set if mask.dtype == "bool" else _added) for mask in given)
    for op in step.of("softmax"):
        made = step.producer.get(step.origin(op.inputs[0], ("cast",))) if op.inputs else None
        if made is not None and made[1].kind in ("where", "add"):
            yield from ((made[1], step.value(name), keeps) for name, keeps in _hiding(step, made[1]))


def _hiding(step: StepIndex, op: Op) -> Iterator[tuple[str, Callable[[Value], float | None]]]:
    """What hides positions of the scores: the condition of a fill, or numbers far below 0 that are added."""
    for name in op.inputs:
        if name in step.depends_on_parameters:
            continue
        if op.kind == "add":
            yield name, _added
        elif step.value(name).dtype == "bool":
            yield name, _clear if "masked_fill" in op.native else _set


def _set(mask: Value) -> float | None:
    figures = mask.statistics
    return None if figures is None or figures.sampled or figures.zeros is None else 1 - figures.zeros


def _clear(mask: Value) -> float | None:
    figures = mask.statistics
    return None if figures is None or figures.sampled else figures.zeros


def _added(mask: Value) -> float | None:
    """Of numbers that are added: 0 leaves a position open, and infinity or a number far below 0 hides it."""
    figures = mask.statistics
    if figures is None or figures.sampled or figures.zeros is None or figures.maximum != 0:
        return None
    return figures.zeros if figures.finite < 1 or (figures.minimum is not None and figures.minimum <= _HIDES) else None


def _counted(step: StepIndex) -> Iterator[Turned]:
    """Losses on ids of which one id alone counts, 0, in exactly as many positions as the ids that an embedding reads are 0."""
    for op in step.loss_ops():
        ignored, target = op.attributes.get("ignore_index"), target_of(op)
        if op.kind not in BY_IDS or target is None or not isinstance(ignored, int) or ignored >= 0:
            continue
        labels = _rows(step, target)
        figures = labels.statistics
        if figures is None or figures.sampled or figures.distinct != 2 or (figures.minimum, figures.maximum) != (ignored, 0):  # noqa: PLR2004 - the ignored id and 0
            continue
        for ids in _words(step):
            alike = ids.name != labels.name and ids.shape == labels.shape and ids.statistics is not None
            if alike and ids.statistics is not None and ids.statistics.zeros == figures.zeros:
                yield Turned(step, op, labels, ids, figures.zeros or 0.0)


def _rows(step: StepIndex, name: str) -> Value:
    """By rows and positions, the nearest that was looked at; labels before they were shifted by padding one end."""
    value = step.value(name)
    while not (value.statistics is not None and len(value.shape or ()) == 2) and value.name in step.producer:  # noqa: PLR2004 - rows and positions
        op = step.producer[value.name][1]
        if family(op.kind) not in _PICKED or not op.inputs:
            break
        value = step.value(op.inputs[0])
    return value


def _told_apart(step: StepIndex, name: str) -> Op | None:
    """The comparison that a mask was made by."""
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind == "compare" or not op.inputs:
            return op if op.inputs else None
        marks = (given for given in op.inputs if step.value(given).dtype == "bool")
        name = next(marks, op.inputs[0])
    return None


def _shares(found: list[Turned]) -> str:
    return " and ".join(percent(one.kept, 1) for one in found)


def _of_attention(index: Index, found: list[Turned]) -> Diagnosis:
    """What is said of an attention, where its mask was made, else where it is used."""
    first = found[0]
    made = _told_apart(first.step, first.mask.name)
    site, marks = (made.site, first.step.value(made.output)) if made is not None and made.site is not None else (None, first.mask)
    alone = made is not None and len(first.step.consumers.get(made.output, ())) == 1
    return _said(
        first,
        f"the attention reads the padding alone: its mask hides every word of `{first.ids.shown}`",
        (site or first.op.site, f"`{marks.shown}` is the wrong way round here" if site else "the mask is used here"),
        places((first.op.site if site else None, "the attention is given it here")),
        f"in {len(found)} recorded steps the mask leaves {_shares(found)} of the positions open: exactly the shares of 0 in {typed(first.ids)}",
        "turn the mask round"
        + (
            ": True in `key_padding_mask` hides a position, and True in the `attn_mask` of `scaled_dot_product_attention` lets it be read"
            if speaks_torch(index)
            else ": True lets a position be read"
        ),
        turned_round(index, site, marks) if alone and marks.dtype == "bool" else None,
    )


def _of_labels(index: Index, found: list[Turned]) -> Diagnosis:
    """What is said of labels, where they were made."""
    first = found[0]
    written = first.step.producer.get(first.mask.name)
    filled = written is not None and written[1].kind in ("write", "where", "scatter")
    site = (written[1].site if written is not None and filled else None) or making_site(index, first.step, first.mask.name)
    return _said(
        first,
        f"only the padding counts in the loss: the label of every word of `{first.ids.shown}` is ignored",
        (site or first.op.site, "what is ignored is decided here" if site else "the loss is called here"),
        (),
        f"all labels but {first.op.attributes.get('ignore_index')}, which is ignored, are 0: in {len(found)} recorded steps {_shares(found)} of `{first.mask.shown}`, exactly the shares of 0 in {typed(first.ids)}",
        "ignore the labels where the padding is, and keep those of the words",
    )


def _said(
    found: Turned,
    message: str,
    at: tuple[Site | None, str],
    related: tuple[Related, ...],
    measured: str,
    help: str,
    remedy: Remedy | None = None,
) -> Diagnosis:
    kind = str(found.step.step.kind)
    return Diagnosis(
        rule="WG112",
        name="padding-used",
        severity="warning",
        confidence="suspected",
        message=message,
        site=at[0],
        label=at[1],
        related=related,
        evidence=(Evidence(measured, "padding", found.kept),),
        help=help,
        facts=frozenset({Fact("odd-input", found.mask.name)}),
        explains=frozenset({Fact("stands", kind), Fact("insensitive", kind)}),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=(found.mask.shown, found.ids.shown),
        remedy=remedy,
    )
