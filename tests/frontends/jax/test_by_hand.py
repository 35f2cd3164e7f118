"""Updates that a program writes out itself: plain descent, descent with a momentum, and what is neither."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded

PROGRAM = """
params = {{"w": jnp.ones((3, 4)) * jnp.arange(4.0), "b": jnp.zeros(4)}}
kept = jax.tree.map(jnp.zeros_like, params)
x = jax.random.normal(jax.random.key(0), (8, 3))
y = x @ jax.random.normal(jax.random.key(1), (3, 4))

def update(params, kept, x, y):
    grads = jax.grad(lambda p: jnp.mean((jnp.tanh(x @ p["w"]) + p["b"] - y) ** 2))(params)
{update}
    return params, kept

{jit}
for number in range(8):
    params, kept = update(params, kept, x, y)
"""
JIT = {"compiled": "update = jax.jit(update)", "at once": ""}
MOMENTUM = """
    kept = jax.tree.map(lambda v, g: 0.9 * v + g, kept, grads)
    params = jax.tree.map(lambda p, v: p - 0.2 * v, params, kept)
"""
OTHERS = {
    "each entry by its own size": """
    kept = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g * g, kept, grads)
    params = jax.tree.map(lambda p, g, v: p - 0.02 * g / (jnp.sqrt(v) + 1e-8), params, grads, kept)
""",
    "rates of their own": """
    params = {"w": params["w"] - 0.3 * grads["w"], "b": params["b"] - 0.1 * grads["b"]}
""",
}


@pytest.mark.parametrize("jit", JIT)
def test_a_momentum_by_hand_is_descent_at_its_rate(tmp_path: Path, jit: str) -> None:
    record = recorded(tmp_path, PROGRAM.format(update=MOMENTUM, jit=JIT[jit]), steps=3)
    (optimizer,) = record.optimizers

    assert (optimizer.native, optimizer.steps) == ("SGD", 8)
    assert optimizer.groups[0].rate == pytest.approx(0.2, rel=1e-2)
    assert optimizer.groups[0].settings["momentum"] == pytest.approx(0.9, rel=2e-2)
    assert len({step.kind for step in record.steps}) == 1


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("update", OTHERS)
def test_other_updates_have_no_rate(tmp_path: Path, update: str, jit: str) -> None:
    record = recorded(tmp_path, PROGRAM.format(update=OTHERS[update], jit=JIT[jit]), steps=3)

    assert not record.optimizers
    assert all(step.updated for step in record.steps)


def test_a_momentum_that_begins_elsewhere_is_known_from_two_updates(tmp_path: Path) -> None:
    """Recorded from the middle of the run, where the first update is no multiple of its gradient."""
    program = PROGRAM.format(update=MOMENTUM, jit=JIT["compiled"]).replace(
        "jax.tree.map(jnp.zeros_like, params)", "jax.tree.map(jnp.ones_like, params)"
    )
    record = recorded(tmp_path, program, steps=4)

    assert [optimizer.groups[0].rate for optimizer in record.optimizers] == [pytest.approx(0.2, rel=1e-2)]


CUT = 'x @ p["w"]', 'x @ jax.lax.stop_gradient(p["w"])'


@pytest.mark.parametrize("jit", JIT)
def test_what_gets_a_gradient_of_zero_is_held_like_the_rest(tmp_path: Path, jit: str) -> None:
    record = recorded(tmp_path, PROGRAM.format(update=MOMENTUM, jit=JIT[jit]).replace(*CUT), steps=3)

    assert {name for optimizer in record.optimizers for group in optimizer.groups for name in group.parameters} in (
        set(),
        {"params['b']", "params['w']"},
    )


@pytest.mark.parametrize("jit", JIT)
def test_plain_descent_beside_a_gradient_of_zero_has_no_momentum(tmp_path: Path, jit: str) -> None:
    plain = """
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
"""
    record = recorded(tmp_path, PROGRAM.format(update=plain, jit=JIT[jit]).replace(*CUT), steps=3)

    assert not [group.settings for optimizer in record.optimizers for group in optimizer.groups if "momentum" in group.settings]


SUMMED = """
params = {"w": jnp.ones((3, 4)) * jnp.arange(4.0), "b": jnp.zeros(4)}
x = jax.random.normal(jax.random.key(0), (40, 8, 3))
y = x @ jax.random.normal(jax.random.key(1), (3, 4))
grad = jax.jit(jax.grad(lambda p, x, y: jnp.mean((jnp.tanh(x @ p["w"]) + p["b"] - y) ** 2)))
tx = optax.sgd(0.1)
add = jax.jit(lambda total, grads: jax.tree.map(lambda a, g: a + g / 2, total, grads))
state, total = tx.init(params), jax.tree.map(jnp.zeros_like, params)
for at in range(40):
    total = add(total, grad(params, x[at], y[at]))
    if at % 2:
        updates, state = tx.update(total, state)
        params = optax.apply_updates(params, updates)
"""


def test_a_sum_that_a_compiled_function_makes_stands_where_it_is_called(tmp_path: Path) -> None:
    steps = recorded(tmp_path, SUMMED, steps=4).steps
    sites = [event.site for step in steps for event in step.events if event.kind == "accumulate"]

    assert sites
    assert {site.line for site in sites if site is not None} == {line_of(SUMMED, "total = add(")}
