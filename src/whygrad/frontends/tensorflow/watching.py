"""What is gathered of parameters while a step runs: gradients, and how far an update moves them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import cosine, sample_of, wide
from whygrad.ir import GradientState

SNAPSHOT = 65_536
"""Entries of a parameter that are kept to measure its update: whole for small ones, an even sample of large ones."""


@dataclass(slots=True)
class Figures:
    """One parameter in one step."""

    gradient: GradientState = "none"
    gradient_norm: float | None = None
    at_update: GradientState | None = None
    norm: float | None = None
    update_norm: float | None = None
    moved: float | None = None
    symmetric: bool = False
    sample: NDArray[Any] | None = None
    slope: NDArray[Any] | None = None
    """The gradient at the entries of the sample."""
    along: float | None = None


@dataclass(slots=True)
class First:
    """A parameter as it was when first recorded."""

    reference: "ReferenceType[Any]"
    sample: NDArray[Any]
    name: str = ""
    gradient_seen: bool = False
    changed: bool = False

    def look(self) -> None:
        """See whether it has changed by now; once is enough."""
        variable = self.reference()
        if variable is not None and not self.changed:
            now = _sample(variable)
            self.changed = now.shape != self.sample.shape or not np.array_equal(now, self.sample, equal_nan=True)

    def finite(self) -> bool:
        """Whether it holds numbers alone now; what has gone is taken to have."""
        variable = self.reference()
        return variable is None or bool(np.isfinite(_sample(variable)).all())


@dataclass(slots=True)
class ParameterWatch:
    """All parameters, by number."""

    figures: dict[int, Figures] = field(default_factory=dict)
    first: dict[int, First] = field(default_factory=dict)

    def begin_step(self) -> None:
        """Forget the last step's figures."""
        self.figures = {}

    def before(self, number: int, variable: Any) -> Figures:
        """Keep what an update will change."""
        figures = self.figures.setdefault(number, Figures())
        if figures.sample is None:
            figures.sample = _sample(variable)
            figures.norm = _scaled_norm(figures.sample, _count(variable))
            if number not in self.first:
                self.first[number] = First(ref(variable), figures.sample)
        return figures

    def gradient(self, number: int, variable: Any, gradient: NDArray[Any] | None) -> None:
        """Note what a backward gave a parameter."""
        figures = self.before(number, variable)
        if gradient is None:
            return
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(wide(gradient).reshape(-1)))
        figures.gradient_norm, figures.gradient = norm, gradient_state(norm)
        figures.slope = sample_of(gradient, SNAPSHOT)
        figures.symmetric = _symmetric(variable, gradient)
        self.first[number].gradient_seen = True

    def at_update(self, number: int, norm: float | None) -> None:
        """Note what an update finds."""
        self.figures.setdefault(number, Figures()).at_update = gradient_state(norm)

    def moved(self, number: int, variable: Any) -> None:
        """Measure how far a parameter moved since the backward."""
        figures = self.figures.get(number)
        if figures is None or figures.sample is None:
            return
        now = _sample(variable)
        if now.shape == figures.sample.shape and now.size:
            with np.errstate(all="ignore"):
                way = wide(now) - wide(figures.sample)
                figures.update_norm = _scaled_norm(way, _count(variable))
            figures.along = cosine(way, figures.slope) if figures.slope is not None else None
            same = (now == figures.sample) | (np.isnan(now) & np.isnan(figures.sample))
            figures.moved = float((~same).mean())

    def look(self) -> None:
        """See which parameters have changed by now."""
        for entry in self.first.values():
            entry.look()

    def living(self) -> dict[str, Any]:
        """What the parameters hold that still live, by name."""
        pairs = ((entry.name, entry.reference()) for entry in self.first.values())
        return {name: variable.numpy() for name, variable in pairs if name and variable is not None}

    def name(self, names: Mapping[int, str]) -> None:
        """Give each first sight the parameter's name."""
        for key, entry in self.first.items():
            entry.name = names.get(key, entry.name)


def gradient_state(norm: float | None) -> GradientState:
    """Whether there is a gradient, and of what sort, from its norm."""
    if norm is None:
        return "none"
    if not math.isfinite(norm):
        return "non-finite"
    return "zero" if norm == 0 else "finite"


def _sample(variable: Any) -> NDArray[Any]:
    found = np.asarray(variable.numpy())
    return sample_of(found.astype(np.float32) if found.dtype.kind not in "biufc" else found, SNAPSHOT).copy()


def _count(variable: Any) -> int:
    return int(np.prod([int(size) for size in variable.shape], dtype=np.int64))


def _scaled_norm(sample: NDArray[Any], count: int) -> float:
    """The norm of the whole, from an even sample of it."""
    return float(np.linalg.norm(wide(sample))) * math.sqrt(count / max(1, sample.size))


def _symmetric(variable: Any, gradient: NDArray[Any]) -> bool:
    """All units are equal, and their gradients are: they will be for ever. Keras keeps units on the last axis."""
    values = np.asarray(variable.numpy())
    if values.ndim < 2 or values.shape[-1] < 2 or values.shape != gradient.shape:  # noqa: PLR2004 - several units
        return False
    return bool((values == values[..., :1]).all()) and bool((gradient == gradient[..., :1]).all())
