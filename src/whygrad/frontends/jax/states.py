"""Whether the state that an optimizer's update returns is what its next update is given."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.derivations import leaves

if TYPE_CHECKING:
    from whygrad.frontends.jax.transformations import Made


class States:
    """The states and parameters of the step before this one: the smallest array of each, known by identity."""

    def __init__(self) -> None:
        self.before: dict[int, Any] = {}
        self.now: dict[int, Any] = {}
        self.parameter: Any = None
        self.same_parameters = True

    def opened(self, parameters: Sequence[Any]) -> None:
        """A recorded step begins, with these parameters."""
        found = smallest(parameters)
        self.same_parameters = found is self.parameter
        self.parameter = found
        self.before, self.now = self.now, {}

    def given(self, entry: "Made | None", state: Any) -> None:
        """An update is given this array of its state; None where it has none."""
        if entry is None or state is None:
            return
        known = self.before.get(id(entry))
        if known is not None and id(entry) not in self.now:
            entry.compared += 1
            # timid: where the parameters are those from before too, it is the whole step whose results are dropped
            entry.restarts += known is state and not self.same_parameters
        self.now[id(entry)] = state


def smallest(items: Sequence[Any]) -> Any:
    """The smallest array among some; None where there is none."""
    return min((item for item in items if _compat.is_array(item)), key=lambda item: int(getattr(item, "size", 0)), default=None)


def state_of(rest: Sequence[Any], more: dict[str, Any]) -> Any:
    """The smallest array of the state among an update's arguments."""
    return smallest(leaves(rest[0] if rest else more.get("state")))
