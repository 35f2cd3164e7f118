"""Weights of flax.linen that were made for data of another size: the layer refuses them before anything is computed."""

from pathlib import Path

import flax.errors
import pytest

from frontends.jax.jax_watching import line_of, play, recorded, watch
from whygrad.flow import Index
from whygrad.frontends import Recording
from whygrad.ir import Outcome, Raised, Record
from whygrad.rules.wiring.input_shape import diagnose

PROGRAM = """
from flax import linen as nn
from flax.training.train_state import TrainState

class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(4, (3, 3), name="windows")(x))
        return nn.Dense(3)(x.reshape((x.shape[0], -1)))

model = Net()
images, labels = np.ones((6, {size}, {size}, {channels}), "float32"), np.zeros(6, "int32")
params = {init}(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))["params"]
state = TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(1e-3))

def step(state, images, labels):
    def loss_fn(params):
        logits = state.apply_fn({{"params": params}}, images)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    return state.apply_gradients(grads=jax.grad(loss_fn)(state.params))

step = {jit}(step)
for _ in range(3):
    state = step(state, images, labels)
"""


ENTRY: dict[str, object] = {"init": "model.init", "size": 8, "channels": 1, "jit": "jax.jit"}
OTHERS: dict[str, dict[str, object]] = {
    "another size": {"size": 12},
    "another number of channels": {"channels": 3},
    "not compiled": {"size": 12, "jit": ""},
}


def refused(folder: Path, program: str) -> Record:
    """The record of a program whose layer refuses its weights."""
    observing, recorder = watch(Recording(2, None, "off"))
    try:
        with pytest.raises(flax.errors.ScopeParamShapeError) as caught:
            play(folder, program)
    finally:
        record = observing.finish(Outcome(1, Raised("ScopeParamShapeError", str(caught.value))))
        recorder.stop()
    assert not record.faults
    return record


@pytest.mark.parametrize("other", OTHERS)
def test_the_call_that_made_the_weights_is_named(tmp_path: Path, other: str) -> None:
    program = PROGRAM.format(**{**ENTRY, **OTHERS[other]})
    (found,) = diagnose.check(Index(refused(tmp_path, program)))

    assert found.site is not None
    assert found.site.line == line_of(program, 'zeros((1, 8, 8, 1)))["params"]')
    assert "initialise the weights with an example" in found.help


def test_weights_that_fit_are_not_refused(tmp_path: Path) -> None:
    record = recorded(tmp_path, PROGRAM.format(**ENTRY))

    assert not list(diagnose.check(Index(record)))
