"""What a compiled step of Keras' was made for."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Compiled:
    """What a compiled step trains: it was traced once, with the variables that were trainable then."""

    looked: int = -1
    """Switches of `trainable` that had happened when this was last compared."""
    trained: frozenset[int] | None = None


def trained_by(model: Any) -> frozenset[int]:
    """Ids of the variables that a step of this model would train if it were made now."""
    return frozenset(id(variable) for variable in model.trainable_variables)
