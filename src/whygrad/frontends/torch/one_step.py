"""One step of a model without a loop around it: forward, loss, backward, and everything as it was before."""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def knows(model: object) -> bool:
    """Whether this front end can take a step of such a model."""
    return isinstance(model, nn.Module)


def take(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any) -> None:
    """`loss_fn(model(inputs), labels).backward()` in the model's present mode. A Keras model is called for training, and its loss with the labels first."""
    keras = "keras" in sys.modules and isinstance(model, sys.modules["keras"].Model)
    with undisturbed(model):
        if keras:
            loss = sys.modules["keras"].ops.mean(sys.modules["keras"].losses.get(loss_fn)(labels, model(inputs, training=True)))
        else:
            loss = loss_fn(_called(model, inputs), labels)
        loss.backward()


def descend(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any, steps: int, rate: float) -> tuple[float, float]:
    """The loss before and after some updates by Adam on this batch, with the same random numbers; the model is put back."""
    with undisturbed(model), _weights_kept(model):
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        before = _loss(model, loss_fn, inputs, labels)
        optimizer = torch.optim.Adam(trained, lr=rate)
        for _ in range(steps):
            optimizer.zero_grad()
            loss_fn(_called(model, inputs), labels).backward()
            optimizer.step()
        return before, _loss(model, loss_fn, inputs, labels)


def _loss(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any) -> float:
    with undisturbed(model), torch.no_grad():
        return float(loss_fn(_called(model, inputs), labels))


def _called(model: Any, inputs: Any) -> Any:
    """A tuple gives several arguments, a mapping named ones."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Gradients, buffers and random numbers are afterwards what they were before."""
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    states = _random_states()
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in gradients:
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
        for put, state in states:
            put(state)


def _random_states() -> list[tuple[Callable[[Any], Any], Any]]:
    found: list[tuple[Callable[[Any], Any], Any]] = [(random.setstate, random.getstate()), (torch.set_rng_state, torch.get_rng_state())]
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # PyTorch's
        found.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    if "numpy" in sys.modules:
        import numpy as np

        found.append((np.random.set_state, np.random.get_state()))  # noqa: NPY002 - the state that programs share
    return found


@contextmanager
def _weights_kept(model: nn.Module) -> Iterator[None]:
    kept: list[tuple[Tensor, Tensor]] = [
        (parameter, parameter.detach().clone()) for parameter in model.parameters() if not is_lazy(parameter)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in kept:
                parameter.copy_(value)
