"""Layers that a model keeps in a plain list or dict, for a program that stopped because its optimizer was given nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from torch import nn

from whygrad.frontends.source import Trace
from whygrad.frontends.torch.holding import held_in, holds
from whygrad.ir import Outcome, Site
from whygrad.ir.record import ALL_FROZEN, NONE_CHOSEN

EMPTY = "optimizer got an empty parameter list"
_PLAIN = (list, tuple, dict)
Made = Mapping[int, tuple[nn.Module, Trace]]
"""Id of each module that is still there to it, and to where it was made."""


def explained(outcome: Outcome, made: Made, site: Callable[[Trace | None], Site | None], freezing: Trace | None) -> Outcome:
    """The same end, with the attribute that holds layers which the model does not know, if it ended so, or else with what the parameters are.

    `freezing` is where parameters were frozen last.
    """
    raised = outcome.exception
    if raised is None or EMPTY not in raised.message:
        return outcome
    name, trace = next(_kept(made), None) or _all_alike(made, freezing)
    return replace(outcome, exception=replace(raised, about=name, made=site(trace)))


def _all_alike(made: Made, freezing: Trace | None) -> tuple[str, Trace | None]:
    """Of parameters that modules know of: whether all are frozen, or some could be trained."""
    trainable = {parameter.requires_grad for module, _ in made.values() for parameter in held_in(module)}
    return (NONE_CHOSEN, None) if True in trainable else (ALL_FROZEN, freezing) if trainable else ("", None)


def _kept(made: Made) -> Iterator[tuple[str, Trace]]:
    """Layers with parameters that stand in a container of one module and are children of none."""
    known = {id(child) for module, _ in made.values() for child in module.children()}
    for module, _ in made.values():
        for name, value in vars(module).items():
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, _PLAIN) else ()
            layers = [part for part in inside if isinstance(part, nn.Module)] if not name.startswith("_") else []
            unknown = [part for part in layers if id(part) in made and id(part) not in known and holds(part)]
            if unknown:
                yield f"{type(module).__name__}.{name}", made[id(unknown[0])][1]
