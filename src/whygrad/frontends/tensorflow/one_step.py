"""One step of a model without a loop around it: forward, loss, gradient, and everything as it was before."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from whygrad.frontends.tensorflow._compat import tf


def knows(model: object) -> bool:
    """Whether this front end can take a step of such a model: a Keras model or a `tf.Module`."""
    return isinstance(model, tf.Module) or (_is_keras(model) and sys.modules["keras"].backend.backend() == "tensorflow")


def _is_keras(model: object) -> bool:
    return "keras" in sys.modules and isinstance(model, sys.modules["keras"].Model)


def take(model: Any, loss_fn: Any, inputs: Any, labels: Any) -> None:
    """`loss_fn(labels, model(inputs))` under a tape, and its gradient. A Keras model is called for training; its loss may be what `compile` takes."""
    with undisturbed(model):
        _gradients(model, loss_fn, inputs, labels)


def descend(model: Any, loss_fn: Any, inputs: Any, labels: Any, steps: int, rate: float) -> tuple[float, float]:
    """The loss before and after some updates by Adam on this batch; the model is put back."""
    kept = [(variable, tf.identity(variable)) for variable in model.trainable_variables]
    try:
        with undisturbed(model):
            before = float(_loss(model, loss_fn, inputs, labels))
        with undisturbed(model):
            optimizer = tf.keras.optimizers.Adam(rate)
            for _ in range(steps):
                optimizer.apply_gradients(
                    [
                        pair
                        for pair in zip(_gradients(model, loss_fn, inputs, labels), model.trainable_variables, strict=True)
                        if pair[0] is not None
                    ]
                )
        with undisturbed(model):
            return before, float(_loss(model, loss_fn, inputs, labels))
    finally:
        for variable, value in kept:
            variable.assign(value)


def _gradients(model: Any, loss_fn: Any, inputs: Any, labels: Any) -> Any:
    with tf.GradientTape() as tape:
        loss = _loss(model, loss_fn, inputs, labels)
    return tape.gradient(loss, list(model.trainable_variables))


def _loss(model: Any, loss_fn: Any, inputs: Any, labels: Any) -> Any:
    labels = tf.nest.map_structure(tf.convert_to_tensor, labels)
    if not _is_keras(model):
        return loss_fn(labels, _called(model, inputs))
    return tf.reduce_mean(sys.modules["keras"].losses.get(loss_fn)(labels, model(inputs, training=True)))


def _called(model: Any, inputs: Any) -> Any:
    """A tuple gives several arguments, a mapping named ones."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Variables that are not trained, those of seeds and moving averages among them, are afterwards what they were before."""
    generator = tf.random.get_global_generator()
    state = tf.identity(generator.state)
    kept = [(variable, tf.identity(variable)) for variable in getattr(model, "non_trainable_variables", ())]
    try:
        yield
    finally:
        for variable, value in kept:
            variable.assign(value)
        generator.reset(state)
