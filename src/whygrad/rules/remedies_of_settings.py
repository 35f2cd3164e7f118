"""Edits of a number or a setting that rules propose: a rate, an epsilon, a layer's size, where an object is made."""

import re
from dataclasses import replace
from math import isclose

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index
from whygrad.flow.origins import set_at
from whygrad.idioms.spellings import spelling
from whygrad.ir import Intervention, Optimizer, Site
from whygrad.rules.remedies import remedy, setting


def rated(index: Index, optimizer: Optimizer, factor: float, proof: Intervention | None) -> Remedy | None:
    """The rate that the optimizer is made with, times a factor."""
    rate = optimizer.groups[0].rate if optimizer.groups else None
    if not rate or optimizer.site is None or len({group.rate for group in optimizer.groups}) > 1:
        return None
    number = f"{rate * factor:.1g}"
    told = told_rate(index, optimizer, number, made_as(optimizer))
    return remedy(
        f"give a rate of {number}",
        literal_rate(index, optimizer, number) or told,
        otherwise=(told,),
        changes=f"{number} is a rate that a few updates on copies were better at, not one that was tuned"
        if proof
        else f"{number} was not tuned",
        proof=proof,
    )


def literal_rate(index: Index, optimizer: Optimizer, number: str) -> Edit | None:
    """Another rate where it is written out: a constant, an entry of a dict, a default; None where the call itself has the number."""
    group = optimizer.groups[0] if optimizer.groups else None
    begun = group.settings.get("initial_lr", group.rate) if group is not None else None
    return in_place_of(set_at(index, optimizer, "lr"), begun, number)


