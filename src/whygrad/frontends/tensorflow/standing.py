"""Single numbers that a program keeps in variables, such as the factor of a term: which of them stand at the end where recorded steps found them."""

from collections.abc import Iterable

import numpy as np

from whygrad.frontends.tensorflow.values import Values
from whygrad.ir import Step, Value


def standing(steps: Iterable[Step], values: Values) -> tuple[str, ...]:
    """The names of their values in the recorded steps."""
    kept = {value.name: value for step in steps for value in step.graph.values.values() if value.role == "buffer" and value.shape == ()}
    living = {entry.number: variable for entry, variable in values.living()} if kept else {}
    return tuple(name for name, value in kept.items() if _stands(value, living.get(_number(name))))


def _number(name: str) -> int:
    """Of the variable, of whose value at one time or another this is the name."""
    digits = name.removeprefix("t").partition(".")[0]
    return int(digits) if digits.isdecimal() else -1


def _stands(value: Value, variable: object) -> bool:
    figures = value.statistics
    if figures is None or figures.minimum is None or variable is None:
        return False
    now = np.asarray(variable.numpy())  # type: ignore[attr-defined]  # a variable of TensorFlow's, which has no type here
    return now.dtype.kind in "biuf" and float(now) == figures.minimum
