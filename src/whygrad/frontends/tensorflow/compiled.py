"""What a compiled step of Keras' was made for."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from whygrad.frontends.tensorflow.settled import Settled, compiled_in, of_model


@dataclass(slots=True)
class Compiled:
    """What a compiled step trains: it was traced once, with the variables that were trainable then."""

    looked: int = -1
    """Switches of `trainable` that had happened when this was last compared."""
    trained: frozenset[int] | None = None
    functions: tuple[Any, ...] = ()
    """What was compiled."""

    def settled(self, settled: Settled, function: Any, model: Any) -> None:
        """It was called: what it goes on reading of the program's numbers."""
        self.functions = self.functions or compiled_in(function)
        if self.functions:
            settled.called(self.functions[0], self.functions, partial(of_model, model))


def trained_by(model: Any) -> frozenset[int]:
    """Ids of the variables that a step of this model would train if it were made now."""
    return frozenset(id(variable) for variable in model.trainable_variables)
