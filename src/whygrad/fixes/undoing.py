"""Taking one of several changes of a text back, the others left in."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from whygrad.fixes.refusals import Refused


def undone(before: str, after: str, text: str) -> str:
    """`text` as it would be without the change from `before` to `after`; raises `Refused` where another change stands in its words."""
    try:
        return _undone(*(each.splitlines(keepends=True) for each in (before, after, text)))
    except Refused:
        found = _undone(*(_WORD.findall(each) for each in (before, after, text)))
    try:
        compile(found, "<undone>", "exec", dont_inherit=True)
    except SyntaxError:
        raise Refused("another change stands in the same lines") from None
    return found


_WORD = re.compile(r"\s*(?:\w+|\W|$)")
"""A word or a sign, with the space in front of it."""


def _undone(old: list[str], new: list[str], now: list[str]) -> str:
    at = _places(new, now)
    for kind, first, last, start, end in reversed(SequenceMatcher(None, old, new, autojunk=False).get_opcodes()):
        if kind != "equal":
            left, right = _stretch(at, start, end)
            now[left:right] = old[first:last]
    return "".join(now)


def _stretch(at: Mapping[int, int], start: int, end: int) -> tuple[int, int]:
    """Where lines that a change made stand now, or where those stood that it took out."""
    found = [at.get(line) for line in range(start, end)]
    left = found[0] if found else _behind(at, start)
    if left is None or found != list(range(left, left + len(found))):
        raise Refused("another change stands in the same lines")
    return left, left + len(found)


def _behind(at: Mapping[int, int], start: int) -> int | None:
    return at[start - 1] + 1 if start - 1 in at else at.get(start, None if start else 0)


def _places(new: list[str], now: list[str]) -> dict[int, int]:
    """Where the lines of one text stand in another, as far as they are still there."""
    blocks = SequenceMatcher(None, new, now, autojunk=False).get_matching_blocks()
    return {block.a + offset: block.b + offset for block in blocks for offset in range(block.size)}
