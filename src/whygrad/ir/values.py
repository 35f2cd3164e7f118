"""Values: what ops read and make."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

Role = Literal["parameter", "buffer", "input", "label", "activation", "loss", "constant", "gradient", "state", "python"]
"""What a value is to the step. `python` is a number or an array that has left the framework."""

ROLES: tuple[str, ...] = get_args(Role)
_NUMBERED = re.compile(r"t\d+(\.\d+)?|s\d+p\d+v\d+|s\d+a\d+g?|o\d+")
"""The names that recorders give: a number, and that of the write in place; step, part and number; the number of what lies outside the steps."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of one value, never its contents. Minimum to norm are over the finite entries alone."""

    count: int
    """Number of entries of the value."""
    finite: float = 1.0
    """Share of entries that are finite, 0 to 1."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    zeros: float | None = None
    """Share of entries that are exactly 0."""
    norm: float | None = None
    """L2 norm."""
    whole: float | None = None
    """Share of entries that are whole numbers."""
    distinct: int | None = None
    """Number of different entries; counted for inputs and labels only."""
    row_sums: tuple[float, float] | None = None
    """Smallest and largest sum along the last axis; measured where a loss reads the value."""
    dead: float | None = None
    """Share of units (entries of the channel axis) that are 0 on the whole batch; measured behind activations that can be."""
    sampled: bool = False
    """True where the figures come from a regular sample of the entries."""


@dataclass(frozen=True, slots=True)
class Value:
    """One version of one tensor: a write in place makes a new value."""

    name: str
    """Unique in the record; the same tensor, unchanged, has the same name in later steps."""
    role: Role = "activation"
    dtype: str = ""
    """`f32`, `i64`, `bool`, …; "" where unknown."""
    shape: tuple[int, ...] | None = None
    statistics: Statistics | None = None
    called: str = ""
    """The name that the user's code knows it by: a variable, or a parameter's qualified name."""
    differentiable: bool = False
    """A gradient can flow to this value (PyTorch's `requires_grad`)."""

    @property
    def shown(self) -> str:
        """The user's name for it; `loss` or else the type of one that has none, since a recorder's number tells nobody anything."""
        unnamed = "loss" if self.role == "loss" else self.type
        return self.called or (unnamed if _NUMBERED.fullmatch(self.name) and self.dtype else self.name)

    @property
    def written(self) -> str:
        """What stands for it in code that a reader may paste: its name, in brackets where that is an expression, or a usual one where it has none."""
        if self.called and "…" not in self.called:
            return f"({self.called})" if _compound(self.called) else self.called
        return {"label": "labels", "loss": "loss"}.get(self.role, "x") if self.called or _NUMBERED.fullmatch(self.name) else self.name

    @property
    def type(self) -> str:
        """`f32[64,10]`, as reports show it."""
        shape = "" if self.shape is None else f"[{','.join(map(str, self.shape))}]"
        return f"{self.dtype or '?'}{shape}"


@cache
def _compound(text: str) -> bool:
    """An expression that a method's call behind it would take apart: `1 - label`."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):  # a qualified name such as `layers.0.weight` is no expression, and one piece
        return False
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.Lambda | ast.Await)
