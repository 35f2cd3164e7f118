"""A step that was not recorded and can't be run again, since its shapes are its own: which of the program's variables hold NaN when its loss is not finite."""

import dis
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import FrameType

from torch import Tensor

from whygrad.frontends import source
from whygrad.frontends.source import Trace
from whygrad.frontends.torch.lowering import dtype_name
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Attribute, Event, Step

LARGE = 1_000_000
"""Entries of a tensor up to which it is looked through."""
FRAMES = 3
"""Functions from the backward outwards whose variables are looked at."""
_STORES = ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A variable that held NaN, and where it was given its value."""

    step: int
    name: str
    type: str
    entries: int
    trace: Trace


@dataclass(slots=True)
class SpoiltWatch:
    """The first such variable of the run."""

    found: Spoilt | None = None
    index: int = -1
    """Number of the recorded step that is told of it."""

    def look(self, frame: FrameType, loss: object, parameters: Iterable[Tensor], step: int, index: int) -> None:
        """Look through the variables, unless a parameter is at fault already."""
        if self.found is None and not any(_spoilt(parameter) for parameter in parameters):
            self.found, self.index = next(_of_frames(frame, loss, step), None), index

    def into(self, step: Step, builder: Builder) -> Step:
        """The recorded step with what was seen in the later one."""
        found = self.found
        if found is None or step.index != self.index:
            return step
        told: dict[str, Attribute] = {"name": found.name, "type": found.type, "entries": found.entries, "step": found.step}
        event = Event("spoilt", len(step.graph.ops), (), builder.site(found.trace), told)
        return replace(step, events=(*step.events, event))


def _of_frames(frame: FrameType, loss: object, step: int) -> Iterator[Spoilt]:
    """The variable that was assigned first, of the innermost function that has one."""
    frames = list(source.user_frames(frame))
    for at, one in enumerate(frames[:FRAMES]):
        held = {name: item for name, item in one.f_locals.items() if isinstance(item, Tensor) and item is not loss and _spoilt(item)}
        stored = sorted((offset, name) for name in held if (offset := _last_store(one, name)) is not None)
        for offset, name in stored[:1]:
            outer = tuple((other.f_code, other.f_lasti) for other in frames[at + 1 :])
            shape = ",".join(str(size) for size in held[name].shape)
            yield Spoilt(
                step, name, f"{dtype_name(held[name].dtype)}[{shape}]", held[name].numel(), Trace(((one.f_code, offset), *outer), ())
            )


def _last_store(frame: FrameType, name: str) -> int | None:
    """Where a name was given its value last, above the place that runs; None for what the function was given."""
    stores = (ins.offset for ins in dis.get_instructions(frame.f_code) if ins.opname in _STORES and ins.argval == name)
    return max((offset for offset in stores if offset < frame.f_lasti), default=None)


def _spoilt(item: Tensor) -> bool:
    """It holds NaN: infinity may be meant, as in a mask or as a first best loss."""
    readable = item.device.type == "cpu" and item.is_floating_point() and not item.is_sparse and 0 < item.numel() <= LARGE
    return readable and bool(item.detach().isnan().any())
