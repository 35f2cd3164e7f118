"""What is known of a step that was not recorded and whose backward was refused: the program stops there."""

from collections.abc import Iterator
from dataclasses import replace
from inspect import getattr_static
from types import FrameType
from typing import TYPE_CHECKING

from torch import Tensor, nn

from whygrad.frontends.torch.calls import Happened
from whygrad.frontends.torch.modules import Owned
from whygrad.ir import Raised, Step

if TYPE_CHECKING:
    from whygrad.frontends.torch.recorder import TorchRecorder


def refused_step(recorder: "TorchRecorder", problem: Raised) -> Step:
    """The step that the program ended in was not recorded, and its backward was refused: the last switch, the refusal, and what `nothing_to_train` found."""
    switch = recorder.refused_under
    happened = [Happened("tracking", 0, (), switch, {"on": False})] if switch is not None else []
    happened.append(Happened("exception", 0, (), None, {"type": problem.type, "message": problem.message}))
    kind = recorder.steps[-1].kind
    if recorder.running.seen:
        return replace(recorder.assembly.build(recorder.index, recorder.running, [], happened), kind=kind)
    return Step(recorder.index, kind, events=recorder.builder.events(happened, []))


def nothing_to_train(recorder: "TorchRecorder", frame: FrameType) -> dict[int, Owned]:
    """The parameters of the optimizer that was made last, if it has never stepped and all of them are frozen; else none."""
    made = [entry for entry in recorder.optimizers.all() if entry.reference() is not None]
    optimizer = made[-1].reference() if made and not made[-1].steps else None
    held: list[Tensor] = [one for group in optimizer.param_groups for one in group["params"]] if optimizer is not None else []
    if not held or any(parameter.requires_grad for parameter in held):
        return {}
    ours = {id(parameter) for parameter in held}
    return next((named for model in _models(frame) if ours <= (named := _named(model, ours)).keys()), {})


def _models(frame: FrameType | None) -> Iterator[nn.Module]:
    """Models that the functions under way hold by a name, the innermost first: what has not run in a recorded step is not known otherwise.

    A trainer's `model` is read as it is stored: a property would run what is the program's own.
    """
    while frame is not None:
        for held in tuple(frame.f_locals.values()):
            yield from (one for one in (held, getattr_static(held, "model", None)) if isinstance(one, nn.Module))
        frame = frame.f_back


def _named(model: nn.Module, ours: set[int]) -> dict[int, Owned]:
    """These parameters, as the model names them."""
    owners = {id(one): type(part).__name__ for part in model.modules() for one in part.parameters(recurse=False)}
    named = ((id(one), name, one) for name, one in model.named_parameters() if id(one) in ours)
    return {key: Owned(name, one, True, owners[key], False, "") for key, name, one in named}
