"""Edits that several rules propose: from ops and values of the record to the places in the source where they are written."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.instances import is_shared
from whygrad.flow.makers import edited_at
from whygrad.idioms import spelled
from whygrad.idioms.spellings import spelling
from whygrad.ir import Intervention, Op, Site, Value, family
from whygrad.loss_contracts import CONTRACTS

ACTIVATIONS = {
    "softmax": ("softmax", "Softmax", "Softmax2d", "Activation"),
    "log_softmax": ("log_softmax", "LogSoftmax", "Activation"),
    "sigmoid": ("sigmoid", "Sigmoid", "Activation", "expit"),
    "logsigmoid": ("logsigmoid", "LogSigmoid", "log_sigmoid"),
    "relu": ("relu", "ReLU", "relu_", "Activation"),
    "tanh": ("tanh", "Tanh", "tanh_", "Activation"),
    "gumbel_softmax": ("gumbel_softmax",),
}
"""What functions, methods and layers for a kind of op are called, in all frameworks."""

SHORT = {"mean_squared_error": "mse", "mean_absolute_error": "mae", "binary_crossentropy": "bce", "kl_divergence": "kld"}
"""Other names that Keras has for its losses."""

TRAINING = re.compile(r"\.(fit|train_on_batch)\(")
"""A line that hands the labels to Keras' own loop, as its second argument."""
GIVEN = -2
"""As the position of an edit: what the call was given, the tensor of a method or the first argument of a function."""


def remedy(
    summary: str, *edits: Edit | None, otherwise: Iterable[Edit | None] = (), changes: str = "", proof: Intervention | None = None
) -> Remedy | None:
    """The remedy of these edits, unsafe where it says what else changes; None where one of them has no place."""
    first, second = tuple(edit for edit in edits if edit is not None), tuple(edit for edit in otherwise if edit is not None)
    if not first or len(first) < len(edits):
        return Remedy(summary, second, safe=not changes, changes=changes, proof=proof) if second else None
    return Remedy(summary, first, second, not changes, changes, proof)


def unseen(made: Remedy | None) -> Remedy | None:
    """The same, of a fault that the loss of training need not show."""
    return replace(made, beside=True) if made is not None else None


def quotient(site: Site | None) -> Remedy | None:
    """`/` in the place of the only `//` of a line, which cuts fractions off."""
    once = site is not None and site.text.partition("#")[0].count("//") == 1
    return remedy("divide with `/`", Edit("divide", site)) if once and site is not None else None


def without_activation(index: Index, step: StepIndex, op: Op, *, changes: str = "", proof: Intervention | None = None) -> Remedy | None:
    """Leave an activation out: its call, its layer, or the `activation` of the layer that applies it; none on a line that other uses need."""
    if is_shared(step, op):
        return None
    return remedy(
        f"leave out the `{op.kind}`",
        unwrapped(index, step, op),
        otherwise=(setting(edited_at(step, op), "activation"),),
        changes=changes,
        proof=proof,
    )


def unwrapped(index: Index, step: StepIndex, op: Op) -> Edit | None:
    """The op's call, or its layer, left out."""
    if is_shared(step, op):
        return None
    site = edited_at(step, op)
    # a class that is picked from a table has no name where it is made
    names = () if site and _own(site).endswith("]()") else ACTIVATIONS.get(op.kind, (spelled(op),))
    return Edit("unwrap", site, spelling(index, "identity"), names) if site else None


def setting(site: Site | None, keyword: str, text: str = "", *, calls: tuple[str, ...] = (), position: int | None = None) -> Edit | None:
    """A keyword of a call set, or left out; none on a line of a training loop, which takes no setting of a layer, loss or optimizer."""
    if site is None or (TRAINING.search(site.text) and not calls):
        return None
    return Edit("argument", site, text, calls, keyword, position)


def ignoring(op: Op, site: Site | None, text: str = "") -> Edit | None:
    """The id that a loss on ids ignores, set or left out, under the name that the loss has for it."""
    return setting(site, "ignore_class" if op.native.startswith("keras") else "ignore_index", text, calls=names_of(op))


def is_written_out(op: Op) -> bool:
    """A loss of several lines of the program's own: there is no call to edit."""
    return "parts" in op.attributes


