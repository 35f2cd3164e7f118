"""WG318 on copies in lower precision: by hand, the gradient is taken by one copy of the weights and the update goes to the other."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded
from whygrad.flow import Index
from whygrad.rules.graph import stale_weight
from whygrad.rules.update import stale_optimizer

HEAD = """
x, y = jax.random.normal(jax.random.key(0), (16, 3)), jnp.ones(16)
masters = {"w": jnp.ones((3, 2)), "v": jnp.ones(2)}
tx = optax.adam(0.01)
state = tx.init(masters)
half = lambda tree: jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), tree)
full = lambda tree: jax.tree.map(lambda leaf: leaf.astype(jnp.float32), tree)

def loss_fn(params, x, y):
    return jnp.mean((jnp.tanh(x.astype(params["w"].dtype) @ params["w"]) @ params["v"] - y) ** 2)
"""
APART = """
slope = jax.jit(jax.grad(loss_fn))

@jax.jit
def update(masters, state, grads):
    updates, state = tx.update(full(grads), state, masters)
    return optax.apply_updates(masters, updates), state

working = half(masters)  # made
for _ in range(5):
    masters, state = update(masters, state, slope(working, x, y))
    AGAIN
"""
TOGETHER = """
@jax.jit
def step(working, masters, state):
    grads = jax.grad(loss_fn)(working, x, y)
    updates, state = tx.update(full(grads), state, masters)
    return optax.apply_updates(masters, updates), state

working = half(masters)  # made
for _ in range(5):
    masters, state = step(working, masters, state)
    AGAIN
"""
ONCE = {
    "two compiled functions": APART,
    "one compiled function": TOGETHER,
    "other half precision": APART.replace("half(masters)", "jax.tree.map(lambda p: p.astype(jnp.float16), masters)"),
}
FINE = {
    "made anew after each update": APART.replace("AGAIN", "working = half(masters)"),
    "made anew in one function": TOGETHER.replace("AGAIN", "working = half(masters)"),
    "cast where it is read": TOGETHER.replace("(working, x, y)", "(masters, x, y)").replace("(full(grads)", "(grads"),
    "a cast within the function": APART.replace("slope(working, x, y)", "slope(half(masters), x, y)"),
    "a copy that is only looked at": APART.replace("slope(working, x, y)", "slope(masters, x, y)").replace(
        "AGAIN", "loss_fn(working, x, y)"
    ),
}


def said(folder: Path, program: str) -> list[tuple[str, int]]:
    """The codes and lines of what both rules say."""
    index = Index(recorded(folder, HEAD + program.replace("AGAIN", "pass")))
    found = [*stale_weight.diagnose.check(index), *stale_optimizer.diagnose.check(index)]
    return [(each.rule, each.site.line if each.site else 0) for each in found]


@pytest.mark.parametrize("program", ONCE.values(), ids=ONCE)
def test_a_copy_that_is_made_once_is_told_where_it_is_made(program: str, tmp_path: Path) -> None:
    assert said(tmp_path, program) == [("WG318", line_of(HEAD + program, "# made"))]


@pytest.mark.parametrize("program", FINE.values(), ids=FINE)
def test_copies_that_follow_the_weights_are_left_alone(program: str, tmp_path: Path) -> None:
    assert said(tmp_path, program) == []
