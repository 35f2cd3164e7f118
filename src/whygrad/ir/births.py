"""Where numbers that are not finite were born, and how a loss went over the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from whygrad.ir.sites import Site

Stage = Literal["forward", "backward", "update", "given"]
"""By an op's forward; by its derivative; by an optimizer's update; already in what the step was given."""


@dataclass(frozen=True, slots=True)
class Birth:
    """The first place at which a step of the run made NaN or infinity out of finite numbers."""

    stage: Stage
    op: str = ""
    """First output of the op that made it, in the graph of the step that lists this; "" where no op did."""
    value: str = ""
    """The parameter, input or label that was not finite when the step began, or after the update."""
    step: int = 0
    """Number of the step in the run; later than the step that lists this where that one's calls were run again on the later one's data."""
    count: int = 0
    """How many entries are not finite; 0 where unknown."""
    entries: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Index of an offending entry to what the op read there; three numbers in all, the only contents that a record holds."""
    loss: float | None = None
    rows: tuple[int, ...] = ()
    """Of all that the program handed to a training loop, where that was looked at: how many rows are not finite, and the number of the first."""
    reader: str = ""
    """In a backward beside a finite loss: first output of the op that reads what this one made, of which nothing reaches the loss, and whose derivative is not finite for it."""
    size: int = 0
    """Of what the step was given: how many entries it has at that step; 0 where unknown."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one loss went over the whole run, recorded steps and others."""

    steps: int = 0
    """Backwards seen."""
    start: float | None = None
    """The first finite loss."""
    first: float | None = None
    """Mean of the first few finite losses."""
    last: float | None = None
    """Mean of the last few finite losses."""
    lowest: float | None = None
    """Lowest mean over a few losses in a row."""
    highest: float | None = None
    """Highest mean over a few losses in a row."""
    noise: float | None = None
    """Standard deviation of neighbouring losses, averaged over the run."""
    frozen: int = 0
    """Longest row of losses that were the same to the last bit."""
    non_finite: int | None = None
    """Number of the step with the first loss that was not finite."""
    rate_at_lowest: float | None = None
    """Learning rate of the last update before the lowest mean."""
    rate_at_highest: float | None = None
    site: Site | None = None
    """The backward."""
    late: float | None = None
    """Mean of a few losses at the end of the third quarter of the run."""
    curve: tuple[float, ...] = ()
    """The finite losses over the run, as means over `curve_width` steps each; 128 of them at most."""
    curve_width: int = 1