def operand(op: Op, value: Value, text: str) -> Edit | None:
    """What an op reads as this value, wrapped where the op is called: the argument of that text, else the one of that number."""
    if op.site is None or value.name not in op.inputs or is_written_out(op):
        return None
    at = op.attributes.get("target")
    is_target = isinstance(at, int) and at < len(op.inputs) and op.inputs[at] == value.name
    if TRAINING.search(op.site.text):
        return Edit("wrap", op.site, text, keyword="y", position=1) if is_target else None
    return Edit(
        "wrap",
        op.site,
        text,
        position=_position(op, value, is_target=is_target),
        written=value.called if op.inputs.count(value.name) == 1 else "",
    )


def _position(op: Op, value: Value, *, is_target: bool) -> int | None:
    """Where the call has it; losses are recorded as prediction and target, and Keras' take the target first."""
    if family(op.kind) == "loss" and op.native.startswith(("keras.", "tf.", "tensorflow.")):
        return 0 if is_target else 1
    at = op.attributes.get("target")
    return at if is_target and isinstance(at, int) else op.inputs.index(value.name)


def called_instead(op: Op, text: str, calls: tuple[str, ...]) -> Edit | None:
    """Another function or class in the place of a loss."""
    return Edit("callee", op.site, text, calls) if op.site and not is_written_out(op) else None


def names_of_loss(spellings: Iterable[str]) -> tuple[str, ...]:
    """Last names of the functions and classes of a loss contract: `mse_loss`, `MSELoss`."""
    return tuple(dict.fromkeys(name.split("(")[0].rsplit(".", 1)[-1] for name in spellings))


def in_front(site: Site | None, text: str) -> Edit | None:
    """A statement before the one at a place."""
    return Edit("insert", site, text, after=False) if site else None


def behind(site: Site | None, text: str) -> Edit | None:
    """A statement after the one at a place."""
    return Edit("insert", site, text) if site else None


CALLED = ("__call__", "forward", "call")
"""Methods that run where their object is called."""


def before_loop(site: Site | None, text: str, name: str) -> Edit | None:
    """A statement in front of the loop that goes on reading what is called so at a place, in the name that it has there."""
    if site is None or not name.isidentifier():
        return None
    # an object that is called can't be followed to its calls by name, but what called it can
    plain = (place for place in site.with_callers if place.function.rpartition(".")[2] not in CALLED)
    named = (place for place in plain if re.search(rf"\b{name}\b", place.text))
    return Edit("insert", next(named, site), text, after=False, around="loop", written=name)


def moved(site: Site | None, to: Site | None, *, after: bool = True) -> Edit | None:
    """A statement after, or before, another of the same file."""
    return Edit("move", site, to=to, after=after) if site and to and site.file == to.file else None


def other_loss(index: Index, op: Op, idea: str) -> Edit | None:
    """A loss of the idioms' table in the place of this one, be it a function, an object made elsewhere, or a name in a string."""
    text = spelling(index, idea)
    if op.native.startswith(("tf.nn.", "tensorflow.nn.")):
        text = {
            "cross-entropy by ids": "tensorflow.nn.sparse_softmax_cross_entropy_with_logits",
            "cross-entropy by rows": "tensorflow.nn.softmax_cross_entropy_with_logits",
        }.get(idea, text)
    return called_instead(op, text, names_of(op))


def names_of(op: Op) -> tuple[str, ...]:
    """What a loss may be called in the source: by its native name, and by all names that its contract knows."""
    contract = CONTRACTS.get(op.kind)
    known = (*contract.torch, *contract.keras) if contract is not None else ()
    names = (spelled(op), *names_of_loss(known))
    snaked = [_snake(name) for name in names]
    return tuple(dict.fromkeys((*names, *snaked, *(SHORT[name] for name in snaked if name in SHORT))))


def _snake(name: str) -> str:
    """`binary_crossentropy` for `BinaryCrossentropy`."""
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name).lstrip("_")


def reshaped(index: Index, op: Op, value: Value, other: Value, written: str) -> Edit | None:
    """The value in the other's shape where an op reads it; by one axis more or less where that is all that differs."""
    have, want = value.shape or (), other.shape or ()
    if have == (*want, 1):
        return operand(op, value, spelling(index, "without axis", axis=-1))
    if want == (*have, 1):
        return operand(op, value, spelling(index, "with axis", axis=-1))
    return operand(op, value, spelling(index, "in shape", shape=f"{written}.shape"))


