"""What is watched of steps that are not recorded: the loss and one small gradient, read where that costs nothing.

A number on a GPU is copied beside the program's own work and read once it has arrived; nothing here ever waits for a device.
"""

import math
from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends import source
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.torch.changes import Change
from whygrad.frontends.torch.cut_out import CutOut, cut_outs
from whygrad.frontends.torch.cut_out import again as written_again
from whygrad.frontends.torch.identity import version_of
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.replay import TorchReplay
from whygrad.frontends.torch.steps import Builder
from whygrad.ir import Birth, Course, Step

SMALL = 100_000
"""Entries of a gradient up to which it is added up at every update: below 10 µs."""
SETTLED = 4
"""Losses at the start, the recorded ones among them, that tell whether a loss ever moved."""
TRIES = 3
"""How often a symptom is looked into: a program that goes on with NaN shows it in every step."""
IDLE = 8
"""Updates in a row without a gradient, after which steps are recorded again to see why."""
FROZEN = 64
"""Losses in a row, the same to the last bit, after which steps are recorded again to see why."""

Place = tuple[str, int]
_NO_NUMBERS = torch.empty(0)
"""Stands for data that will be there when it is needed."""


@dataclass(slots=True)
class Template:
    """A recorded step's calls, to be run again with a later step's data."""

    replay: TorchReplay
    index: int
    """Number of the step."""
    paths: Mapping[str, int]
    """Path in the loader's batch to object number."""
    names: Mapping[str, tuple[int, torch.dtype, tuple[int, ...]]]
    """The user's variable to object number, dtype and shape."""
    seen: Mapping[int, tuple[ref[Tensor], int]]
    """Object number of such a variable to the tensor and how often it had been written to: where that is still so, nothing is replaced."""
    parts: Mapping[int, CutOut]
    """Object number to the expression that cuts it out of the user's data."""

    def holds(self, number: int, tensor: Tensor) -> bool:
        """It is the tensor of the recorded step, and as it was then."""
        known = self.seen.get(number)
        return known is not None and known[0]() is tensor and known[1] == version_of(tensor)


