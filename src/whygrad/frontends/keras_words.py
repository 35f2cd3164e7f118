"""What Keras calls the settings of its optimizers, on every backend. Imports no framework."""

from typing import Any

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
