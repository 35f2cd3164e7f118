"""Keras itself on PyTorch: what a program asks of its layers is what it gets without whygrad, and each parameter is known once."""

from textwrap import dedent

import pytest

from frontends.torch.torch_run import Run, plain, whygrad

PROGRAM = """
    import os
    os.environ["KERAS_BACKEND"] = "torch"
    import keras, numpy as np
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    hidden, norm, head = keras.layers.Dense(8, activation="relu"), keras.layers.BatchNormalization(), keras.layers.Dense(2)
    inputs = keras.Input((6,))
    model = keras.Model(inputs, head(norm(hidden(inputs))))

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)]

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    class Pair(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)

        def call(self, x):
            return self.second(self.first(x))

    unbuilt = keras.Sequential([keras.layers.Dense(4, activation="relu"), Pair()])
    within = keras.Model(inputs, Pair()(inputs))
    for net in (model, Net(), unbuilt, within):
        net.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        history = net.fit(x, y, batch_size=16, epochs=2, verbose=0, shuffle=False)
        print([float(v) for v in history.history["loss"]])
        for layer in (net, *net._flatten_layers(include_self=False)):
            print(layer.name, [(name, tuple(p.shape), str(p.device), p.requires_grad) for name, p in layer.named_parameters()])
    print(sorted(name for name, _ in model.named_parameters()))
    print([name for name in vars(hidden) if "torch_params" in name], [type(part).__name__ for part in model.modules()])
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    folder = tmp_path_factory.mktemp("keras")
    program = folder / "train.py"
    program.write_text(dedent(PROGRAM))
    return plain(program).stdout, whygrad(program, folder)


@pytest.mark.slow
def test_layers_hold_what_they_hold_without_whygrad(both: tuple[str, Run]) -> None:
    alone, watched = both

    assert "meta" not in alone
    assert alone.count("cpu") > 8
    assert watched.process.stdout == alone


@pytest.mark.slow
def test_each_parameter_is_known_once(both: tuple[str, Run]) -> None:
    first, last = both[1].record.steps[0], both[1].record.steps[-1]

    assert sorted(p.name for p in first.parameters) == [
        "batch_normalization/beta", "batch_normalization/gamma", "batch_normalization/moving_mean", "batch_normalization/moving_variance",
        "dense/bias", "dense/kernel", "dense_1/bias", "dense_1/kernel",
    ]  # fmt: skip
    assert sum(p.trainable for p in first.parameters) == 6
    assert {p.optimizer is not None for p in first.parameters if p.trainable} == {True}
    assert len({p.name for p in last.parameters}) == len(last.parameters)
    assert both[1].rules == []
