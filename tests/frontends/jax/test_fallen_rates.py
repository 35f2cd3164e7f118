"""A rate that falls away within the first steps: the last steps are looked at when the run is over, and tell whether anything was left to be learnt."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import recorded
from whygrad.ir import Descend, Record

PROGRAM = """
import functools

rng = np.random.default_rng(1)
x = rng.normal(size=(256, 6)).astype("float32")
y = np.sin(x @ rng.normal(size=6).astype("float32")) + 0.02 * rng.normal(size=256).astype("float32")
params = {{"a": jnp.asarray(rng.normal(size=(6, 24)) / 3, jnp.float32), "b": jnp.zeros(24), "z": jnp.asarray(rng.normal(size=24) / 8, jnp.float32)}}
optimizer = {optimizer}
state = optimizer.init(params)

@jax.jit
def step(params, state, x, y):
    def loss_fn(params):
        return jnp.mean((jnp.tanh(x @ params["a"] + params["b"]) @ params["z"] - y) ** 2)

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss

for number in range({steps}):
    rows = slice(number % 8 * 32, number % 8 * 32 + 32)
    params, state, loss = step(params, state, x[rows], y[rows])
"""


def record_of(folder: Path, schedule: str, steps: int = 240) -> Record:
    return recorded(folder, PROGRAM.format(optimizer=f"optax.adam({schedule})", steps=steps))


@pytest.mark.parametrize(
    "schedule",
    ["optax.piecewise_constant_schedule(1e-2, {4: 0.03, 8: 0.03})", "optax.exponential_decay(1e-2, 1, 0.5)"],
)
def test_a_rate_that_falls_at_once_leaves_much_to_be_learnt(tmp_path: Path, schedule: str) -> None:
    record = record_of(tmp_path, schedule)
    (optimizer,) = record.optimizers
    assert optimizer.low_from is not None
    assert optimizer.low_from < 12
    if optimizer.idle_from is None:
        trials = [trial for trial in record.steps[-1].trials if isinstance(trial.intervention, Descend)]
        assert record.steps[-1].index == 238
        assert trials[0].losses[-1] < 0.7 * trials[0].losses[0]


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        ("optax.cosine_decay_schedule(1e-2, 240)", 240),
        ("optax.piecewise_constant_schedule(1e-2, {220: 1e-4})", 240),
        ("optax.piecewise_constant_schedule(1e-2, {100: 0.1})", 240),
        ("1e-2", 240),
    ],
)
def test_a_rate_that_falls_late_is_left_alone(tmp_path: Path, schedule: str, steps: int) -> None:
    record = record_of(tmp_path, schedule, steps)
    assert [step.index for step in record.steps] == [0, 1]