class Symptoms:
    """Watches losses and gradients of all steps."""

    def __init__(self) -> None:
        self.courses: dict[Place, CourseWatch] = {}
        self.templates: dict[Place, Template] = {}
        self._examined: dict[Place, Template] = {}
        """Of the step under way; they count if it is kept, since values are named by it."""
        self.batch: list[tuple[str, Tensor]] = []
        self.tries = 0
        self.explained: dict[int, tuple[Birth, ...]] = {}
        """Number of a recorded step to what was born in later ones that are like it."""
        self._arriving: deque[tuple[Tensor, Any, CourseWatch, int, float | None]] = deque()
        self._witnesses: WeakKeyDictionary[Optimizer, Any] = WeakKeyDictionary()
        self.gradient_seen_finite = True
        self._idled: WeakSet[Optimizer] = WeakSet()
        self.alive: WeakSet[Optimizer] = WeakSet()
        """Optimizers that have seen a gradient outside of the recorded steps."""
        self._without: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()
        """Updates in a row at which the gradient nearest to the input was gone or exactly zero, of optimizers that have seen one."""

    # --- losses -------------------------------------------------------------------------------------------------

    def loss(self, tensor: object, place: Place, step: int, trace: Callable[[], source.Trace | None], rate: float | None = None) -> bool:
        """Note a loss that is about to be differentiated; True where it is the first of its place that is known not to be finite."""
        if not isinstance(tensor, Tensor) or tensor.numel() != 1 or tensor.is_meta:
            return False
        course = self.courses.get(place)
        if course is None:
            course = self.courses[place] = CourseWatch(trace())
        if tensor.device.type == "cpu":
            return course.add(tensor.detach().item(), step, rate)
        self._send(tensor.detach(), course, step, rate)
        return False

    def _send(self, value: Tensor, course: CourseWatch, step: int, rate: float | None) -> None:
        """Let a number travel here beside the program's own work."""
        if value.device.type != "cuda":
            return
        arriving = torch.empty((), dtype=value.dtype, pin_memory=True)
        arriving.copy_(value.reshape(()), non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch has no types there
        event.record()
        self._arriving.append((arriving, event, course, step, rate))
        self.arrived()

    def arrived(self, *, wait: bool = False) -> None:
        """Take in what has arrived; `wait` at the end of the program alone."""
        while self._arriving and (wait or self._arriving[0][1].query()):
            number, event, course, step, rate = self._arriving.popleft()
            if wait:
                event.synchronize()
            course.add(number.item(), step, rate)

    def frozen(self, place: Place) -> bool:
        """The loss has just stood still for long."""
        course = self.courses.get(place)
        return course is not None and course.row == FROZEN

    @property
    def ruined(self) -> bool:
        """Some loss or gradient was not finite: what comes after is a consequence."""
        return not self.gradient_seen_finite or any(course.non_finite is not None for course in self.courses.values())

    def moved_before(self, place: Place) -> bool:
        """The loss did not stand still from the start."""
        course = self.courses.get(place)
        return course is not None and course.steps > course.row + SETTLED

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradient_bad(self, optimizer: Optimizer) -> bool:
        """The gradient nearest to the input, where everything that goes wrong behind it arrives, is not finite."""
        witness = self._witness(optimizer)
        gradient = witness.grad if witness is not None else None
        if gradient is None:
            if optimizer in self._without:
                self._without[optimizer] += 1
            return False
        if gradient.layout is not torch.strided:
            return False
        total = gradient.detach().sum().item()
        self.gradient_seen_finite = math.isfinite(total)
        gone = total == 0 and not bool(gradient.any())
        self._without[optimizer] = self._without.get(optimizer, 0) + 1 if gone else 0
        if not gone:
            self.alive.add(optimizer)
        return not self.gradient_seen_finite

    def idle(self, optimizer: Optimizer) -> bool:
        """The gradient nearest to the input has just been zero, or gone, for long."""
        return self._without.get(optimizer) == IDLE

    def revived(self, optimizer: Optimizer) -> bool:
        """It has one again after that; told once."""
        if self.idle(optimizer):
            self._idled.add(optimizer)
        back = optimizer in self._idled and self._without.get(optimizer) == 0
        if back:
            self._idled.discard(optimizer)
        return back

    def _witness(self, optimizer: Optimizer) -> Tensor | None:
        found = self._witnesses.get(optimizer)
        if found is None:
            held = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad and p.device.type == "cpu"][:2]
            small = [p for p in held if p.numel() <= SMALL and p.is_floating_point()]
            found = self._witnesses[optimizer] = ref(min(small, key=Tensor.numel)) if small else _nothing
        witness = found()
        return witness if isinstance(witness, Tensor) else None

    # --- explaining a step that was not recorded ----------------------------------------------------------------

    def keep(self, place: Place, replay: TorchReplay, index: int, paths: Mapping[int, str], ledger: Ledger, builder: Builder) -> None:
        """Keep the calls of a recorded step for later, without its graph and without what only it needed."""
        names = ledger.names
        numbers = {slot.number: slot.tensor() for call in replay.calls for slot in call.slots}
        plain = {number: tensor for number, tensor in numbers.items() if tensor is not None and not tensor.requires_grad}
        changing = {number: tensor for number, tensor in plain.items() if number in paths or number in names}
        seen = {number: (ref(tensor), version_of(tensor)) for number, tensor in changing.items()}
        cut = cut_outs(replay.calls, ledger.values, builder.site)
        parts = {number: part for number, part in cut.items() if number in numbers and number not in paths}
        again = replay.without_graph(replay.needed(Change({**dict.fromkeys(parts, _NO_NUMBERS), **changing})))
        named = {names[number]: (number, t.dtype, tuple(t.shape)) for number, t in changing.items() if number in names}
        self._examined[place] = Template(again, index, {path: number for number, path in paths.items()}, named, seen, parts)

    def over(self, *, kept: bool) -> None:
        """The recorded step is over."""
        if kept:
            self.templates |= self._examined
        self._examined = {}

    def explain(self, place: Place, step: int, variables: Iterable[Mapping[str, Any]]) -> bool:
        """Run the calls of the recorded step again on this step's data; True where that shows where the numbers went wrong."""
        template = self.templates.get(place)
        if template is None or self.explained or self.tries >= TRIES:
            return False
        self.tries += 1
        substitutes = self._data(template, variables)
        found = template.replay.births_with(substitutes, step)
        found = tuple(self._updated(birth, template) for birth in found)
        if found:
            self.explained.setdefault(template.index, found)
        return bool(found)

    def _updated(self, birth: Birth, template: Template) -> Birth:
        """A parameter that is not finite though gradients were is the update's doing."""
        known = template.replay.find(birth.value) if birth.stage == "given" and birth.step > 0 and self.gradient_seen_finite else None
        return replace(birth, stage="update") if known is not None and known[1].requires_grad else birth

    def _data(self, template: Template, variables: Iterable[Mapping[str, Any]]) -> dict[int, Tensor]:
        """This step's tensors in the place of the recorded ones: by their place in the batch, and by the names of the user's variables."""
        found: dict[int, Tensor] = {}
        frames = list(variables)
        for held in frames:
            for name, (number, dtype, shape) in template.names.items():
                item = held.get(name)
                if isinstance(item, Tensor) and number not in found and _alike(item, dtype, shape) and not template.holds(number, item):
                    found[number] = item.detach()
        known = ChainMap(*map(dict, frames))
        for number, part in template.parts.items():
            cut = written_again(part, known)
            if cut is not None and _alike(cut, part.dtype, part.shape):
                found[number] = cut.detach()
        found.update({template.paths[path]: tensor for path, tensor in self.batch if path in template.paths})
        return found

    def with_births(self, step: Step) -> Step:
        """A recorded step with what was born in later ones that are like it."""
        later = self.explained.get(step.index, ())
        return replace(step, births=(*step.births, *later)) if later else step

    def records(self, builder: Builder) -> tuple[Course, ...]:
        """The neutral record of each course."""
        return tuple(course.record(builder.site(course.trace)) for course in self.courses.values() if course.steps)


def _nothing() -> None:
    """Stands for a witness that there is none of."""


def _alike(item: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> bool:
    """The tensor can stand for one of that dtype and shape, but for the number of examples."""
    return item.dtype == dtype and item.dim() == len(shape) and tuple(item.shape[1:]) == shape[1:] and not item.requires_grad