def guarded(index: Index, op: Op, *, untaken: bool = False, lone: bool = False, step: StepIndex | None = None) -> Remedy | None:
    """What a function reads, kept away from where it has no finite value or slope; None where no single change is sound.

    `untaken`: what it gives is thrown away where it is not finite, so that its input may be anything there, also below 0.
    `lone`: a deviation of a single number, for which dividing by one less than their number is what is wrong. `step`: where its like on the same line are looked for,
    as the logarithms of a probability and of what is left of it: what one of them meets now, the other meets later.
    """
    text = {
        "log": spelling(index, "at least", low="1e-8"),
        "sqrt": spelling(index, "at least", low="1e-12") if untaken else "{x} + 1e-12",
        "div": "({x} + 1e-8)",
        "reciprocal": "{x} + 1e-8",
        "norm": "{x} + 1e-12",
    }.get(op.kind)
    if op.kind == "std":
        return _spread(index, op, lone=lone)
    if spelled(op) in _STEEP and op.site is not None:
        return remedy("keep what goes in off both ends", Edit("wrap", op.site, "{x} * (1 - 1e-6)", (spelled(op),), position=GIVEN))
    if text is None or op.site is None or not op.inputs:
        return None
    names = tuple(dict.fromkeys((spelled(op), op.kind)))
    if op.kind == "div":
        return remedy("add a small number to what is divided by", Edit("wrap", op.site, text, position=1))
    summary = "keep what goes in above 0" if op.kind == "log" or untaken else "add a small number inside"
    sites = [op.site, *(_twins(step, op) if step is not None and op.kind == "log" else ())]
    return remedy(summary, *(Edit("wrap", site, text, names, position=GIVEN) for site in sites))


def _twins(step: StepIndex, op: Op) -> Iterator[Site]:
    """Where the same line takes the logarithm of another share."""
    sites = {other.site: other for other in step.graph.ops if other.kind == op.kind and other.site is not None and other.inputs}
    for site, other in sites.items():
        figures, own = step.value(other.inputs[0]).statistics, op.site
        low, high = (figures.minimum, figures.maximum) if figures is not None else (None, None)
        share = low is not None and high is not None and low >= 0 and high <= 1
        if share and own is not None and (site.file, site.line) == (own.file, own.line) and site.column not in (0, own.column):
            yield site


_STEEP = ("acos", "arccos", "asin", "arcsin", "atanh", "arctanh")
"""Functions of -1 to 1 whose slope has no bound at both ends."""


def _spread(index: Index, op: Op, *, lone: bool) -> Remedy | None:
    """The root of a variance that is kept above 0, for a deviation: its slope has no bound where all entries are alike."""
    names = ("std", "reduce_std", "nanstd")
    if op.site is None:
        return None
    if lone:
        changes = "deviations are divided by the number of entries, not by one less"
        edit = Edit("swap", op.site, spelling(index, "deviation of all"), names)
        return remedy("take the deviation without the correction, which is 0 for one number", edit, changes=changes)
    return remedy("add a small number to the variance before the root", Edit("swap", op.site, spelling(index, "deviation"), names))


