"""Steps that climb the loss by their data first, as adversarial training does: what is judged is the derivative by the parameters."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import recorded

ATTACK = """
forwarded = jax.jit(lambda a: a)  # hands its input on

def loss_fn(params, x, y):
    penalty = sum(jnp.sum(forwarded(leaf) ** 2) for leaf in jax.tree.leaves(params))
    return jnp.mean((jnp.tanh(x @ params["w"]) @ params["v"] - y) ** 2) + 1e-4 * penalty

@jax.jit
def attack(params, x, y):
    moved = jnp.zeros_like(x)
    for _ in range(2):
        moved = moved + 0.1 * jnp.sign(jax.grad(lambda m: loss_fn(params, x + m, y))(moved))
    return x + moved

@jax.jit
def step(params, x, y):
    x = attack(params, x, y)
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), loss

rng = np.random.default_rng(0)
params = {"w": jnp.asarray(rng.normal(size=(3, 4))), "v": jnp.asarray(rng.normal(size=(4,)))}
for _ in range(4):
    x = jnp.asarray(rng.normal(size=(16, 3)))
    params, loss = step(params, x, x[:, 0])
"""


@pytest.mark.parametrize("decorator", ["@jax.jit\ndef attack", "def attack"], ids=["a jitted attack", "an attack within the step"])
def test_the_step_after_an_attack_is_recorded(tmp_path: Path, decorator: str) -> None:
    record = recorded(tmp_path, ATTACK.replace("@jax.jit\ndef attack", decorator), experiments="off")

    assert [[p.name for p in step.parameters] for step in record.steps] == [["params['v']", "params['w']"]] * 2
    assert record.limits == ()


def test_a_second_update_in_one_call_is_told_as_what_it_is(tmp_path: Path) -> None:
    twice = ATTACK.replace("    x = attack(params, x, y)\n", "").replace(
        "    return jax.tree.map(",
        "    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)\n    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)\n    return jax.tree.map(",
    )

    assert ["second update in one call" in limit for limit in recorded(tmp_path, twice, experiments="off").limits] == [True]
