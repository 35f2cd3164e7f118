"""The record of a run: everything that rules may ask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from whygrad.ir.births import Course
from whygrad.ir.fits import Collation, Fit, Turning
from whygrad.ir.loadings import Loading, Redraw
from whygrad.ir.ops import Attribute
from whygrad.ir.origins import Origin
from whygrad.ir.sites import Site
from whygrad.ir.steps import Step
from whygrad.ir.turns import Emptied


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework that the program used."""

    name: str
    version: str


ALL_FROZEN = "requires_grad"
NONE_CHOSEN = "parameters()"
"""What an optimizer that was given nothing is about, where it is no attribute: parameters that are all frozen, and parameters of which some can be trained and none was handed over."""


_NOT_FINITE = re.compile(r"\b(nans?|infs?|infinity|infinite|(non-?)?finite)\b|\bconstraint\b|between 0 and 1", re.IGNORECASE)
"""What exceptions say of such numbers; distributions check their parameters' constraints, and losses of probabilities their range."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The exception that ended the program."""

    type: str
    message: str
    site: Site | None = None
    about: str = ""
    """What was found that it is about, by its name, such as an attribute that holds layers in a plain list."""
    made: Site | None = None
    """Where that was made."""

    @property
    def not_finite(self) -> bool:
        """Its message speaks of numbers that are not finite."""
        return _NOT_FINITE.search(self.message) is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the program ended."""

    exit_status: int | None = None
    """None while the program runs, or if it was killed."""
    exception: Raised | None = None
    steps_seen: int = 0
    backwards_seen: int = 0
    stopped: str = ""
    """Why whygrad ended the recording or the program early, if it did."""
    untracked: int = 0
    """Times that gradients were cleared for another step while tracking was switched off for good, since the last backward."""
    updates_seen: int = 0
    """By all optimizers of the run, those too that were gone before a step was recorded with them."""
    cleared: int = 0
    """Times that gradients were cleared for another step, by the one that did so most, in a run that has not asked for a gradient."""
    unwatched: str = ""
    """How the program trains where nothing is recorded, such as a session of TensorFlow 1."""

    def counting(self, run: "Outcome") -> "Outcome":
        """The same end, with what was counted over the run, and what was found out about the exception."""
        about = run.exception is not None and bool(run.exception.about)
        return replace(
            self,
            exception=run.exception if about else self.exception,
            steps_seen=run.steps_seen,
            backwards_seen=run.backwards_seen,
            untracked=run.untracked,
            updates_seen=run.updates_seen,
            cleared=run.cleared,
            unwatched=run.unwatched or self.unwatched,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """One parameter group of an optimizer."""

    rate: float | None = None
    """Learning rate at the first recorded update, or at the end where there was none."""
    parameters: tuple[str, ...] = ()
    settings: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plateau:
    """What a scheduler that cuts the rate when a value no longer gets better was given over the run, and what it made of it."""

    mode: str = ""
    """`min`: lower values are better; `max`: higher ones are."""
    calls: int = 0
    better: int = 0
    """Values behind the first that counted as better than all before."""
    first: float | None = None
    at_cut: float | None = None
    """The value at which the rate was cut for the first time."""
    last: float | None = None
    losses: tuple[float, float] | None = None
    """Training loss at the first value, and when the rate was first cut: means over a few steps."""
    cuts: int = 0
    low_from: int | None = None
    """Number of the update from which on the rate was a twentieth of its highest or less, to the end."""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer over the whole run."""

    name: str
    """The user's variable, or the class name with a number."""
    native: str = ""
    groups: tuple[Group, ...] = ()
    orphans: tuple[str, ...] = ()
    """Tensors that it holds though no model that ran has them, as types: `f32[10,2]`."""
    site: Site | None = None
    """Where it was made."""
    steps: int = 0
    rates: tuple[float, float] | None = None
    """Smallest and largest learning rate over all its updates."""
    last_rate: float | None = None
    rate_site: Site | None = None
    """The scheduler or assignment that last set the rate."""
    schedule_site: Site | None = None
    """Where the last scheduler for it was made."""
    given_site: Site | None = None
    """Where it is told what to update, if that is not where it is made."""
    idle_steps: int = 0
    """Updates at a rate of zero, or of nothing next to the highest."""
    idle_from: int | None = None
    """Number of the update from which on the rate was zero, or nothing next to the highest, to the end; None where it was not at the end."""
    step_site: Site | None = None
    """For one that never stepped: the one place in the source of its maker that calls its `step`, if there is one. For one whose steps a gradient
    scaler declined: where that was asked to step."""
    made: int = 1
    """How many the program made at this place over the run, with the same rate and for the same parameters."""
    skipped: int = 0
    """Steps that a gradient scaler declined."""
    scalers: int = 0
    """Gradient scalers that stepped it one after the other."""
    plateau: Plateau | None = None
    """Of the last scheduler for it that waits for a value to get better."""
    laid_out: tuple[int, int] | None = None
    """Of the last schedule that was told its length: that length, and how often it was stepped."""
    restarts: int = 0
    """Updates that were given the very state that the update before was given, if all of them were that could be compared."""
    low_from: int | None = None
    """Number of the update from which on the rate was a thousandth of the highest or less, to the end; None where it was not at the end, or where that is not watched."""
    writes_site: Site | None = None
    """Where its own `step`, which the program defines, changes a parameter."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a parameter between the first recorded step and the end of the program."""

    changed: bool
    gradient_seen: bool
    """It had a gradient at some update of the run, or at the end."""
    finite: bool = True
    """What was looked at of it at the end holds no NaN and no infinity."""


