"""Transformations of optax that a program made, and what they were asked."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal

import jax

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.schedules import Schedule
from whygrad.frontends.jax.strangers import typed
from whygrad.frontends.jax.sums import Handed
from whygrad.ir import Attribute

NATIVE = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "lamb": "LAMB",
    "lion": "Lion",
    "scale_by_adam": "Adam",
}
"""Names as the rules know them from other frameworks."""
CLIPS = {"clip_by_global_norm": "max_norm", "clip": "max_delta", "clip_by_block_rms": "threshold", "adaptive_grad_clip": "clipping"}
"""Transformations that clip, and the argument that says to what."""
GATHERING = ("MultiSteps", "apply_every", "apply_if_finite", "conditionally_transform", "conditionally_mask", "lookahead")
"""Transformations whose updates are zero at most steps on purpose."""
FREEZING = ("set_to_zero", "freeze", "masked", "selective_transform")
"""Transformations that keep some parameters as they are."""
CHOOSING = ("multi_transform", "partition", "masked", "selective_transform", "freeze")
"""Those that say which."""
NORMALISED = ("Adam", "AdamW", "Lion")
"""Those whose update of each number is about as large as the rate, whatever the gradient."""
FOLLOWED = ("SGD", "Adam", "AdamW", "RMSprop")


SCALES = {"scale": "step_size", "scale_by_schedule": "step_size_fn"}
"""Transformations that multiply updates, and the argument that says by what: a number, or a schedule."""

SCALELESS = (
    "scale_by_adam", "scale_by_amsgrad", "scale_by_adamax", "scale_by_belief", "scale_by_yogi", "scale_by_radam", "scale_by_novograd",
    "scale_by_lion", "scale_by_sign", "scale_by_rms", "scale_by_stddev", "normalize_by_update_norm", "adam", "adamw", "rmsprop", "lion",
)  # fmt: skip
"""Transformations whose updates are as large as ever whatever their gradients are multiplied by."""


def signed(factor: Any) -> Any:
    """What is left of a number behind a transformation that takes its size out again; of a schedule, nothing that is known."""
    return math.copysign(1.0, factor) if isinstance(factor, int | float) and factor else None


def product(factors: Sequence[Any]) -> Any:
    """The product of numbers and schedules: a number, a schedule, or None where a factor is neither, or a schedule of the user's own."""
    if all(isinstance(factor, int | float) for factor in factors):
        return math.prod(float(factor) for factor in factors)
    if any(not isinstance(factor, int | float) and (not callable(factor) or is_users(factor)) for factor in factors):
        return None
    return lambda step: math.prod(float(at_step(factor, step) if callable(factor) else factor) for factor in factors)


def at_step(rate: Any, step: int) -> Any:
    """What a schedule gives for one step."""
    return rate.at(step) if isinstance(rate, Schedule) else rate(step)


