"""What simple fits say about inputs and labels as the run saw them, and whether a batch pairs the rows of the same items. Figures alone."""

from dataclasses import dataclass

from whygrad.ir.sites import Site


@dataclass(frozen=True, slots=True)
class Fit:
    """How well labels can be told from inputs by fits that leave each row out in turn, against the same fits on permuted labels."""

    inputs: tuple[str, ...] = ()
    """Names of the values of the inputs in the recorded steps."""
    labels: tuple[str, ...] = ()
    rows: int = 0
    """Rows that were fitted."""
    score: float | None = None
    """Advantage over permuted labels, in standard deviations of what these reach."""
    order: str = ""
    """The other order of the labels that fits best: "shifted by 1", "reversed"."""
    restored: float | None = None
    """The score in that order."""
    entropy: float | None = None
    """Of the labels, in nats, where they are classes: what a constant guess costs in cross-entropy."""
    variance: float | None = None
    """Of the labels: what a constant guess costs in squared error."""
    better: float | None = None
    """Where the labels are 0, 1, 2, … held as floating numbers: the share of other numberings of the same labels that are fitted better."""
    told: float | None = None
    """And the share of rows whose number a fit of one column for each names."""


@dataclass(frozen=True, slots=True)
class Collation:
    """Two elements of a loader's batch whose rows do not come from the same items, row by row."""

    path: str
    """The element whose rows tell which item each is: `[0]`."""
    other: str
    """The element that holds the same items in another order."""
    rows: int = 0
    moved: int = 0
    """Rows at which `other` is not what belongs to the item in `path`."""
    kept: bool = False
    """`path` has its rows in the items' order."""
    values: tuple[str, ...] = ()
    """Names of the values of `path` in the recorded steps."""
    others: tuple[str, ...] = ()
    site: Site | None = None
    """The function that made a batch of the items."""


@dataclass(frozen=True, slots=True)
class Turning:
    """Two elements of a loader's batches that are pictures of one size, and how they fit on one another."""

    path: str
    other: str
    rows: int = 0
    straight: int = 0
    """Rows that fit clearly best as they are."""
    turned: int = 0
    """Rows that fit clearly best with one of the two flipped or rotated."""
    chance: int = 0
    """Rows that fit clearly best with another row's, flipped or rotated."""
    values: tuple[str, ...] = ()
    """Names of the values of `path` in the recorded steps."""
    others: tuple[str, ...] = ()
    site: Site | None = None
    """Where the data set turns pictures round, or hands out its examples."""
