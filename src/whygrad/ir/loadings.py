"""What was put into a model's parameters beside the updates: saved weights, and initial values once more."""

from dataclasses import dataclass

from whygrad.ir.sites import Site


@dataclass(frozen=True, slots=True)
class Loading:
    """Saved weights of which a model took none, as it knows no tensor by any of their names."""

    name: str = ""
    """The user's variable for the model, or its class."""
    given: int = 0
    """Tensors that were handed over."""
    own: int = 0
    """Tensors that the model has."""
    first: str = ""
    """The name of the first that was handed over."""
    missed: str = ""
    """The name of the first that the model has."""
    strip: str = ""
    """What the names that were handed over begin with, and would have to lose; "" where that is not it."""
    put: str = ""
    """What they would have to begin with instead."""
    fitting: int = 0
    """How many would then be of a name and a shape that the model has."""
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class Redraw:
    """Parameters that were given initial values, or those that they began with, again and again, between updates of one and the same optimizer."""

    names: tuple[str, ...] = ()
    optimizer: str = ""
    times: int = 0
    """Moments at which it happened, each after another update."""
    first: int = 0
    """Updates that the optimizer had taken at the first of them."""
    last: int = 0
    """And at the last."""
    site: Site | None = None
    loaded: bool = False
    """They were given the weights that the model had before its first update, which had been saved; `names` is then the model's."""
