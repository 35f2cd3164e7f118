"""Interventions that are more than one changed replay."""

from typing import Protocol

from whygrad.frontends.torch.descent import Descent
from whygrad.frontends.torch.futures import Sequenced, perturbed
from whygrad.frontends.torch.noise import Drawing, reseeded
from whygrad.frontends.torch.probes import Probed, against_differences, without_hooks
from whygrad.ir import Descend, Differentiate, Intervention, Perturb, Reseed, Trial, Unhook


class Everything(Probed, Sequenced, Drawing, Protocol):
    """What these experiments need of a replay."""


def special(replay: Everything, descent: Descent, intervention: Intervention) -> Trial | None:
    """The trial of an intervention that has a way of its own; None for one that is a single change."""
    match intervention:
        case Descend():
            return descent.run(intervention)
        case Unhook():
            return without_hooks(replay, intervention)
        case Differentiate():
            return against_differences(replay, intervention)
        case Perturb():
            return perturbed(replay, intervention)
        case Reseed():
            return reseeded(replay, intervention)
    return None
