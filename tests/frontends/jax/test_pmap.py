"""Derivatives within `pmap`: what each device holds for itself is looked at as one model, as long as all hold the same."""

import os

os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=2"  # before JAX looks for devices: each file here has a process of its own
)

from pathlib import Path

import numpy as np
import pytest

from frontends.jax.jax_watching import line_of, parameter, play, recorded

PROGRAM = """
x = np.random.default_rng(0).normal(size=(2, 16, 5)).astype(np.float32)
y = np.tanh(x.sum(-1))
params = {"w": jnp.ones((5, 4)) / 3 * jnp.arange(1.0, 5.0), "v": jnp.ones(4) / 4}
tx = optax.adam(0.05)
params = jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), params)
state = jax.pmap(tx.init)(params)

def train(p, state, x, y):
    def loss_fn(p):
        return jnp.mean((jnp.tanh(x @ p["w"]) @ p["v"] - y) ** 2)

    loss, g = jax.value_and_grad(loss_fn)(p)
    g = AVERAGED
    updates, state = tx.update(g, state, p)
    return optax.apply_updates(p, updates), state, lax.pmean(loss, "devices")

step = jax.pmap(train, axis_name="devices")
for _ in range(5):
    params, state, loss = step(params, state, x, y)
"""
MEAN = 'lax.pmean(g, "devices")'


@pytest.fixture(name="program")
def averaged() -> str:
    """The program with gradients that are averaged over the devices."""
    return PROGRAM.replace("AVERAGED", MEAN)


def test_a_step_of_all_devices_is_one_step(tmp_path: Path, program: str) -> None:
    record = recorded(tmp_path, program)
    step = record.steps[0]

    assert (record.limits, record.outcome.steps_seen, len(record.steps)) == ((), 5, 2)
    assert step.graph.values[parameter(step, "p['w']").value].shape == (5, 4)
    assert all(p.gradient == "finite" and p.moved for p in step.parameters)
    assert step.graph.ops[-1].site is not None
    assert step.graph.ops[-1].site.line == line_of(program, "value_and_grad")


def test_its_gradient_is_that_of_the_whole_batch(tmp_path: Path, program: str) -> None:
    whole = program.replace("(2, 16, 5)", "(1, 32, 5)").replace("[leaf] * 2", "[leaf]")
    one, all_ = (recorded(tmp_path, text).steps[0] for text in (whole, program))

    norms = [[p.gradient_norm for p in step.parameters] for step in (one, all_)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_the_program_computes_what_it_would(tmp_path: Path, program: str) -> None:
    plain = play(tmp_path, program)["params"]
    recorded(tmp_path, f"{program}\nnp.savez({str(tmp_path / 'kept.npz')!r}, **params)\n")
    kept = np.load(tmp_path / "kept.npz")

    assert all(np.array_equal(plain[name], kept[name]) for name in plain)


def test_devices_that_hold_other_parameters_are_not_taken_for_one_model(tmp_path: Path) -> None:
    record = recorded(tmp_path, PROGRAM.replace("AVERAGED", "g"), steps=3)

    assert any("not the same on all devices" in text for text in record.limits)
    assert all(step.updated for step in record.steps)
    assert not any(event.kind == "dropped" for step in record.steps for event in step.events)


def test_members_of_an_ensemble_are_not_looked_at(tmp_path: Path) -> None:
    apart = PROGRAM.replace("AVERAGED", "g").replace("[leaf] * 2", "[leaf, leaf * 2]")
    record = recorded(tmp_path, apart)

    assert any("not the same on all devices" in text for text in record.limits)
    assert not record.steps


def test_what_is_cast_within_the_compiled_step_is_differentiated_too(tmp_path: Path) -> None:
    """The derivative is by what the step itself makes of its parameters."""
    program = """
x = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
y = np.tanh(x.sum(-1))
w = jnp.ones(5) / 3

@jax.jit
def step(w):
    half = w.astype(jnp.bfloat16)
    g = jax.grad(lambda h: jnp.mean((jnp.tanh(x.astype(jnp.bfloat16) @ h) - y) ** 2))(half)
    return w - 0.1 * g.astype(jnp.float32)

for _ in range(4):
    w = step(w)
"""
    record = recorded(tmp_path, program)

    assert record.limits == ()
    assert record.steps[0].parameters[0].gradient == "finite"
