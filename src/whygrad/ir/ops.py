"""Ops and the graph of one step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from whygrad.ir.kinds import passing
from whygrad.ir.sites import Site
from whygrad.ir.values import Value

Attribute = bool | int | float | str | tuple[bool | int | float | str, ...] | None
"""A setting of a call: an axis, a reduction, a shape, the two decay rates of an optimizer."""


@dataclass(frozen=True, slots=True)
class Op:
    """One recorded call. `kind` is our neutral name, `native` the framework's own."""

    kind: str
    inputs: tuple[str, ...] = ()
    """Names of the values that it reads, in the order of the native call's arguments."""
    outputs: tuple[str, ...] = ()
    """Names of the values that it makes; the first one names the op in interventions."""
    native: str = ""
    carries: tuple[bool, ...] | None = None
    """For each input, whether a gradient can flow back to it, as observed; None: as the table of kinds says."""
    tracking: bool = True
    """Gradient tracking was on."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """Settings under neutral names: `axis`, `reduction`, `ignore_index`, `inplace`, `target` (the position in `inputs` of a loss's target), …
    Of an `enter`: `guessed`, its input is what last left and need not be what came back; `implicit`, no call of the program's own makes it."""
    site: Site | None = None
    module: str = ""
    """Qualified name of the module in whose forward it ran; "" outside every module."""
    scope: int | None = None
    """Index into `Step.scopes`: the user's function it ran in."""
    failed: bool = False
    """The call raised; its outputs are missing."""
    made: Site | None = None
    """Where the framework's own layer that it ran in was made: the line to edit where a model is a list of layers."""

    @property
    def output(self) -> str:
        """The first output, which names the op; "" where it made nothing."""
        return self.outputs[0] if self.outputs else ""

    @property
    def carrying(self) -> tuple[bool, ...]:
        """For each input, whether a gradient that is not identically zero can flow back to it."""
        if self.carries is not None and passing(self.kind) not in ("zero", "cut"):
            return self.carries[: len(self.inputs)]
        return (self.tracking and passing(self.kind) not in ("zero", "cut"),) * len(self.inputs)

    def carried(self, position: int) -> bool:
        """Whether a gradient that is not identically zero can flow back to the input at `position`."""
        return self.carrying[position]


@dataclass(frozen=True, slots=True)
class Graph:
    """Ops in execution order, and every value that they read or make."""

    ops: tuple[Op, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
