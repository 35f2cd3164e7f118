"""What the loops around the steps read, where it gives its items once."""

from dataclasses import dataclass

from whygrad.ir.sites import Site


@dataclass(frozen=True, slots=True)
class Emptied:
    """An iterator that the first turn of a loop reads to its end, and that every later turn reads again."""

    name: str
    """The user's variable."""
    type: str = ""
    """What it is: `generator`, `zip`."""
    turns: int = 0
    """Turns that the loop makes."""
    site: Site | None = None
    """Where it was made, before the loop."""
    loop: Site | None = None
    """The loop whose turns read it."""
    body: Site | None = None
    """The first statement in that loop."""
    read: Site | None = None
    """The loop that goes through it and makes the steps."""
