"""Front ends: the only code that imports a framework, each behind the two protocols of this file, which imports none."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

from whygrad.ir import Outcome, Record
from whygrad.replay import Observer

Experiments = Literal["off", "default", "all"]

FRONT_ENDS: Mapping[str, str] = MappingProxyType(
    {"torch": "whygrad.frontends.torch", "tensorflow": "whygrad.frontends.tensorflow", "jax": "whygrad.frontends.jax"}
)
"""Framework module to the package whose attribute `front_end` is its `FrontEnd`; imported when the program imports the framework."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What to record, as the user asked."""

    steps: int = 2
    """How many steps of each kind."""
    at_step: int | None = None
    """Record from this step on (from 0) instead of from the first."""
    experiments: Experiments = "default"
    stop_after: bool = False
    """The program ends once everything asked for is recorded (`check`)."""
    known: tuple[object, ...] = ()
    """Models and optimizers that were made before the recording, as far as the program gave them."""
    trajectory: str = ""
    """Folder in which the parameters are kept at a few moments, for `whygrad fix`."""
    follow: tuple[str, ...] = ()
    """Folders with parameters that other runs kept: the first recorded step's loss is looked at with each, and no other experiment is made."""
    follow_from: int = 0
    """The step, by its number in the run, before which nothing is looked at so."""


class Recorder(Protocol):
    """A front end at work in a running program."""

    def draft(self) -> Record:
        """All that is known so far."""

    def finish(self, outcome: Outcome) -> Record:
        """The program has ended: take every hook out and return the whole record, with `outcome` completed by the steps seen."""

    def stop(self) -> None:
        """Take every hook out, in a forked child or after a fault; what was recorded stays."""


class FrontEnd(Protocol):
    """A framework's way into the record."""

    @property
    def name(self) -> str:
        """The framework's module: `torch`."""

    def attach(self, observer: Observer, settings: Recording) -> Recorder:
        """Start watching; called right after the framework's module was executed, on the thread that imported it."""
