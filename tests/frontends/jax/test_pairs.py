"""Inputs and labels that no longer belong together: rows that are kept of what derivatives are given, and fitted where nothing is learnt."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import recorded
from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.rules.labels import misaligned_labels

DATA = """
draw = np.random.default_rng(0)
x = draw.normal(size=({rows}, 6)).astype(np.float32)
y = (x[:, 0] + x[:, 1] > 0).astype(np.int32)
"""
MODEL = """
key = jax.random.PRNGKey(0)
params = {"w": 0.3 * jax.random.normal(key, (6, 8)), "v": 0.3 * jax.random.normal(key, (8, 2))}
tx = optax.adam(0.003)
state = tx.init(params)
def loss_fn(params, x, y):
    logits = jnp.tanh(x @ params["w"]) @ params["v"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
"""
STEP = """
def step(params, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state)
    return optax.apply_updates(params, updates), state, loss
"""
LOOP = """
for i in range(60):
    rows = draw.integers(0, len(x), 16)
    params, state, loss = step(params, state, x[rows], y[rows])
"""
JITTED = DATA.format(rows=600) + MODEL + "@jax.jit" + STEP
SHUFFLED = "draw.shuffle(x)\n"
APART = {
    "one side is shuffled": JITTED + SHUFFLED + LOOP,
    "an order for each": JITTED + "x, y = x[draw.permutation(len(x))], y\n" + LOOP,
    "outside of every jitted function": DATA.format(rows=600) + MODEL + STEP + SHUFFLED + LOOP,
    "a generator picks rows twice": JITTED
    + """
def batches():
    while True:
        one, other = draw.choice(len(x), 16), draw.choice(len(y), 16)
        yield x[one], y[other]
for _, (a, b) in zip(range(60), batches()):
    params, state, loss = step(params, state, a, b)
""",
    "a static argument beside": DATA.format(rows=600)
    + MODEL
    + """
from functools import partial
@partial(jax.jit, static_argnames="scale")
def step(params, state, x, y, scale):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state)
    return optax.apply_updates(params, updates), state, loss
"""
    + SHUFFLED
    + LOOP.replace("y[rows])", 'y[rows], scale="mean")'),
    "all rows, closed over": DATA.format(rows=300)
    + MODEL
    + SHUFFLED
    + """
@jax.jit
def step(params, state):
    loss, grads = jax.value_and_grad(lambda p: loss_fn(p, x, y))(params)
    updates, state = tx.update(grads, state)
    return optax.apply_updates(params, updates), state, loss
for _ in range(30):
    params, state, loss = step(params, state)
""",
}
TOGETHER = {
    "nothing is reordered": JITTED + LOOP,
    "a rate that is too small": JITTED.replace("0.003", "1e-7") + LOOP,
    "noisy labels": JITTED + "y = np.where(draw.uniform(size=len(y)) < 0.25, 1 - y, y)\n" + LOOP,
    "few rows, which are learnt by heart": DATA.format(rows=100) + MODEL + "@jax.jit" + STEP + SHUFFLED + LOOP,
    "both sides in one order": JITTED + "order = draw.permutation(len(x))\nx, y = x[order], y[order]\n" + LOOP.replace("0.003", "1e-7"),
    "the inputs are the targets": DATA.format(rows=600)
    + """
w = jnp.zeros((6, 6))
@jax.jit
def step(w, x, y):
    loss, grad = jax.value_and_grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)
    return w - 1e-6 * grad, loss
for i in range(60):
    w, loss = step(w, x[i : i + 16], x[i : i + 16])
""",
    "an agent's actions": DATA.format(rows=600)
    + MODEL
    + """
@jax.jit
def step(params, state, x, actions, gain):
    def loss_fn(params):
        scores = jax.nn.log_softmax(jnp.tanh(x @ params["w"]) @ params["v"])
        return -jnp.mean(jnp.take_along_axis(scores, actions[:, None], 1)[:, 0] * gain)
    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = tx.update(grads, state)
    return optax.apply_updates(params, updates), state, loss
for i in range(60):
    params, state, loss = step(params, state, x[i : i + 16], draw.integers(0, 2, 16), draw.normal(size=16).astype(np.float32))
""",
}


def said(folder: Path, program: str) -> list[Diagnosis]:
    """What the rule says of a program."""
    return list(misaligned_labels.diagnose.check(Index(recorded(folder, program))))


@pytest.mark.parametrize("program", APART.values(), ids=APART)
def test_labels_that_nothing_relates_to_their_inputs_are_told(program: str, tmp_path: Path):
    (found,) = said(tmp_path, program)

    assert (found.rule, found.severity, found.confidence) == ("WG104", "warning", "measured")


@pytest.mark.parametrize("program", TOGETHER.values(), ids=TOGETHER)
def test_labels_that_belong_to_their_inputs_are_left_alone(program: str, tmp_path: Path):
    assert said(tmp_path, program) == []


def test_labels_beside_the_inputs_of_the_next_row_are_told(tmp_path: Path):
    regression = """
w = jnp.zeros(6)
x, y = x[1:], (2 * x[:, 0] - x[:, 1])[:-1]
@jax.jit
def step(w, x, y):
    loss, grad = jax.value_and_grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)
    return w - 0.05 * grad, loss
for _ in range(30):
    w, loss = step(w, x, y)
"""
    (found,) = said(tmp_path, DATA.format(rows=400) + regression)

    assert (found.severity, "shifted by" in found.message) == ("warning", True)


def test_rows_that_come_again_are_kept_once(tmp_path: Path):
    record = recorded(tmp_path, JITTED.replace("(600,", "(200,") + SHUFFLED + LOOP)

    assert record.fits
    assert all(fit.rows <= 200 for fit in record.fits)
