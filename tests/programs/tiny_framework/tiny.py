"""A framework of a few lines, so that everything around front ends can be tested without a real one: it plays steps from the text form."""

from collections.abc import Callable

__version__ = "1.0"
players: list[Callable[[str | int], None]] = []


def play(text: str) -> None:
    """Take the steps that `text` describes."""
    for player in players:
        player(text)


def steps(count: int) -> None:
    """Take steps that nobody needs to record."""
    for player in players:
        player(count)
