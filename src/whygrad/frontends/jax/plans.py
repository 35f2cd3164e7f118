"""What was captured while JAX traced a function, and what is to be looked at in each of its calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from whygrad.frontends import source
from whygrad.frontends.jax.batched import Batched
from whygrad.frontends.jax.carrying import Carried
from whygrad.frontends.jax.derivations import Derivation
from whygrad.frontends.jax.evaluation import Engine
from whygrad.frontends.jax.mapping import is_tree
from whygrad.frontends.jax.nesting import Nest
from whygrad.frontends.jax.programs import Program
from whygrad.frontends.jax.scopes import Activations
from whygrad.frontends.jax.transformations import Made, Moment

IN_A_LOOP = "a derivative inside a loop that JAX compiles was not looked at"
LATER = "a derivative by what a jitted function makes itself, as by the parameters of a second update in one call, was not looked at"
LOOPS = frozenset(("scan", "while"))


@dataclass(slots=True)
class Capture:
    """What happened while one jitted function was traced."""

    derivations: list[Derivation] = field(default_factory=list)
    activations: list[Activations] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    batched: list[Batched] = field(default_factory=list)
    """Calls of programs under `vmap`."""

    def __bool__(self) -> bool:
        return bool(self.derivations or self.moments)

    def append(self, derivation: Derivation, activations: Activations) -> None:
        """A derivative was taken."""
        self.derivations.append(derivation)
        self.activations.append(activations)


@dataclass(slots=True)
class Plan:
    """One traced program of a jitted function."""

    closed: Any
    capture: Capture
    programs: list[Program] = field(default_factory=list)
    nests: list[Nest] = field(default_factory=list)
    entries: dict[int, Any] = field(default_factory=dict)
    """For a derivative within a loop: the function that gives what its first turn is given, and what that turn makes of the parameters."""
    unseen: int = 0
    """Derivatives that are not looked at."""
    body: Any = None
    """Of a loop outside of every jitted function: the program of one turn."""
    carried: list[Carried] = field(default_factory=list)
    activations: list[Activations] = field(default_factory=list)
    engines: dict[int, Engine] = field(default_factory=dict)
    losses: list[int | None] = field(default_factory=list)
    """For each derivative, the place of its loss among the outputs."""
    updating: source.Trace | None = None
    """Where what becomes of the first parameter is computed."""
    gradients: dict[str, int] = field(default_factory=dict)
    """Parameter name to the place of its gradient among the outputs."""
    handed: dict[int, dict[str, Any]] = field(default_factory=dict)
    """For an update, by its identity: parameter name to the argument of the function that it is handed for it, or a multiple of that."""
    declined: list[tuple[Made, int]] = field(default_factory=list)
    """Optimizers with the place of how many updates they have declined among the outputs."""
    results: dict[str, int] = field(default_factory=dict)
    """Parameter name to the place of what the program made of it among the outputs."""
    ends: dict[str, int] = field(default_factory=dict)
    """The same of what all turns of a loop have made of a parameter."""
    given: Sequence[Any] = ()
    """The inputs of the call that is on its way, one by one."""


def out_of_sight(plan: Plan, at: int) -> list[str]:
    """What is said of a derivative by something that its own program makes: nothing, of data that are made to differentiate by beside the parameters that the call is given."""
    given = [
        all(item in nest.owner.jaxpr.invars for item in found.variables().values())
        for found, nest in zip(plan.programs, plan.nests, strict=True)
    ]
    if any(given) and not is_tree(plan.programs[at].derivation):
        return []
    return [IN_A_LOOP if any(equation.primitive.name in LOOPS for equation, _ in plan.nests[at].path) else LATER]