_NUMBER = re.compile(r"(?<![\w.])-?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
ROUNDED = 1e-6
"""Share by which a number may differ from what the source says, since frameworks keep settings in single precision."""


def in_place_of(site: Site | None, value: object, number: str) -> Edit | None:
    """Another number in the place of the only one of this value on a line."""
    if site is None or not isinstance(value, int | float):
        return None
    alike = [found for found in _NUMBER.finditer(site.text.partition("#")[0]) if isclose(float(found[0]), value, rel_tol=ROUNDED)]
    if len(alike) != 1:
        return None
    at = replace(site, column=alike[0].start() + 1, end_column=alike[0].end() + 1, end_line=site.line)
    return Edit("replace", at, number)


def unit_rate(index: Index, optimizer: Optimizer) -> Remedy | None:
    """A rate of 1 for the optimizer, whose schedule gives the rate itself."""
    told = told_rate(index, optimizer, "1.0", made_as(optimizer))
    return remedy("make the optimizer with a rate of 1.0, which the schedule multiplies", told)


LENGTHS = {
    "PolynomialDecay": ("decay_steps", 1),
    "CosineDecay": ("decay_steps", 1),
    "cosine_decay_schedule": ("decay_steps", 1),
    "linear_schedule": ("transition_steps", 2),
    "polynomial_schedule": ("transition_steps", 3),
    "warmup_cosine_decay_schedule": ("decay_steps", 3),
    "linear_onecycle_schedule": ("transition_steps", 0),
    "cosine_onecycle_schedule": ("transition_steps", 0),
}
"""Schedules of Keras and optax that end, and the argument that says after how many updates."""
PEAKS = {
    "OneCycleLR": ("max_lr", 1),
    "CyclicLR": ("max_lr", 2),
    "warmup_cosine_decay_schedule": ("peak_value", 1),
    "warmup_exponential_decay_schedule": ("peak_value", 1),
    "warmup_constant_schedule": ("peak_value", 1),
    "linear_onecycle_schedule": ("peak_value", 1),
    "cosine_onecycle_schedule": ("peak_value", 1),
}
"""Schedules that rise, and the argument that says how far."""


def lengthened(site: Site | None, ended: int, updates: int) -> Remedy | None:
    """A schedule that was over after `ended` of all updates, as many times as long as these are many."""
    name = next((name for name in LENGTHS if site is not None and f"{name}(" in site.text), "")
    times = -(-updates // ended) if ended > 0 else 0
    if site is None or not name or times < TWICE:
        return None
    word, place = LENGTHS[name]
    return remedy(
        f"let the schedule last {times} times as long",
        Edit("wrap", site, f"{{x}} * {times}", (name,), word, place),
        changes="the rate falls over as many updates as this run makes",
    )


TWICE = 2


def lowered(site: Site | None, rate: float) -> Remedy | None:
    """The peak of a schedule at the rate at which the loss was lowest."""
    name = next((name for name in PEAKS if site is not None and f"{name}(" in site.text), "")
    word, place = PEAKS.get(name, ("", None))
    number = f"{rate:.1g}"
    told = setting(site, word, number, calls=(name,), position=place) if name else None
    return remedy(
        f"let the rate rise to {number}", told, changes=f"{number} is the rate at which the loss was lowest, not one that was tuned"
    )


def told_rate(index: Index, optimizer: Optimizer, number: str, calls: tuple[str, ...]) -> Edit | None:
    """The rate in the call that makes the optimizer; those of PyTorch are given the parameters first, those of Keras on PyTorch are Keras'."""
    written = optimizer.site is not None and "learning_rate" in optimizer.site.text
    word = "learning_rate" if written else spelling(index, "rate", data=True)
    return setting(optimizer.site, word, number, calls=calls, position=1 if word == "lr" else 0)


def made_as(optimizer: Optimizer) -> tuple[str, ...]:
    """What the optimizer's class or function may be called where it is made."""
    name = optimizer.native.rsplit(".", 1)[-1]
    return tuple(dict.fromkeys((name, name.lower())))


_KEPT = re.compile(r"\s*[A-Za-z_]\w*\s*=[^=]")


def made_once(site: Site | None, what: str) -> Remedy | None:
    """The statement that makes something, before the outermost loop that it stands in; in a function that a loop calls, before that loop or with its object."""
    # a function that returns what it makes is called where it is kept
    kept = next((place for place in site.with_callers if _KEPT.match(place.text)), site) if site is not None else None
    return remedy(
        f"make {what} once, before the loop",
        Edit("move", kept, to=kept, after=False, around="loop") if kept else None,
        otherwise=(Edit("hoist", kept),) if kept else (),
    )


def begun_once(site: Site | None) -> Remedy | None:
    """A state that each step hands on, before the outermost loop that it stands in; a function of its own would have to return it."""
    return remedy("begin the state once, before the loop", Edit("move", site, to=site, after=False, around="loop") if site else None)


OTHER_SIZE = "the model has another number of outputs, which whatever reads them must expect"


def sized(site: Site | None, old: int, new: int) -> Remedy | None:
    """Another number of outputs, where the number is written out once on the line."""
    found = list(re.finditer(rf"(?<![\w.]){old}(?![\w.])", site.text)) if site is not None else []
    if site is None or len(found) != 1:
        return None
    at = replace(site, column=found[0].start() + 1, end_column=found[0].end() + 1, end_line=site.line)
    return remedy(
        f"give the last layer {new} outputs",
        Edit("replace", at, str(new)),
        changes=OTHER_SIZE,
    )


TOLD_FIRST = {
    "in_features": ("Linear", "LinearGeneral"),
    "in_channels": ("Conv1d", "Conv2d", "Conv3d"),
    "input_size": ("LSTM", "GRU", "RNN"),
}
"""Layers that are told first how many inputs they get, by what the argument is called."""


def fed(site: Site, size: int, due: int) -> Remedy | None:
    """The layer made for as many as it gets: the number that is written out once on its line, or the argument of a layer that is told its inputs first."""
    numbers = list(re.finditer(rf"(?<![\w.]){due}(?![\w.])", site.text))
    at = replace(site, column=numbers[0].start() + 1, end_column=numbers[0].end() + 1, end_line=site.line) if len(numbers) == 1 else None
    # on a line that makes a layer, none of another kind is looked for near it
    named = {word: names for word, names in TOLD_FIRST.items() if any(f"{name}(" in site.text for name in names)}
    first = [setting(site, keyword, str(size), calls=names, position=0) for keyword, names in (named or TOLD_FIRST).items()]
    changes = "the layer is made for what comes in, whatever that should have been"
    edits = [Edit("replace", at, str(size))] if at else first[:1]
    return remedy(f"make the layer for {size:,}", *edits, otherwise=first[1:], changes=changes)


def with_rows(index: Index, site: Site | None, rows: int) -> Remedy | None:
    """An embedding with a row for every id that it was given."""
    keyword = "input_dim" if spelling(index, "axis") == "axis" and site is not None and "input_dim" in site.text else "num_embeddings"
    told = setting(site, keyword, str(rows), calls=("Embedding", "EmbeddingBag", "Embed"), position=0)
    return remedy(
        f"give the table {rows:,} rows", told, changes="each id that comes has a row of its own, whether it should have one or not"
    )


_EXAMPLE = re.compile(r"\b(?:zeros|ones|empty|normal|uniform)\([^()]*\([^()]*,\s*([\w.]+)\s*\)")
"""An array made up for an initialisation, with the size of its last axis."""


def begun_for(site: Site | None, size: int) -> Remedy | None:
    """Weights initialised for what comes in, where an array is made up for that."""
    found = _EXAMPLE.search(site.text) if site is not None else None
    if site is None or found is None:
        return None
    at = replace(site, column=found.start(1) + 1, end_column=found.end(1) + 1, end_line=site.line)
    return remedy(
        f"initialise the weights for {size:,}",
        Edit("replace", at, str(size)),
        changes="the layer is made for what comes in, whatever that should have been",
    )
