"""Loggers that trainers already have, each as a function of figures and a step."""

from collections.abc import Callable, Mapping
from typing import Any

from whygrad.errors import WhygradError

PREFIX = "whygrad/"


def taking(logger: Any) -> Callable[[Mapping[str, float], int], object]:
    """How a logger takes figures: known by the method that it has, so that none needs to be installed."""
    if callable(getattr(logger, "add_scalar", None)):  # TensorBoard's SummaryWriter
        return lambda figures, step: [logger.add_scalar(PREFIX + name, value, step) for name, value in figures.items()]
    if callable(getattr(logger, "log_metrics", None)):  # MLflow, and Lightning's loggers
        return lambda figures, step: logger.log_metrics(prefixed(figures), step=step)
    if callable(getattr(logger, "log", None)):  # a run of W&B, an Accelerator
        return lambda figures, step: logger.log(prefixed(figures), step=step)
    if callable(logger):
        return logger  # type: ignore[no-any-return]  # a function of the user's
    raise WhygradError(
        f"no way is known to log to a `{type(logger).__name__}`",
        help="give a function that takes a mapping of figures and the step's number",
    )


def prefixed(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures under names that say where they come from."""
    return {PREFIX + name: value for name, value in figures.items()}
