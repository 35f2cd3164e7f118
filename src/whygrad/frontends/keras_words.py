"""What Keras calls the settings of its optimizers, and which of its schedules can be asked, on every backend. Imports no framework."""

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

from whygrad.frontends.codes import names_in, parts_of
from whygrad.ir import Attribute

SETTINGS = {
    "momentum": "momentum", "nesterov": "nesterov", "beta_1": "beta1", "beta_2": "beta2", "epsilon": "eps", "weight_decay": "weight_decay",
    "rho": "alpha", "amsgrad": "amsgrad", "centered": "centered", "clipnorm": "clipnorm", "clipvalue": "clipvalue",
    "global_clipnorm": "global_clipnorm", "gradient_accumulation_steps": "accumulation",
}  # fmt: skip


def settings_of(optimizer: Any) -> dict[str, Attribute]:
    """Settings under the names that rules know."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    found: dict[str, Attribute] = {}
    for theirs, ours in SETTINGS.items():
        value = getattr(inner, theirs, None)
        if isinstance(value, bool | int | float):
            found[ours] = value
    if getattr(inner, "use_ema", False) and isinstance(every := getattr(inner, "ema_overwrite_frequency", None), int) and every:
        found |= {"ema_overwrite_frequency": every, "ema_momentum": float(inner.ema_momentum)}
    return found


STORING = frozenset(
    (
        "STORE_ATTR",
        "DELETE_ATTR",
        "STORE_SUBSCR",
        "DELETE_SUBSCR",
        "STORE_SLICE",
        "STORE_GLOBAL",
        "DELETE_GLOBAL",
        "STORE_DEREF",
        "YIELD_VALUE",
    )
)
"""Instructions after which something outside the call is another."""
TELLING = frozenset({
    "print", "open", "write", "append", "extend", "add", "update", "insert", "pop", "remove", "clear", "setattr", "input", "next", "scalar",
    "log", "info", "debug", "warning", "assign", "assign_add", "assign_sub", "random", "normal", "uniform",
})  # fmt: skip
"""Names by which a call tells, keeps or draws something."""


def reckons(schedule: Any) -> bool:
    """A schedule does nothing but reckon as it is called, so that it can be asked: it is Keras' own, or its code stores, tells and draws nothing.

    timid: of the functions that it calls only those are read that its class or its module has by that name.
    """
    kind = type(schedule)
    if kind.__module__.partition(".")[0] == "keras":
        return True
    function, home = (schedule, schedule) if hasattr(schedule, "__code__") else (kind.__call__, kind)
    codes = list(_codes(function, home, set()))
    return bool(codes) and not any(_acts(code) for code in codes)


def _codes(function: Any, home: Any, seen: set[CodeType]) -> Iterator[CodeType]:
    """The code of a function, and of those of its class and its module that it names."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is None or code in seen:
        return
    seen.add(code)
    yield from parts_of(code)
    names = getattr(function, "__globals__", {})
    for name in names_in(code):
        known = getattr(home, name, None) or names.get(name)
        if getattr(known, "__module__", None) == home.__module__:
            yield from _codes(known, home, seen)


def _acts(code: CodeType) -> bool:
    return any(one.opname in STORING for one in dis.get_instructions(code)) or not TELLING.isdisjoint(code.co_names)
