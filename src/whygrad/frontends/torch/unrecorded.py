"""What is done in steps that are not recorded: losses and gradients are watched, and a step that goes wrong is explained at once."""

import traceback
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends import source
from whygrad.frontends.torch.spoilt import SpoiltWatch
from whygrad.frontends.torch.terms import TermsWatch
from whygrad.frontends.trajectories import Trajectory
from whygrad.ir import Origin

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder

SOMETIMES = 8
"""Updates after which all parameters are looked over: a few microseconds for each hundred of them."""


class Unrecorded:
    """The recorder's eye on all steps; what it sees it keeps in the symptoms."""

    def __init__(self, recorder: "TorchRecorder") -> None:
        self.recorder = recorder
        self.trajectory = Trajectory(recorder.settings.trajectory)
        self.terms = TermsWatch()
        self.spoilt = SpoiltWatch()
        self._met: dict[str, ReferenceType[Tensor]] = {}
        """Parameters by name, also those of earlier steps."""

    def parameters(self) -> Mapping[str, Any]:
        """What all living parameters hold."""
        with self.recorder.aside():
            self._met |= {owned.name: ref(owned.tensor) for owned in self.recorder.assembly.known_parameters().values()}
            living = {name: tensor for name, held in self._met.items() if (tensor := held()) is not None and _readable(tensor)}
            return {name: tensor.detach().to("cpu", _plain(tensor.dtype)).numpy() for name, tensor in living.items()}

    def loss(self, tensors: Any, frame: FrameType) -> None:
        """Note the loss of every step; where it is not finite, or stands still, in a step that is not recorded, find out why."""
        symptoms, place = self.recorder.symptoms, place_of(frame)
        tensor = tensors[0] if isinstance(tensors, list | tuple) and tensors else tensors
        step = self.recorder.index + (not self.recorder.on and self.recorder.running.updated)
        bad = symptoms.loss(tensor, place, step, lambda: source.trace(frame), self.recorder.optimizers.rate)
        self.trajectory.loss_seen(self.parameters)
        changed = self.terms.changed(tensor, place, symptoms.courses.get(place), judge=not self.recorder.on)
        if self.recorder.on:
            return
        frozen, late = symptoms.frozen(place), symptoms.moved_before(place)
        if (changed or (frozen and late)) and not symptoms.ruined:
            self.recorder.kinds.changed()
        if self.recorder.modules.mode_changed() or (frozen and not late):
            self.recorder.kinds.again()
        if bad and not symptoms.explain(place, step, variables(frame)) and self.recorder.steps:
            with self.recorder.aside():
                self.spoilt.look(frame, tensor, self.recorder.optimizers.parameters(), step, self.recorder.steps[-1].index)

    def stopped(self, problem: BaseException | None) -> None:
        """The program ended in a step that is not recorded: where something refused numbers that are not finite, find out where they came from."""
        symptoms = self.recorder.symptoms
        if problem is None or symptoms.ruined:
            return
        held = [frame.f_locals for frame, _ in traceback.walk_tb(problem.__traceback__) if source.is_user(frame.f_code)][::-1]
        for place in symptoms.templates:
            if symptoms.explain(place, self.recorder.index, held):
                return

    def ended(self) -> None:
        """The program is over: what is still on its way is taken in."""
        self.recorder.symptoms.arrived(wait=True)
        self.trajectory.ended(self.parameters)

    def origins(self) -> tuple[Origin, ...]:
        """All that the run itself has shown of where something is decided."""
        recorder, builder = self.recorder, self.recorder.builder
        lost = recorder.modules.states.lost(builder.sources.text)
        edited = (Origin((name,), setting="edited state", site=builder.site(trace)) for name, trace in lost)
        return (*recorder.optimizers.scalers(builder), *recorder.left_off.origins(builder), *recorder.mixed.origins(builder), *edited)

    def gradient(self, optimizer: Optimizer, frame: FrameType) -> None:
        """In a step that is not recorded: whether the gradient is finite, and whether it all goes to an optimizer."""
        symptoms, running = self.recorder.symptoms, self.recorder.running
        if symptoms.gradient_bad(optimizer) and running.sites:
            symptoms.explain(running.sites[-1], self.recorder.index, variables(frame))
        if symptoms.idle(optimizer):
            self.recorder.kinds.changed() if optimizer in symptoms.alive and not symptoms.ruined else self.recorder.kinds.again()
        if symptoms.revived(optimizer) or self.recorder.optimizers.fell_away(optimizer):
            self.recorder.kinds.again()
        if self.recorder.optimizers.meet(optimizer).steps % SOMETIMES == 0:
            held = self.recorder.optimizers.held()
            thawed, left = self.recorder.watch.thawed(held), self.recorder.watch.left(held)
            if thawed or left:
                self.recorder.kinds.again()


def _readable(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_quantized


def _plain(dtype: torch.dtype) -> torch.dtype:
    """NumPy has no bfloat16."""
    return torch.float32 if dtype.is_floating_point and dtype.itemsize < 4 else dtype  # noqa: PLR2004 - bytes of a float32


def place_of(frame: FrameType) -> tuple[str, int]:
    """File and line of the user's frame."""
    user = source.user_frame(frame)
    return (user.f_code.co_filename, user.f_lineno) if user is not None else ("", 0)


def variables(frame: FrameType | None) -> Iterator[Mapping[str, Any]]:
    """The variables of the user's frames, the innermost first."""
    user = source.user_frame(frame)
    while user is not None:
        yield user.f_locals
        user = source.user_frame(user.f_back)
