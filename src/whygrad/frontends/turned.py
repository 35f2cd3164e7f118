"""Whether images and masks of one batch are turned alike, told by what they look like; and where a data set turns pictures round. Imports no framework."""

import ast
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from whygrad.frontends.source import Sources, name_of
from whygrad.ir import Site

WIDE = 48
"""Pixels of a side above which pictures are averaged in blocks: a batch of 32 then takes some ten milliseconds."""
NARROW = 6
"""Pixels of a side below which turned pictures are too much alike."""
ENOUGH = 64
"""Rows that are looked at of each pair of elements."""
ALIKE = 0.15
"""
Correlation from which a picture and a mask have to do with one another; what fits by chance is counted beside. With this and `CLEARLY`, of 64 kinds of drawn pairs
(blobs, lines, discs, organs; 16 to 128 pixels; four contrasts) at most 3 % of the rows that belong together fit better turned, and 21 of 32 kinds with half of the rows
flipped are found; at 0.05 and 0.03 it is 42 %, and 1 of 32 found, since as many fit by chance.
"""
CLEARLY = 0.12
"""How much larger the one correlation must be than the other for a row to tell."""
CHANNELS = 4
"""Size of a last axis up to which it holds the channels."""
TURNING = frozenset(("fliplr", "flipud", "flip", "rot90", "hflip", "vflip", "mirror", "horizontal_flip", "vertical_flip"))


@dataclass(slots=True)
class Counts:
    """Rows of one pair of elements."""

    rows: int = 0
    straight: int = 0
    """They fit best as they are."""
    turned: int = 0
    """They fit best with one of them turned."""

    chance: int = 0
    """As many fit as well with the mask of another row turned in some way."""

    def add(self, one: Any, other: Any) -> None:
        """Look at one batch, given as planes."""
        straight, turned = _told(one, other)
        self.rows += len(one)
        self.straight += int(straight.sum())
        self.turned += int(turned.sum())
        self.chance += int(_told(one, np.roll(other, 1, 0))[1].sum()) if len(one) > 1 else 0


def _told(one: Any, other: Any) -> tuple[Any, Any]:
    """Of each row, whether the two go clearly best as they are, and with one turned."""
    scores = np.stack([_correlations(one, turn(other)) for turn in _turns(other)])
    straight, best = scores[0], scores[1:].max(0)
    return (straight >= ALIKE) & (straight >= best + CLEARLY), (best >= ALIKE) & (best >= straight + CLEARLY)


def planes(array: Any) -> Any | None:
    """One plane for each row of a batch of pictures: the mean of their channels, small and less what changes slowly; None for what is none."""
    shape = array.shape
    if array.ndim == 4:  # noqa: PLR2004 - rows, channels, height, width
        array = array.mean(3) if shape[3] <= CHANNELS < min(shape[1:3]) else array.mean(1)
    if array.ndim != 3 or min(array.shape[1:]) < NARROW:  # noqa: PLR2004 - rows, height, width
        return None
    by = max(1, min(array.shape[1:]) // WIDE)
    height, width = (size // by for size in array.shape[1:])
    small = array[:, : height * by, : width * by].astype(np.float64).reshape(-1, height, by, width, by).mean((2, 4))
    return small - _blurred(small, max(1, min(height, width) // 8))


def _blurred(plane: Any, reach: int) -> Any:
    """The mean of what lies around each pixel: light that falls from one side goes with any mask on that side, and tells nothing."""
    padded = np.pad(plane, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1), axis=(1, 2))
    return windows.mean((3, 4))


def _turns(plane: Any) -> list[Any]:
    """As it is first, then all that keep the shape."""
    found: list[Any] = [lambda p: p, lambda p: p[:, ::-1], lambda p: p[:, :, ::-1], lambda p: p[:, ::-1, ::-1]]
    if plane.shape[1] == plane.shape[2]:
        found += [lambda p, turn=turn: turn(p.swapaxes(1, 2)) for turn in tuple(found)]
    return found


def _correlations(one: Any, other: Any) -> Any:
    """Of each row, how the two go together, whichever way round; 0 for an even one."""
    mine, theirs = (plane.reshape(len(plane), -1) for plane in (one, other))
    mine, theirs = (flat - flat.mean(1, keepdims=True) for flat in (mine, theirs))
    norm = np.sqrt((mine**2).sum(1) * (theirs**2).sum(1))
    return np.abs((mine * theirs).sum(1)) / np.where(norm > 0, norm, np.inf)


def turning_site(code: CodeType, sources: Sources) -> Site:
    """The first place in a function that turns a picture round; the function where none is seen."""
    lines = {line for *_, line in code.co_lines() if line is not None}
    try:
        nodes = list(ast.walk(ast.parse(sources.text(code.co_filename))))
    except (SyntaxError, ValueError):
        nodes = []
    found = [node for node in nodes if isinstance(node, ast.Call | ast.Subscript) and node.lineno in lines and _turns_round(node)]
    first = min(found, key=lambda node: (node.lineno, node.col_offset), default=None)
    if first is None:
        return sources.definition(code)
    line = sources.line(code.co_filename, first.lineno)
    function = name_of(code)
    end = first.end_lineno or first.lineno
    return Site(code.co_filename, first.lineno, end, first.col_offset + 1, (first.end_col_offset or 0) + 1, function, line)


def _turns_round(node: ast.expr) -> bool:
    """`np.fliplr(image)`, `image.transpose(Image.FLIP_LEFT_RIGHT)`, `image[:, ::-1]`."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return called in TURNING or any("FLIP_" in ast.unparse(given) or "ROTATE_" in ast.unparse(given) for given in node.args)
    return isinstance(node, ast.Subscript) and "::-1" in ast.unparse(node.slice)
