"""The user's own source line with the place marked below it."""

import linecache
import re
from dataclasses import dataclass

from rich.cells import cell_len

from whygrad.ir import Site

TAB = "    "
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that would move the cursor or turn the text around; a user's text may hold them."""


def tame(text: str) -> str:
    """One line of text that a terminal only prints."""
    return CONTROL.sub("?", text.replace("\t", TAB))


AROUND = 2
"""Lines that a page shows before and after the place."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A source line that fits the width, and which of its cells are marked."""

    text: str
    start: int
    length: int


def place(site: Site) -> str:
    """`train.py:41:28`."""
    return f"{tame(site.file)}:{site.line}{f':{site.column}' if site.column else ''}"


def excerpt(site: Site, width: int) -> Excerpt | None:
    """The line of `site` in `width` cells, cut around the mark where it is longer; None where the source is missing."""
    if not site.text.strip():
        return None
    start, end = _marked(site)
    before, marked, after = (tame(part) for part in (site.text[:start], site.text[start:end], site.text[end:].rstrip()))
    line = before + marked + after
    first, length = cell_len(before), max(1, cell_len(marked))
    if cell_len(line) <= width:
        return Excerpt(line, first, length)
    indent = len(line) - len(line.lstrip())
    return _cropped(line[indent:], first - min(indent, first), length, width)


def neighbours(site: Site) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The numbered lines before a place and after it (the rest of a longer expression too), without blank ones at the two ends; none where the source isn't at hand as it was."""
    lines = linecache.getlines(site.file)
    if not 0 < site.line <= len(lines) or not site.text.strip() or lines[site.line - 1].rstrip() != site.text.rstrip():
        return [], []
    last = max(site.line, min(site.end_line, site.line + 2 * AROUND))
    before, after = range(max(1, site.line - AROUND), site.line), range(site.line + 1, min(len(lines), last + AROUND) + 1)
    filled = [number for number in (*before, site.line, *after) if lines[number - 1].strip()]
    shown = {number: tame(lines[number - 1].rstrip()) for number in range(filled[0], filled[-1] + 1)}
    return [(n, shown[n]) for n in before if n in shown], [(n, shown[n]) for n in after if n in shown]


def _marked(site: Site) -> tuple[int, int]:
    """The marked range of characters, counted from 0: all of the line where the columns are not known."""
    text = site.text.rstrip()
    indent = len(text) - len(text.lstrip())
    if not 0 < site.column <= len(text):
        return indent, len(text)
    one_line = site.end_line in (0, site.line) and site.end_column > site.column
    return site.column - 1, min(site.end_column - 1, len(text)) if one_line else len(text)


def _cropped(line: str, start: int, length: int, width: int) -> Excerpt:
    """A window on the line that shows the beginning of the mark, with dots where it was cut."""
    length = min(length, max(1, width - 6))
    left = 0 if start + length <= width - 3 else max(0, start - max(3, (width - 6 - length) // 2))
    head = "..." if left else ""
    shown = head + _cells(line, left, width - len(head) - 3)
    shown += "..." if cell_len(line) > left + width - len(head) - 3 else ""
    return Excerpt(shown, start - left + len(head), min(length, max(1, cell_len(shown) - (start - left + len(head)))))


def _cells(line: str, left: int, width: int) -> str:
    """The characters that lie in the cells from `left` on."""
    kept, at = [], 0
    for character in line:
        if at >= left and at + cell_len(character) <= left + width:
            kept.append(character)
        at += cell_len(character)
    return "".join(kept)
