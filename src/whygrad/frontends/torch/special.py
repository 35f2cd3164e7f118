"""Interventions that are more than one changed replay."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from whygrad.frontends.torch.descent import Descent
from whygrad.frontends.torch.futures import Sequenced, perturbed
from whygrad.frontends.torch.noise import Drawing, reseeded
from whygrad.frontends.torch.probes import Probed, against_differences, without_hooks
from whygrad.frontends.torch.words import reworded
from whygrad.frontends.trajectories import Array, followed
from whygrad.ir import Descend, Differentiate, Follow, Intervention, Perturb, Reseed, Reword, Trial, Unhook


class Everything(Probed, Sequenced, Drawing, Protocol):
    """What these experiments need of a replay."""

    known: Mapping[str, Tensor]
    """All parameters by name, frozen ones too."""


def special(replay: Everything, descent: Descent, intervention: Intervention) -> Trial | None:
    """The trial of an intervention that has a way of its own; None for one that is a single change."""
    match intervention:
        case Descend():
            found = descent.run(intervention)
        case Unhook():
            found = without_hooks(replay, intervention)
        case Differentiate():
            found = against_differences(replay, intervention)
        case Perturb():
            found = perturbed(replay, intervention)
        case Reword():
            found = reworded(replay, intervention)
        case Reseed():
            found = reseeded(replay, intervention)
        case Follow():
            own = {name: tensor for name, tensor in replay.known.items() if tensor.is_floating_point()}
            found = followed(intervention, {name: tuple(t.shape) for name, t in own.items()}, lambda given: _loss_with(replay, own, given))
        case _:
            return None
    return found


def _loss_with(replay: Everything, own: Mapping[str, Tensor], given: Mapping[str, Array]) -> float:
    """The step's loss with other numbers in some of its parameters."""
    copies = {name: torch.from_numpy(given[name]) if name in given else tensor.detach().clone() for name, tensor in own.items()}
    return replay.stepped({}, {name: copy.to(own[name].device, own[name].dtype).requires_grad_() for name, copy in copies.items()})[0]