def without_largest(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """The largest entry taken off before an exponential whose sum it is divided by, which changes no share."""
    shared = {op.output} & set(step.consumers)
    readers = [reader for name in shared for reader in step.consumers[name]]
    total = next((reader for reader in readers if reader.kind == "sum"), None)
    quotient = any(reader.kind == "div" and reader.inputs[0] == op.output for reader in readers)
    if op.kind != "exp" or op.site is None or total is None or not quotient:
        return None
    axis = total.attributes.get("axis", -1)
    text = spelling(index, "below its largest", axis=axis if isinstance(axis, int) else -1)
    return remedy("subtract the largest entry first", Edit("wrap", op.site, text, ("exp",), position=GIVEN))


class Data(NamedTuple):
    """Where data come from."""

    made: Site | None
    """The line that makes them; None where that was not seen, as of NumPy's arrays."""
    read: Site | None
    called: str
    """What they are called where they are read."""


def standardised(index: Index, data: Iterable[Data], what: str, proof: Intervention, labels: Iterable[Site | None] = ()) -> Remedy | None:
    """Mean 0 and deviation 1, column by column, behind the line that makes the data, and behind those that make labels of them as they are."""
    places, known = list(dict.fromkeys(data)), [site for site in labels if site is not None]
    text = spelling(index, "standardised", data=True)
    edits = [edit for place in places for edit in _scaled(place, known, text)]
    changes = (
        f"new data have to be scaled with the same figures{' and predictions scaled back' if what == 'targets' or len(places) > 1 else ''}"
    )
    return remedy(f"standardise the {what}", *edits, changes=changes, proof=proof)


def _scaled(place: Data, known: list[Site], text: str) -> Iterable[Edit | None]:
    """The statements for one array: of several that a line unpacks, the one of this name, and before it what is held out for tests, by the same figures."""
    if place.made is None:
        return (before_loop(place.read, text, place.called),)
    unpacked = _SEVERAL.match(place.made.text)
    names = re.findall(r"\w+", unpacked[1]) if unpacked is not None else []
    if place.called not in names:
        return (_behind_readers(place.made, known, text, place.called),)
    others = [name for name in names if name in {place.called.replace("train", word) for word in HELD_OUT} - {place.called}]
    held_out = (text.replace("{name}", other, 2).replace("{name}", place.called) for other in others)
    return [behind(place.made, statement) for statement in (*held_out, text.replace("{name}", place.called))]


_SEVERAL = re.compile(r"\s*(\(?\w+\s*,[\w\s,()]*)=[^=]")
"""A line that unpacks several values."""
HELD_OUT = ("test", "val", "valid", "eval", "dev")
"""What stands in a name in the place of `train`, for data that are measured on and not trained on."""

_NAMED = re.compile(
    r"(?:[\w.]*\b(?:asarray|array|tensor|as_tensor|from_numpy|convert_to_tensor|constant)\()?([A-Za-z_]\w*)(\[[^][]*\])?(?:,[^()]*)?\)?"
)
"""A variable, or rows that are picked from it, perhaps made into the framework's own type."""
_ASSIGNED = re.compile(r"(\s*)([A-Za-z_]\w*)\s*=[^=]")


def _behind_readers(site: Site | None, labels: Iterable[Site], text: str, called: str) -> Edit | None:
    """The statement behind the line that makes the data; labels that are reckoned from the same name further down must see it as it was."""
    made = _ASSIGNED.match(site.text) if site is not None else None
    name = _NAMED.fullmatch(_own(site)) if site is not None else None
    if site is not None and name is not None and (made is None or _only_read(site, made, called)):
        return before_loop(site, text, name[1])
    if site is None or made is None:
        return behind(site, text)
    if _only_read(site, made, called):
        return None
    later = [
        label
        for label in labels
        if label.file == site.file
        and label.line > site.line
        and (found := _ASSIGNED.match(label.text)) is not None
        and found[1] == made[1]
        and re.search(rf"\b{made[2]}\b", label.text[found.end() - 1 :])
    ]
    if not later:
        return behind(site, text)
    return behind(max(later, key=lambda label: label.line), text.replace("{name}", made[2]))


def _only_read(site: Site, made: re.Match[str], called: str) -> bool:
    """The data are an argument of the call that the line assigns from, so that the name on its left is something else's; a call that only wraps them keeps their name."""
    before = site.text[made.end() - 1 : site.column - 1].strip()
    own = _own(site)
    inside = "(" in (before.strip("(") if made[2] == called else before)
    return inside and (re.fullmatch(r"[\w.]+(\[.*\])?", own) or _NAMED.fullmatch(own)) is not None


def _own(site: Site) -> str:
    """What is marked of the line."""
    return site.text[site.column - 1 : (site.end_column or 1) - 1] if site.column else ""


def turned_round(index: Index, site: Site | None, mask: Value) -> Remedy | None:
    """A mask that keeps what it was to leave out, the other way round where it is made."""
    text = spelling(index, "turned round") if mask.dtype == "bool" else "1 - {x}"
    changes = "what was left out counts, and what counted is left out"
    return remedy("turn the mask round", Edit("wrap", site, text), changes=changes) if site else None


def used_labels(index: Index, site: Site | None, labels: Value, prediction: Value, names: tuple[str, str]) -> Remedy | None:
    """A loss that compares the prediction with the labels, where their types tell which one; the names are those at the place."""
    scores, ids = names
    shape, kind = prediction.shape or (), labels.dtype
    if site is None or not prediction.dtype.startswith(("f", "bf")) or not labels.shape:
        return None
    if len(shape) > 1 and shape[1] > 1 and labels.shape == shape[:1] and kind.startswith(("i", "u")):
        code = spelling(index, "loss on ids", scores=scores, ids=ids)
        return remedy(f"compare with `{ids}`", Edit("replace", site, code), changes="the loss becomes a cross-entropy over classes")
    if labels.shape == shape and kind.startswith(("f", "bf")):
        code = spelling(index, "mean").replace("{x}", f"(({scores} - {ids}) ** 2)")
        return remedy(f"compare with `{ids}`", Edit("replace", site, code), changes="the loss becomes a mean squared error")
    return None
