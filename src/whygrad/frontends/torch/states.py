"""Dictionaries that `state_dict()` returned to the program, and models that nothing was written to ever since."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn

from whygrad.frontends.edits import written_alone
from whygrad.frontends.source import Trace, at_line, is_user, line_of
from whygrad.frontends.torch.holding import held_in

TIMES = 2
"""Calls of one place from which edits are updates: what is edited once may be looked at, or kept for later."""
ENTRIES = 4096
"""Entries of a parameter that are added up to see whether it is what it was."""


@dataclass(slots=True)
class Taken:
    """The state of one model, taken at one place."""

    module: ReferenceType[nn.Module]
    trace: Trace
    before: dict[int, tuple[int, float]]
    """What each parameter was at first, by id."""
    times: int = 1
    still: bool = True
    """It was the state of this very model each time, and nothing had been written to that."""


@dataclass(slots=True)
class States:
    """All such places."""

    places: dict[tuple[CodeType, int], Taken] = field(default_factory=dict)

    def add(self, module: nn.Module, trace: Trace | None) -> None:
        """The program asked for a model's state."""
        if trace is None or not is_user(trace.user[0][0]):
            return
        found = self.places.get(trace.user[0])
        if found is None:
            self.places[trace.user[0]] = Taken(ref(module), trace, _figures(module))
            return
        found.times += 1
        found.still = found.still and found.module() is module and found.before == _figures(module)

    def lost(self, text: Callable[[str], str]) -> Iterator[tuple[str, Trace]]:
        """The models whose states were edited in vain, as the program calls them, with the place of the first write; `text` gives a file's source."""
        for (code, _), taken in self.places.items():
            module = taken.module()
            still = taken.still and taken.before and (module is None or _figures(module) == taken.before)
            line = line_of(taken.trace.user[0])
            write = written_alone(text(code.co_filename), line, "state_dict") if still and taken.times >= TIMES else None
            if write is not None:
                yield write[1], Trace((at_line(code, write[0]), *taken.trace.user[1:]), ())


def _figures(module: nn.Module) -> dict[int, tuple[int, float]]:
    """For each parameter how often it was written to, and the sum of its first entries: what is written to its `data` is not counted."""
    return {id(parameter): (parameter._version, _sum(parameter)) for parameter in held_in(module)}


def _sum(parameter: Tensor) -> float:
    """Nothing is asked of a device, which would have to be waited for."""
    plain = parameter.device.type == "cpu" and parameter.layout is torch.strided and parameter.is_floating_point()
    return float(parameter.detach().reshape(-1)[:ENTRIES].double().sum()) if plain else 0.0