@dataclass(slots=True)
class Made:
    """One transformation that the program made."""

    function: str
    settings: dict[str, Any]
    trace: source.Trace | None
    parts: list["Made"] = field(default_factory=list)
    transformation: Any = None
    name: str = ""
    shown: str = ""
    """What a recorded step calls it."""
    steps: int = 0
    gathered: int = 0
    """Calls since the last update, within `MultiSteps`."""
    since: int = 0
    """Updates since its state was made: what schedules count."""
    started: tuple[int, ...] = ()
    """Identities of the arrays that its state was made for."""
    types: tuple[str, ...] = ()
    """Those of the arrays that its states were made for."""
    empty: bool = False
    """Its state was made for a tree without arrays."""
    held: tuple[str, ...] = ()
    made: int = 1
    """How often its state, or that of others which were made at its place before it, was begun for the parameters that it trains: once, if all is well."""
    remade: bool = False
    """Another one was made at its place before it, and its own state has not been begun yet."""
    first_rate: float | None = None
    low: float | None = None
    high: float | None = None
    last: float | None = None
    idle: int = 0
    idle_from: int | None = None
    low_from: int | None = None
    size: float = 0.0
    """The root mean square of its parameters, of most of them."""
    updated_at: source.Trace | None = None
    """Where the program asks it for updates."""
    dropped_at: source.Trace | None = None
    """Where the program calls the traced function that hands its new state out."""
    given_at: source.Trace | None = None
    """Where the program makes its state, and so tells it what it updates."""
    begun_at: source.Trace | None = None
    """Where its state was made anew for parameters that were in training."""
    compared: int = 0
    """Recorded steps in which it was known what state the step before was given."""
    orphans: tuple[str, ...] = ()
    """The types of what its updates were added to, where that is not what was differentiated."""
    met: bool = False
    """A recorded step has asked it for an update."""
    moved: bool = False
    """And the parameters that the derivative was taken by moved by that."""
    injects: bool = False
    """It makes what it stands for in each of its updates, from numbers in its state."""
    restarts: int = 0
    """Those that were given that very state again."""
    calls: int = 0
    """How often it was asked for an update."""
    declined: Any = None
    """How many of these it declined, as gradients were not finite: the number that its state holds by now; None where it declines none."""
    known_declined: int = 0
    """That number at the end of the last recorded step."""
    asked: "Moment | None" = None
    """The update that it is making."""

    def answered(self, made: Any) -> None:
        """It has made that."""
        if self.asked is not None and isinstance(made, tuple) and made:
            self.asked.updates = [item for item in jax.tree_util.tree_leaves(made[0]) if item is not None]
        self.asked = None

    @property
    def place(self) -> object:
        """Where it was made: others that are made there stand for the same."""
        return (self.trace.user, self.function) if self.trace is not None else self.function

    def every(self) -> Iterator["Made"]:
        """It and what it is made of."""
        yield self
        for part in self.parts:
            yield from part.every()

    def in_front(self, link: "Made") -> "Made | None":
        """The whole optimizer, rate and all, that stands in front of a link of a chain: what reaches the link is an update, no gradient."""
        links = list(self.every()) if self.function in ("chain", "named_chain") else []
        before = links[: next((at for at, part in enumerate(links) if part is link), 0)]
        return next((part for part in before if part.function in NATIVE and part.settings.get("learning_rate") is not None), None)

    def limit(self) -> float:
        """The norm to which updates are clipped behind the whole optimizer; infinity where they are not."""
        limits = [part.settings.get("max_norm") for part in self.every() if part.function == "clip_by_global_norm" and self.in_front(part)]
        return min((float(limit) for limit in limits if isinstance(limit, int | float)), default=math.inf)

    def lost_scales(self) -> list["Made"]:
        """The links of a chain that multiply what a later link makes as large as ever."""
        links = list(self.every()) if self.function in ("chain", "named_chain") else []
        last = max((at for at, part in enumerate(links) if part.function in SCALELESS), default=0)
        return [part for part in links[:last] if part.function in SCALES]

    def set_by(self, function: str) -> source.Trace | None:
        """Where a chain that has no learning rate of its own is given one by this link."""
        found = (part.trace for part in self.every() if part.function == function and self.setting("learning_rate") is None)
        return next(found, None)

    def starts(self, given: Sequence[Any], trace: source.Trace | None) -> None:
        """Its state is made for these leaves of a tree."""
        self.started = tuple(id(leaf) for leaf in given)
        self.empty = not self.started
        self.types += tuple(typed(leaf) for leaf in given if _compat.is_array(leaf))
        self.given_at = trace

    def begun_again(self, trace: source.Trace | None) -> None:
        """Its state was made anew for the same parameters: as if it was made anew itself."""
        self.made += 1
        self.since = 0
        self.begun_at = None if self.remade else trace
        self.remade = False

    @property
    def native(self) -> str:
        """The kind of optimizer that it is."""
        return next((NATIVE[part.function] for part in self.every() if part.function in NATIVE), self.function)

    def setting(self, *names: str) -> Any:
        """The first of these settings that it or a part of it was given."""
        return next((part.settings[name] for part in self.every() for name in names if part.settings.get(name) is not None), None)

    def rate(self) -> Any:
        """Its learning rate: a number, a schedule, or None."""
        found = self.setting("learning_rate")
        links = list(self.every())
        if any(part.function in CHOOSING for part in links):
            return found
        lost = {id(part) for part in self.lost_scales()}
        scales = [part for part in links if part.function in SCALES]
        if not scales:
            return found
        factors = [signed(given) if id(part) in lost else given for part in scales for given in (part.settings.get(SCALES[part.function]),)]
        # updates are added to the parameters: what stands for a rate turns the sign round, and all else multiplies
        return product([found if found is not None else -1.0, *factors])


@dataclass(slots=True)
class Gathering:
    """A call of `MultiSteps`, which asks what it wraps once or, to know a shape, twice."""

    turns: int
    told: bool = False


