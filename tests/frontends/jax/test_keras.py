"""Keras on JAX, told as JAX's own: what stands for an optimizer, what a layer is called, and where a place was decided."""

import os
import sys
import time
from types import SimpleNamespace
from typing import Any, cast

os.environ["KERAS_BACKEND"] = "jax"  # read as Keras is imported

import jax.numpy as jnp
import keras
import pytest

from whygrad.frontends import source
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.keras import Keras
from whygrad.frontends.jax.layers import Decided, is_layer, path_of
from whygrad.frontends.jax.optimizers import Optimizers
from whygrad.ir import Batches, Event, Step


def made_of(optimizer: Any) -> Any:
    owner = SimpleNamespace(optimizers=Optimizers(cast("Any", None)), stopped=False)
    keras = Keras(cast("Any", owner))
    keras.learn(optimizer)
    return owner.optimizers, keras.optimizer(optimizer)


def test_what_stands_for_an_optimizer_has_its_name_its_rate_and_its_settings():
    optimizers, entry = made_of(keras.optimizers.Adam(0.5, beta_1=0.8))

    assert entry.native == "Adam"
    assert optimizers.rate_at(entry, 3) == 0.5
    assert (entry.settings["beta1"], entry.settings["eps"]) == (0.8, 1e-7)
    assert optimizers.used() == [entry]


def test_a_schedule_of_keras_is_asked_for_the_rate_of_each_update():
    optimizers, entry = made_of(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.8, 1, 0.5)))

    assert [optimizers.rate_at(entry, step) for step in range(3)] == pytest.approx([0.8, 0.4, 0.2])


def test_a_schedule_of_the_users_own_is_not_called():
    calls: list[int] = []

    class Counted(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
        def __call__(self, step: int) -> float:
            calls.append(step)
            return 0.1

    for schedule in (Counted(), lambda: calls.append(0)):
        optimizers, entry = made_of(keras.optimizers.SGD(schedule))

        assert optimizers.rate_at(entry, 3) is None
    assert calls == []


def test_a_layer_goes_by_keras_name_for_it_below_the_model():
    found: list[str] = []

    class Asking(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        def call(self, rows: Any) -> Any:
            found.append(path_of(sys._getframe()))
            return rows

    keras.Sequential([Asking(name="asking")], name="net")(jnp.ones((2, 3)))

    assert found[-1] == "asking"
    assert path_of(sys._getframe()) == ""
    assert is_layer(Asking())
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


def handing_out(calls: int, *steps: tuple[str, ...]) -> tuple[Batches, ...]:
    """What is known of the batches of such steps, in a program that calls `fit` in so many places."""
    owner = SimpleNamespace(optimizers=None, stopped=False, builder=Builder(source.Sources(time.time() + 9)))
    watched = Keras(cast("Any", owner))
    watched._drivers = {(sys._getframe().f_code, 2 * at): None for at in range(calls)}
    recorded = [Step(at, events=(Event("batch", 0, names),)) for at, names in enumerate(steps)]
    return watched.handed_out((Batches("[25]", 2, values=("y0", "y1"), minimum=0.0),), recorded)


def test_fit_hands_out_what_it_was_given():
    labels, inputs = handing_out(1, ("x0", "y0"), ("x1", "y1"))

    assert (labels.path, labels.minimum, inputs.path, inputs.values) == ("[1]", 0.0, "[0]", ("x0", "x1"))
    assert labels.site is not None
    assert labels.site == inputs.site


@pytest.mark.parametrize(("calls", "steps"), [(2, [("x0", "y0")]), (0, [("x0", "y0")]), (1, [("x0", "x1", "y0")]), (1, [])])
def test_what_fit_was_given_is_not_told_where_it_may_be_another(calls: int, steps: list[tuple[str, ...]]):
    (labels,) = handing_out(calls, *steps)

    assert (labels.path, labels.site) == ("[25]", None)
