"""Keras on PyTorch, told as PyTorch's own: what stands for an optimizer, and what a layer is called."""

from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import nn

from whygrad.frontends.torch.descent import copies
from whygrad.frontends.torch.keras import Keras, Standing, held_by_layers, is_keras, path_of


class Adam:
    """As Keras' own, as far as it is read."""

    beta_1, beta_2, epsilon, weight_decay, learning_rate = 0.9, 0.99, 1e-7, None, 0.01

    def __init__(self, *held):
        self._trainable_variables = [SimpleNamespace(_value=item) for item in held]


class Layer(nn.Module):
    """As Keras' own, as far as it is read."""

    torch_params = None

    def __init__(self, name, *values):
        super().__init__()
        self.name = name
        self._trainable_variables = [SimpleNamespace(_value=item, path=f"net/{name}/kernel") for item in values]
        self._non_trainable_variables = []


def standing(optimizer: Adam) -> Any:
    return Keras.standing(cast("Keras", SimpleNamespace(_standing={})), optimizer)


def test_what_stands_for_an_optimizer_has_its_name_its_variables_and_its_settings():
    weight = nn.Parameter(torch.ones(2))
    optimizer = Adam(weight)
    found = standing(optimizer)
    group = found.param_groups[0]

    assert type(found).__name__ == "Adam"
    assert isinstance(found, Standing)
    assert group["params"][0] is weight
    assert (group["lr"], group["eps"], group["betas"]) == (0.01, 1e-7, (0.9, 0.99))
    assert list(copies({"w": weight}, [cast("torch.optim.Optimizer", found)])) == ["w"]


def test_an_optimizer_that_is_gone_holds_nothing():
    found = standing(Adam(nn.Parameter(torch.ones(2))))

    assert found.param_groups[0]["params"] == []
    assert found.param_groups[0]["lr"] is None


def test_a_layer_goes_by_keras_name_for_it_below_the_model():
    model, inner = Layer("net"), Layer("dense", torch.ones(1))
    vars(model)["_flatten_layers"] = lambda: (model, inner)

    assert path_of([model, inner]) == "dense"
    assert path_of([model]) == "net"
    assert [(layer.name, called) for _, layer, called in held_by_layers(model)] == [("dense", "dense/kernel")]
    assert not is_keras(nn.Linear(1, 1))
    assert list(held_by_layers(nn.Linear(1, 1))) == []
