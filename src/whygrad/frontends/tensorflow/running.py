"""The step under way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ReferenceType

from numpy.typing import NDArray

from whygrad.frontends import source
from whygrad.frontends.tensorflow.frames import Look
from whygrad.frontends.tensorflow.layers import Owned
from whygrad.ir import Birth, Measures, Site, Trial


@dataclass(slots=True)
class Running:
    """The step under way."""

    backwards: int = 0
    updated: bool = False
    examined: int = 0
    measures: Measures | None = None
    trials: tuple[Trial, ...] = ()
    births: tuple[Birth, ...] = ()
    modes: dict[str, bool] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    sites: list[tuple[str, int]] = field(default_factory=list)
    optimizers: list[object] = field(default_factory=list)
    """Where the optimizers that updated were made."""
    seen: dict[int, Owned] = field(default_factory=dict)
    gradients: dict[int, NDArray[Any]] = field(default_factory=dict)
    """Number of a parameter to the sum of its gradients of this step."""
    before: dict[int, str] = field(default_factory=dict)
    """Number of a parameter to the name of its value at the first backward."""
    labels: tuple[str, ...] = ()
    """As the framework was given them."""
    driver: source.Trace | None = None
    """The call of `fit` or the like that runs the step."""
    loss_site: Site | None = None
    taken: list[tuple[int, "ReferenceType[Any]", Look]] = field(default_factory=list)
    """Copies that the program took of parameters after a backward: number, array, place."""
    listed: Site | None = None
    """Where the program lists what it wants gradients of, if that is not everything."""
    listed_for: dict[int, Site | None] = field(default_factory=dict)
    """The same by the gradients that it got: of two backwards in one step each has its own list."""
    unfolded: set[int] = field(default_factory=set)
    partial: bool = False
    """Its forward began before the recording did."""
    failed: bool = False
    """An exception has ended it."""


def user_part(trace: source.Trace | None) -> object:
    """The user's own frames of a trace: what tells two places apart."""
    return trace.user if trace is not None else None


def place_of(trace: source.Trace | None) -> tuple[str, int]:
    """File and offset of a place, to compare it with others."""
    return (trace.user[0][0].co_filename, trace.user[0][1] + 100_000 * trace.user[0][0].co_firstlineno) if trace is not None else ("", 0)


Names = Mapping[int, str]
