"""One step of a model without a loop around it: the loss and its gradient, and everything as it was before."""

import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import jax


def knows(model: object) -> bool:
    """Whether this front end can take a step of such a model: a function and its parameters, an Equinox or an nnx module, a Keras model on JAX."""
    return _is_pair(model) or any(_is_a(model, *kind) for kind in _MODULES) or _is_keras(model)


_MODULES = (("flax.nnx", "Module"), ("equinox", "Module"))


def _is_pair(model: object) -> bool:
    return isinstance(model, tuple) and len(model) == 2 and callable(model[0])  # noqa: PLR2004 - a pair


def _is_a(model: object, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(model, kind)


def _is_keras(model: object) -> bool:
    return "keras" in sys.modules and isinstance(model, sys.modules["keras"].Model) and sys.modules["keras"].backend.backend() == "jax"


def take(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any) -> None:
    """The gradient of `loss_fn(apply(params, inputs), labels)` with respect to the parameters."""
    derivative, parameters = parted(model, loss_fn, inputs, labels)
    derivative(parameters)


def descend(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any, steps: int, rate: float) -> tuple[float, float]:
    """The loss before and after some updates by Adam on this batch."""
    derivative, parameters = parted(model, loss_fn, inputs, labels)
    moments = [[leaf * 0.0 for leaf in _floats(parameters)] for _ in range(2)]
    first, gradient = derivative(parameters)
    last = first
    for step in range(1, steps + 1):
        parameters, moments = _moved(parameters, gradient, moments, step, rate)
        last, gradient = derivative(parameters)
    return float(first), float(last)


def _floats(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree_util.tree_leaves(tree) if _is_float(leaf)]


def _is_float(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact)


def _moved(parameters: Any, gradient: Any, moments: list[Any], step: int, rate: float) -> tuple[Any, list[Any]]:
    """One update by Adam, with its usual decays of 0.9 and 0.999."""
    slopes = _floats(gradient)
    mean = [0.9 * old + 0.1 * new for old, new in zip(moments[0], slopes, strict=True)]
    square = [0.999 * old + 0.001 * new * new for old, new in zip(moments[1], slopes, strict=True)]
    changes = iter(rate * (m / (1 - 0.9**step)) / (jax.numpy.sqrt(v / (1 - 0.999**step)) + 1e-8) for m, v in zip(mean, square, strict=True))
    return jax.tree_util.tree_map(lambda leaf: leaf - next(changes) if _is_float(leaf) else leaf, parameters), [mean, square]


def parted(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any) -> tuple[Callable[[Any], Any], Any]:
    """The value and gradient as a function of the parameters, and the parameters. Nothing of the model is written to."""
    if _is_keras(model):
        return _keras(model, loss_fn, inputs, labels)
    loss_fn = named(loss_fn)
    if _is_a(model, "flax.nnx", "Module"):
        model = _nnx(model)
    if _is_pair(model):
        apply, parameters = model
        derivative = jax.value_and_grad(lambda params, inputs, labels: loss_fn(_called(apply, params, inputs), labels))
        return lambda params: derivative(params, inputs, labels), parameters
    filtered = sys.modules["equinox"].filter_value_and_grad(lambda module, inputs, labels: loss_fn(_called(module, None, inputs), labels))
    return lambda module: filtered(module, inputs, labels), model


def named(function: Callable[..., Any]) -> Callable[..., Any]:
    """A lambda under a name, so that what it does with its arguments is looked at as in any function of the program's."""
    if not isinstance(function, FunctionType) or function.__name__ != "<lambda>":
        return function
    code = function.__code__.replace(co_name="loss_fn")
    made = FunctionType(code, function.__globals__, "loss_fn", function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _nnx(model: Any) -> tuple[Callable[..., Any], Any]:
    """A function of the module's parameters that works on a copy of it, so that its counts and averages stay."""
    nnx = sys.modules["flax.nnx"]
    definition, parameters, rest = nnx.split(model, nnx.Param, ...)
    return lambda params, *args, **kwargs: nnx.merge(definition, params, rest, copy=True)(*args, **kwargs), parameters


def _keras(model: Any, loss_fn: Any, inputs: Any, labels: Any) -> tuple[Callable[[Any], Any], Any]:
    keras = sys.modules["keras"]
    loss = keras.losses.get(loss_fn)
    if not model.built:
        model(inputs)
    fixed = [variable.value for variable in model.non_trainable_variables]

    def value(trainable: Any, inputs: Any, labels: Any) -> Any:
        predicted, _ = model.stateless_call(trainable, fixed, inputs, training=True)
        return keras.ops.mean(loss(labels, predicted))

    derivative = jax.value_and_grad(value)
    return lambda trainable: derivative(trainable, inputs, labels), [variable.value for variable in model.trainable_variables]


def _called(apply: Any, parameters: Any, inputs: Any) -> Any:
    """A tuple gives several arguments, a mapping named ones."""
    before = () if parameters is None else (parameters,)
    if isinstance(inputs, Mapping):
        return apply(*before, **inputs)
    return apply(*before, *inputs) if isinstance(inputs, tuple) else apply(*before, inputs)