@dataclass(frozen=True, slots=True)
class Batches:
    """What data loaders handed out over the run, element by element, as far as was looked at."""

    path: str
    """`[1]`, `['labels']`."""
    seen: int
    minimum: float | None = None
    maximum: float | None = None
    constant_batches: int = 0
    """Batches in which every entry was the same."""
    distinct: int | None = None
    """Different batches, by digest."""
    values: tuple[str, ...] = ()
    """Names of the values of this element in the recorded steps."""
    length: int | None = None
    """Batches that one pass over the loader gives; None where it does not know."""
    site: Site | None = None
    """Where the loader was made."""
    order_site: Site | None = None
    """Where a sampler of the user's own gives the order."""
    constant_levels: int = 0
    """Different values that the entries of such batches had."""
    drawn: bool = False
    """The loader draws an order of its own for each pass."""
    drawable: tuple[int, int] | None = None
    """Rows that its sampler has weights for, and rows of the data set, where one pass draws as many as these and the first are fewer."""
    rows_site: Site | None = None
    """The function of the program's that makes a batch of the items, else the one that hands out an item."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run of one program."""

    whygrad: str = ""
    """The version that recorded it."""
    program: str = ""
    arguments: tuple[str, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    outcome: Outcome = field(default_factory=Outcome)
    steps: tuple[Step, ...] = ()
    optimizers: tuple[Optimizer, ...] = ()
    endings: Mapping[str, Ending] = field(default_factory=dict)
    batches: tuple[Batches, ...] = ()
    courses: tuple[Course, ...] = ()
    fits: tuple[Fit, ...] = ()
    collations: tuple[Collation, ...] = ()
    origins: tuple[Origin, ...] = ()
    emptied: tuple[Emptied, ...] = ()
    loadings: tuple[Loading, ...] = ()
    evaluated: Site | None = None
    """Where a model was first switched to evaluation mode, in or between recorded steps."""
    limits: tuple[str, ...] = ()
    """What could not be seen, in sentences."""
    faults: tuple[str, ...] = ()
    """Faults of whygrad itself, that ended the recording."""
    redraws: tuple[Redraw, ...] = ()
    turnings: tuple[Turning, ...] = ()
    standing: tuple[str, ...] = ()
    """Values of recorded steps that are single numbers of the program's own, no parameters, and were the same at the end of the run."""
