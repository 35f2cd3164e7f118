"""Parameters that a compiled function took in when it was traced, and models beside the one that is differentiated."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import recorded
from whygrad.ir import Record

HEAD = """
from functools import partial

x = jax.random.normal(jax.random.key(0), (32, 3))
y = x @ jnp.array([1.0, -2.0, 0.5])
optimizer = optax.sgd(0.1)
"""
METHOD = """
class Fit:
    def __init__(self):
        self.w = jnp.zeros(3)
        self.state = optimizer.init(self.w)

    @partial(jax.jit, static_argnums=0)
    def slope(self, x, y):
        return jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(self.w)

    def step(self):
        updates, self.state = optimizer.update(self.slope(x, y), self.state)
        self.w = optax.apply_updates(self.w, updates)

fit = Fit()
for _ in range(6):
    fit.step()
"""
GLOBAL = """
w = jnp.zeros(3)
state = optimizer.init(w)

@jax.jit
def slope(x, y):
    return jax.value_and_grad(lambda p: jnp.mean((x @ p - y) ** 2))(w)

for _ in range(6):
    loss, grad = slope(x, y)
    updates, state = optimizer.update(grad, state)
    w = optax.apply_updates(w, updates)
"""
GIVEN = METHOD.replace("def slope(self, x, y)", "def slope(self, w, x, y)").replace("(self.w)\n\n    def step", "(w)\n\n    def step")
GIVEN = GIVEN.replace("self.slope(x, y)", "self.slope(self.w, x, y)")
ANEW = GLOBAL.replace("@jax.jit\ndef slope", "def slope")
DROPPED = GIVEN.replace("self.w = optax", "w = optax")


def reasons(record: Record) -> set[object]:
    return {event.attributes.get("what") for step in record.steps for event in step.events if event.kind == "dropped"}


@pytest.mark.parametrize("program", [METHOD, GLOBAL], ids=["a static self", "a variable around it"])
def test_what_was_taken_in_is_told(tmp_path: Path, program: str) -> None:
    record = recorded(tmp_path, HEAD + program)
    assert "traced" in reasons(record)


@pytest.mark.parametrize(
    ("program", "reason"),
    [(GIVEN, set()), (ANEW, set()), (DROPPED, {"applied"})],
    ids=["an argument", "not compiled", "an argument, and dropped"],
)
def test_arguments_are_not(tmp_path: Path, program: str, reason: set[object]) -> None:
    assert reasons(recorded(tmp_path, HEAD + program)) == reason


CLONED = """
model = {"w": jnp.ones(3)}
trained = jax.tree.map(lambda item: item + 0, model)
state = optimizer.init(trained)

@jax.jit
def step(model, trained, state, x, y):
    grads = jax.grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(model)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(trained, updates), state

for _ in range(6):
    trained, state = step(model, trained, state, x, y)
"""


def test_a_clone_that_is_updated_is_a_stranger_as_soon_as_it_differs(tmp_path: Path) -> None:
    (found,) = recorded(tmp_path, HEAD + CLONED).optimizers
    assert found.orphans == ("f32[3]",)


def test_one_model_trained_after_another_is_none(tmp_path: Path) -> None:
    text = CLONED.replace("(model)\n", "(trained)\n")
    (found,) = recorded(tmp_path, HEAD + text).optimizers
    assert not found.orphans
    assert found.steps == 6


BY_DATA = """
params = {"w": jnp.ones((3, 2)), "b": jnp.zeros(2)}
state = optimizer.init(params)

def loss_fn(x, y, params):
    return jnp.mean((x @ params["w"] + params["b"] - y[:, None]) ** 2)

DECORATOR
def step(params, state, x, y):
    grads = jax.grad(loss_fn)(x, y, params)
    updates, state = optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state

try:
    step(params, state, x, y)
except (TypeError, ValueError, AttributeError):
    pass
"""


@pytest.mark.parametrize("decorator", ["@jax.jit", ""], ids=["jitted", "at once"])
def test_a_derivative_by_the_data_is_seen_though_the_update_raises(tmp_path: Path, decorator: str) -> None:
    record = recorded(tmp_path, HEAD + BY_DATA.replace("DECORATOR", decorator).replace("optax.sgd(0.1)", "optax.adam(0.1)"))
    assert [parameter.name for parameter in record.steps[0].parameters] == ["x"]
    assert record.optimizers[0].orphans == ("f32[2]", "f32[3,2]")


def test_a_derivative_by_the_parameters_is_none_of_that(tmp_path: Path) -> None:
    text = BY_DATA.replace("DECORATOR", "@jax.jit").replace("jax.grad(loss_fn)(x, y, params)", "jax.grad(loss_fn, argnums=2)(x, y, params)")
    assert recorded(tmp_path, HEAD + text).optimizers[0].orphans == ()


TWO_STATES = """
one, other = {"w": jnp.ones(3)}, {"v": jnp.ones((3, 1))}
first, second = optimizer.init(one), optimizer.init(other)
for _ in range(4):
    grads = jax.grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(one)
    updates, first = optimizer.update(grads, first)
    one = optax.apply_updates(one, updates)
    grads = jax.grad(lambda p: jnp.mean((x @ p["v"] - y[:, None]) ** 2))(other)
    updates, second = optimizer.update(grads, second)
    other = optax.apply_updates(other, updates)
"""


def test_one_optimizer_with_two_states_is_none_of_that(tmp_path: Path) -> None:
    (found,) = recorded(tmp_path, HEAD + TWO_STATES).optimizers
    assert found.orphans == ()
