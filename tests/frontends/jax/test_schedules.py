"""Rates that functions of the user's give: known from what JAX traced of them, never by calling them once more."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, play, recorded

PROGRAM = """
params = {{"w": jnp.ones((3, 2)) * jnp.arange(2.0), "b": jnp.zeros(2)}}
x = jax.random.normal(jax.random.key(0), (8, 3))
y = x[:, :2] * 2.0
calls = []

def decayed(count):
    calls.append(1)
    return 0.1 * jnp.where(count < 12, 1.0 - count / 12, 0.0)

{optimizer}
state = tx.init(params)

def step(params, state, x, y):
    grads = jax.grad(lambda p: jnp.mean((x @ p["w"] + p["b"] - y) ** 2))(params)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state

step = {jit}
for _ in range(20):
    params, state = step(params, state, x, y)
print("called", len(calls))
"""
MADE = {
    "of adam": "tx = optax.adam(decayed)",
    "in a chain": "tx = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(learning_rate=decayed))",
    "of a link": "tx = optax.chain(optax.scale_by_adam(), optax.scale_by_schedule(lambda count: -decayed(count)))",
    "injected": "tx = optax.inject_hyperparams(optax.adamw)(learning_rate=decayed, weight_decay=1e-4)",
    "injected into one's own": (
        "@optax.inject_hyperparams\ndef made(learning_rate):\n"
        "    return optax.chain(optax.clip(1.0), optax.adam(learning_rate))\ntx = made(decayed)"
    ),
    "several": "tx = optax.inject_hyperparams(optax.adam)(learning_rate=decayed, b1=lambda count: 0.9)",
}


@pytest.mark.parametrize("made", MADE)
def test_a_rate_by_a_function_of_the_users_is_known(tmp_path: Path, made: str) -> None:
    """The twelfth update and all later ones are made at no rate."""
    program = PROGRAM.format(optimizer=MADE[made], jit="jax.jit(step)")
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.steps == 20
    assert optimizer.idle_from == 12
    assert optimizer.last_rate == 0
    assert optimizer.rates is not None
    assert optimizer.rates[1] == pytest.approx(0.1)
    assert optimizer.made == 1
    assert optimizer.native in ("Adam", "AdamW", "SGD")


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("jit", ["jax.jit(step)", "step"])
def test_it_is_called_as_often_as_the_program_calls_it(tmp_path: Path, made: str, jit: str) -> None:
    program = PROGRAM.format(optimizer=MADE[made], jit=jit)
    calls = play(tmp_path, program)["calls"]
    recorded(tmp_path, program.replace("print(", "assert len(calls) == " + str(len(calls)) + ", ("))


def test_it_stands_where_the_optimizer_is_made(tmp_path: Path) -> None:
    program = PROGRAM.format(optimizer=MADE["injected"], jit="jax.jit(step)")
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.site is not None
    assert optimizer.site.line == line_of(program, "inject_hyperparams")


@pytest.mark.parametrize("made", ["of adam", "injected"])
def test_at_once_it_is_known_of_recorded_steps(tmp_path: Path, made: str) -> None:
    (optimizer,) = recorded(tmp_path, PROGRAM.format(optimizer=MADE[made], jit="step")).optimizers

    assert optimizer.steps == 20
    assert optimizer.groups[0].rate == pytest.approx(0.1)
    assert optimizer.idle_from is None


def test_a_rate_that_the_program_puts_into_the_state_is_not_known(tmp_path: Path) -> None:
    made = "tx = optax.inject_hyperparams(optax.sgd)(learning_rate=0.0)"
    program = PROGRAM.format(optimizer=made, jit="jax.jit(step)").replace(
        "    params, state = step(", "    state.hyperparams['learning_rate'] = jnp.asarray(0.1)\n    params, state = step("
    )
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.idle_from is None
    assert optimizer.last_rate is None
