"""An iterator that the first epoch uses up, in a loop around a jitted step and around an eager one."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded

PROGRAM = """
x = jax.random.normal(jax.random.key(0), (6, 8, 3))
y = jnp.ones((6, 8))
w = jnp.zeros(3)

{decorator}
def step(w, x, y):
    loss, grads = jax.value_and_grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)
    return w - 0.1 * grads, loss

data = zip(x, y)
for epoch in range(3):
    for x_batch, y_batch in data:
        w, loss = step(w, x_batch, y_batch)
"""


@pytest.mark.parametrize("decorator", ["@jax.jit", ""], ids=["jitted", "eager"])
def test_it_is_found_with_its_loop(tmp_path: Path, decorator: str) -> None:
    program = PROGRAM.format(decorator=decorator)
    (found,) = recorded(tmp_path, program).emptied

    assert (found.name, found.type, found.turns) == ("data", "zip", 3)
    assert found.site is not None
    assert found.site.line == line_of(program, "data = zip")


def test_a_list_of_batches_is_read_anew(tmp_path: Path) -> None:
    program = PROGRAM.format(decorator="@jax.jit").replace("zip(x, y)", "list(zip(x, y))")

    assert not recorded(tmp_path, program).emptied
