"""Layers that a model keeps in a plain list or dict, for a program that stopped because its optimizer was given nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from torch import nn

from whygrad.frontends.source import Trace
from whygrad.ir import Outcome, Site

EMPTY = "optimizer got an empty parameter list"
_PLAIN = (list, tuple, dict)
Made = Mapping[int, tuple[nn.Module, Trace]]
"""Id of each module that is still there to it, and to where it was made."""


def explained(outcome: Outcome, made: Made, site: Callable[[Trace], Site | None]) -> Outcome:
    """The same end, with the attribute that holds layers which the model does not know, if it ended so."""
    raised = outcome.exception
    if raised is None or EMPTY not in raised.message:
        return outcome
    found = next(_kept(made), None)
    if found is None:
        return outcome
    name, trace = found
    return replace(outcome, exception=replace(raised, about=name, made=site(trace)))


def _kept(made: Made) -> Iterator[tuple[str, Trace]]:
    for module, _ in made.values():
        for name, value in vars(module).items():
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, _PLAIN) else ()
            layers = [part for part in inside if isinstance(part, nn.Module)] if not name.startswith("_") else []
            if layers and id(layers[0]) in made:
                yield f"{type(module).__name__}.{name}", made[id(layers[0])][1]
