"""Whether the words of padded rows reach what is predicted for them, through a loop over the positions."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import recorded
from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.rules.labels.padding_used import diagnose

PADDED = """
rng = np.random.default_rng(0)
lengths = np.array([3, 4, 5, 70] * 4)
ids = np.where(np.arange(80) < lengths[:, None], rng.integers(1, 30, (16, 80)), 0)
y = rng.integers(0, 2, 16)
keys = jax.random.split(jax.random.key(0), 5)
params = {
    "embed": jax.random.normal(keys[0], (30, 8)), "in": 0.3 * jax.random.normal(keys[1], (8, 12)), "gate": 0.3 * jax.random.normal(keys[2], (8, 12)),
    "own": 0.2 * jax.random.normal(keys[3], (12, 12)), "head": 0.3 * jax.random.normal(keys[4], (12, 2)),
}

def turn(p, h, x):
    gate = jax.nn.sigmoid(x @ p["gate"] + h @ p["own"])
    h = gate * h + (1 - gate) * jnp.tanh(x @ p["in"] + h @ p["own"])
    return h, h

def loss_fn(p, ids, lengths, y):
    rows = p["embed"][ids]
    final, states = lax.scan(lambda h, x: turn(p, h, x), jnp.zeros((16, 12)), jnp.swapaxes(rows, 0, 1))
    logits = STATE @ p["head"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

tx = optax.sgd(0.01)
state = tx.init(params)
for _ in range(4):
    loss, grads = jax.jit(jax.value_and_grad(loss_fn))(params, ids, lengths, y)
    updates, state = tx.update(grads, state)
    params = optax.apply_updates(params, updates)
"""


def told(folder: Path, state: str, ids: str = "") -> list[Diagnosis]:
    program = PADDED.replace("STATE", state)
    return list(diagnose.check(Index(recorded(folder, program.replace('p["embed"][ids]', f'p["embed"][{ids or "ids"}]')))))


@pytest.mark.parametrize("state", ["states[-1]", "final", "jnp.swapaxes(states, 0, 1)[:, -1]"])
def test_words_do_not_come_through_the_padding(tmp_path: Path, state: str) -> None:
    (diagnosis,) = told(tmp_path, state)

    assert diagnosis.evidence[1].measure == "behind"
    assert isinstance(diagnosis.evidence[1].value, float)
    assert diagnosis.evidence[1].value < 1e-3


@pytest.mark.parametrize(
    ("state", "ids"),
    [
        ("states[lengths - 1, jnp.arange(16)]", ""),
        ("states.max(0)", ""),
        ("states[-1]", "ids[:, ::-1]"),
        ("states[-1]", "ids[:, :4]"),
    ],
    ids=["own end", "maximum", "in front", "little padding"],
)
def test_words_that_come_through(tmp_path: Path, state: str, ids: str) -> None:
    assert not told(tmp_path, state, ids)
