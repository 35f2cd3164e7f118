"""Keras on JAX, told as JAX's own: what stands for an optimizer, what a layer is called, and where a place was decided."""

import sys
import time
from types import SimpleNamespace
from typing import Any, cast

import jax.numpy as jnp
import pytest

from whygrad.frontends import source
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.keras import Keras
from whygrad.frontends.jax.layers import Decided, is_layer, path_of
from whygrad.frontends.jax.optimizers import Optimizers


class Adam:
    """As Keras' own, as far as it is read."""

    beta_1, beta_2, epsilon, weight_decay = 0.9, 0.99, 1e-7, None

    def __init__(self, rate: Any) -> None:
        self._learning_rate = rate


def made_of(optimizer: Adam) -> Any:
    owner = SimpleNamespace(optimizers=Optimizers(cast("Any", None)), stopped=False)
    keras = Keras(cast("Any", owner))
    keras.learn(optimizer)
    return owner.optimizers, keras.optimizer(optimizer)


def test_what_stands_for_an_optimizer_has_its_name_its_rate_and_its_settings():
    optimizers, entry = made_of(Adam(SimpleNamespace(_value=jnp.float32(0.5))))

    assert entry.native == "Adam"
    assert optimizers.rate_at(entry, 3) == 0.5
    assert (entry.settings["beta1"], entry.settings["eps"]) == (0.9, 1e-7)
    assert optimizers.used() == [entry]


def test_a_rate_that_is_not_at_hand_is_not_known():
    optimizers, entry = made_of(Adam(SimpleNamespace(_value=None)))

    assert optimizers.rate_at(entry, 0) is None


def test_a_schedule_is_asked_for_the_rate_of_each_update():
    class Halving:
        def __call__(self, step: int) -> float:
            return 0.8 / float(2**step)

    optimizers, entry = made_of(Adam(Halving()))

    assert [optimizers.rate_at(entry, step) for step in range(3)] == pytest.approx([0.8, 0.4, 0.2])


class Layer:
    """As Keras' own, as far as it is read."""

    __module__, __qualname__ = "keras.src.layers.layer", "Layer"

    def __init__(self, name: str) -> None:
        self.name = name


def test_a_layer_goes_by_keras_name_for_it_below_the_model():
    running = compile("def __call__(self, inner):\n    return inner()\n", "site-packages/keras/src/layers/layer.py", "exec")
    namespace: dict[str, Any] = {}
    exec(running, namespace)  # a frame that looks like Keras' own
    model, dense = Layer("net"), Layer("dense")

    found = namespace["__call__"](model, lambda: namespace["__call__"](dense, lambda: path_of(sys._getframe())))

    assert found == "dense"
    assert namespace["__call__"](model, lambda: path_of(sys._getframe())) == "net"
    assert path_of(sys._getframe()) == ""
    assert is_layer(dense)
    assert not is_layer(object())


def compiling(loss: str, metrics: str) -> source.Trace | None:
    _ = loss, metrics
    return source.trace(sys._getframe(1))


def test_what_a_library_computes_is_told_at_the_argument_that_decided_it():
    trace = compiling(loss="mse", metrics="mae")
    assert trace is not None
    builder = Builder(source.Sources(time.time()))

    whole, chosen = builder.site(trace), builder.site(Decided(trace.user, trace.library, ("loss", 1)))

    assert whole is not None
    assert chosen is not None
    assert whole.text[whole.column - 1 : whole.end_column - 1] == 'compiling(loss="mse", metrics="mae")'
    assert chosen.text[chosen.column - 1 : chosen.end_column - 1] == '"mse"'