@dataclass(slots=True)
class Moment:
    """An update that was calculated or applied."""

    kind: Literal["update", "apply", "init"]
    trace: source.Trace | None
    made: Made | None = None
    held: tuple[str, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()
    """Of an update: the parameters whose gradient a link of the chain sets to zero."""
    called: source.Trace | None = None
    """Of what happens within a traced function: where the program calls that."""
    turns: int = 1
    """Calls that make one update, within `MultiSteps`; 0 where that is not known."""
    state: Any = None
    """An array of the state that an update is given."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Of an update: parameter name to what it is handed as its gradient; variables of the traced function where it stands in one."""
    handed: Handed | None = None
    """What is wrong with that, in the step that ends now."""
    declined: Any = None
    """Of an update: how many were declined by then."""
    renewed: Any = None
    """Of an update: an array of the state that it returns."""
    handed_out: bool = False
    """The traced function that it stands in hands that out."""
    kept: bool | None = None
    """Of an application within a traced function: something reads its result; None where that is not known."""
    again: bool = False
    """Of a state that is begun within a traced step: the step updates the parameters that it hands out with it."""
    added_to: Mapping[str, Any] = field(default_factory=dict)
    """Of an application: what the updates were added to; variables of the traced function where it stands in one."""
    strangers: tuple[str, ...] = ()
    """The types of that, in the step that ends now, where it is not what was differentiated."""
    changed: bool | None = None
    """Of an application: its result differs from what it was given; None where that is not known."""
    updates: Sequence[Any] = ()
    """Of an update: the arrays that were made; variables of the traced function where it stands in one."""
    places: tuple[int, ...] = ()
    """Where the traced function hands these out as they are."""
    answers: tuple[Any, ...] = ()
    """What its last call handed out there."""

    def was_called(self, trace: source.Trace | None, outputs: Sequence[Any] = ()) -> None:
        """The traced function that it stands in is called here, and has returned."""
        self.called, self.answers = trace, tuple(outputs[at] for at in self.places if at < len(outputs))
        if self.handed_out and self.made is not None:
            self.made.dropped_at = trace

    @property
    def gathers(self) -> bool:
        """It hands zeros on in most turns."""
        return self.turns != 1


def declined_by(state: Any) -> Any:
    """How many updates a transformation has declined since its state was made, as `optax.apply_if_finite` counts them; None where none does."""
    found = [node.total_notfinite for node in jax.tree.leaves(state, is_leaf=_counts) if _counts(node)]
    return found[0] if found else None


def _counts(node: Any) -> bool:
    return hasattr(node, "total_notfinite")


def learned(moment: Moment, closed: Any) -> None:
    """A program was traced in which an update was asked for: schedules of the user's that it called are known from here on."""
    for part in moment.made.every() if moment.made is not None else ():
        for item in part.settings.values():
            if isinstance(item, Schedule):
                item.learn(closed)


def settings_of(entry: Made) -> dict[str, Attribute]:
    """The settings that rules ask for, under the names that they know."""
    found: dict[str, Attribute] = {}
    names = {"b1": "beta1", "b2": "beta2"}
    if entry.empty:
        found["empty"] = True
    if math.isfinite(limit := entry.limit()):
        found["update_limit"] = limit
    if lost := entry.lost_scales():
        behind = next(part.function for part in list(entry.every())[::-1] if part.function in SCALELESS)
        found.update({"lost_scale": lost[0].function, "normalised_by": behind})
    for part in entry.every():
        for key, value in part.settings.items():
            if isinstance(value, bool | int | float | str) and key not in ("learning_rate", "step_size"):
                found.setdefault(names.get(key, key), value)
    return found


def is_users(function: Any) -> bool:
    """A function of the user's, or one that can't be looked into: it is not called."""
    if isinstance(function, Schedule):
        return not function.told
    code = getattr(function, "__code__", None)
    return code is None or source.is_user(code)


def stopped_by(entry: Made, updates: Any, names: Sequence[str]) -> Iterator[str]:
    """The parameters, of those that `updates` holds in this order, whose updates some part of a transformation sets to zero."""
    for part in entry.every():
        chosen = part.settings.get("mask", part.settings.get("param_labels"))
        chosen = chosen(updates) if callable(chosen) and not is_users(chosen) else chosen
        zeroing = [name for name, item in _inner(part).items() if item is not None and item.function == "set_to_zero"]
        if chosen is not None and zeroing and not callable(chosen):
            flags = _spread(chosen, updates)
            yield from (name for name, flag in zip(names, flags, strict=False) if len(flags) == len(names) and str(flag) in zeroing)


def _inner(part: Made) -> dict[str, Made | None]:
    """What a transformation does to which parameters: by label, or `True` for those that a mask names."""
    if part.function == "masked":
        return {"True": part.parts[0] if part.parts else None}
    given = part.settings.get("transforms")
    if part.function not in ("multi_transform", "partition") or not isinstance(given, Mapping):
        return {}
    return {str(label): next((made for made in part.parts if made.transformation is item), None) for label, item in given.items()}


def _spread(chosen: Any, updates: Any) -> list[Any]:
    """A mask or labels for whole branches, for each leaf."""
    try:
        spread = jax.tree.map(lambda flag, branch: jax.tree.map(lambda _: flag, branch), chosen, updates)
    except (TypeError, ValueError):
        return []
    return list(jax.tree.leaves(spread))


def within_update(frame: FrameType | None) -> bool:
    """A transformation is made by another one in its own update, as `inject_hyperparams` does: it stands for the same all along."""
    while frame is not None and not source.is_user(frame.f_code):
        if frame.f_code.co_name == "update_fn":
            return True
        frame = frame.f_back
    return False


def bound_arguments(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, defaults included."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {**{str(at): item for at, item in enumerate(args)}, **kwargs}
    bound.apply_defaults()
    return dict(bound.arguments)
