"""Layers of Keras that run, and the places where a user decided what they and their training compute."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any

from whygrad.frontends import source

LAYER = "keras.src.layers.layer.Layer"
AROUND = 200
"""Frames between a primitive and the step that it runs in: a few for each layer around it."""


@dataclass(frozen=True)
class Decided(source.Trace):
    """Where the user decided what a library computes by itself: a layer was made there, or an argument given. No frame runs there."""

    argument: tuple[str, int] | None = None
    """Name and position of that argument."""


def is_layer(owner: object) -> bool:
    """It is one of Keras' layers, or of the user's that are."""
    return _of_layers(type(owner))  # type: ignore[arg-type]  # mypy sees the hash of its instances


@lru_cache(maxsize=1000)
def _of_layers(kind: type) -> bool:
    return any(f"{base.__module__}.{base.__qualname__}" == LAYER for base in kind.__mro__)


def layers_around(frame: FrameType | None) -> Iterator[Any]:
    """The layers that run, the innermost first, up to the step that they run in."""
    for _ in range(AROUND):
        if frame is None or frame.f_code.co_name == "compute_loss_and_updates":
            return
        if frame.f_code.co_name == "__call__" and "self" in frame.f_code.co_varnames + frame.f_code.co_freevars + frame.f_code.co_cellvars:
            owner = frame.f_locals.get("self")
            if is_layer(owner) and frame.f_code.co_filename.endswith("layer.py"):
                yield owner
        frame = frame.f_back


def path_of(frame: FrameType | None) -> str:
    """What Keras calls the innermost running layer, below the model; the model itself by its own name."""
    names = [str(getattr(layer, "name", type(layer).__name__)) for layer in layers_around(frame)][::-1]
    return "/".join(names[1:] or names)
