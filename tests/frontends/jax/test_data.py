"""What is known of the data of a step: their order, their distinct values, the axes of layers, and experiments on sequences."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, ops, recorded
from whygrad.diagnosis import Diagnosis, Rule
from whygrad.flow import Index
from whygrad.ir import Perturb, Record
from whygrad.rules.labels import future_leak, misaligned_labels, unused_labels
from whygrad.rules.loss import loss_sign, regression_for_classes

TRAIN = """
for at in range(0, 120, 60):
    grads = jax.grad(loss_fn)(w, {batch})
    w = w - 0.1 * grads
"""
COPY = """
def restoration_loss(w, noisy, clean):
    error = jnp.tanh(noisy @ w) - {target}
    return jnp.mean(
        error ** 2)
clean = jax.random.normal(jax.random.key(0), (8, 4))
noisy = clean + 0.1
w = jnp.eye(4)
for _ in range(3):
    w = w - 0.1 * jax.grad(restoration_loss)(w, noisy, clean)
"""
SHUFFLED = """
x = jax.random.normal(jax.random.key(0), (120, 3))
y = x[:, 0] * 2
w = jnp.zeros(3)
one, other = jax.random.split(jax.random.key(1))
x, y = jax.random.permutation(one, x), jax.random.permutation({key}, y)
def loss_fn(w, x, y):
    return jnp.mean((x @ w - y) ** 2)
""" + TRAIN.format(batch="x[at:at + 60], y[at:at + 60]")
IDS = """
y = jax.random.randint(jax.random.key(0), (120,), 0, 5)
x = jax.random.normal(jax.random.key(1), (120, 3)) + y[:, None]
w = jnp.zeros(3)
def loss_fn(w, x, y):
    return jnp.mean((x @ w - y) ** 2)
""" + TRAIN.format(batch="x[at:at + 60], y[at:at + 60]")
PICKED = """
y = jax.random.randint(jax.random.key(0), (120,), 0, 4)
x = jax.random.normal(jax.random.key(1), (120, 3))
model = {{"w": jnp.zeros((3, 4))}}
tx = optax.sgd(0.1)
state = tx.init(model)
def loss_fn(model, x, y):
    return {sign}jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x @ model["w"]), y[:, None], axis=-1))
for _ in range(3):
    grads = jax.grad(loss_fn)(model, x, y)
    updates, state = tx.update(grads, state)
    model = optax.apply_updates(model, updates)
"""
WRITER = """
tokens = jax.random.randint(jax.random.key(0), (16, 9), 0, 7)
params = {{"table": jax.random.normal(jax.random.key(1), (7, 6)), "out": jax.random.normal(jax.random.key(2), (6, 7))}}
def loss_fn(params, tokens):
    h = jax.nn.one_hot(tokens[:, :-1], 7) @ params["table"]
    scores = jnp.einsum("btd,bsd->bts", h, h)
    {mask}
    h = jnp.einsum("bts,bsd->btd", jax.nn.softmax(scores), h)
    return optax.softmax_cross_entropy_with_integer_labels(h @ params["out"], tokens[:, 1:]).mean()
@jax.jit
def step(params, tokens):
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, jax.grad(loss_fn)(params, tokens))
for _ in range(3):
    params = step(params, tokens)
"""
HIDDEN = "scores = jnp.where(jnp.tri(8, dtype=bool), scores, -1e9)"


def said(rule: Rule, record: Record) -> list[Diagnosis]:
    """What one rule says of a record."""
    return list(rule.check(Index(record)))


def test_a_label_that_the_loss_takes_and_never_reads_is_found_where_the_input_is_compared(tmp_path: Path) -> None:
    program = COPY.format(target="noisy")
    found, *_ = said(unused_labels.diagnose, recorded(tmp_path, program))

    assert "`clean`" in found.message
    assert found.site is not None
    assert found.site.line == line_of(program, "error = ")


def test_a_label_that_is_read_is_no_fault(tmp_path: Path) -> None:
    assert not said(unused_labels.diagnose, recorded(tmp_path, COPY.format(target="clean")))


def test_two_permutations_by_two_keys_are_two_orders(tmp_path: Path) -> None:
    (found,) = said(misaligned_labels.diagnose, recorded(tmp_path, SHUFFLED.format(key="other")))

    assert "third" in found.message


def test_two_permutations_by_one_key_are_one_order(tmp_path: Path) -> None:
    assert not said(misaligned_labels.diagnose, recorded(tmp_path, SHUFFLED.format(key="one")))


def test_distinct_ids_are_counted_where_a_batch_was_cut_out_of_them(tmp_path: Path) -> None:
    record = recorded(tmp_path, IDS)

    assert said(regression_for_classes.diagnose, record)


def test_a_likelihood_without_its_minus_is_found(tmp_path: Path) -> None:
    assert said(loss_sign.diagnose, recorded(tmp_path, PICKED.format(sign="")))


def test_a_negative_likelihood_is_a_loss(tmp_path: Path) -> None:
    assert not said(loss_sign.diagnose, recorded(tmp_path, PICKED.format(sign="-")))


@pytest.mark.parametrize(("mask", "leaks"), [("", True), (HIDDEN, False)])
def test_later_entries_are_changed_to_see_whether_earlier_predictions_do(tmp_path: Path, mask: str, leaks: bool) -> None:
    record = recorded(tmp_path, WRITER.format(mask=mask))
    trials = [trial for step in record.steps for trial in step.trials if isinstance(trial.intervention, Perturb)]

    assert trials
    assert all((trial.figures["leak"] > 0.01) is leaks and trial.figures["shifted"] == 1 for trial in trials)
    assert bool(said(future_leak.diagnose, record)) is leaks


def test_a_kernel_of_flax_has_its_inputs_first(tmp_path: Path) -> None:
    record = recorded(
        tmp_path,
        """
        from flax import linen as nn
        model = nn.Dense(3)
        x = jnp.ones((4, 2))
        params = model.init(jax.random.key(0), x)
        for _ in range(2):
            jax.grad(lambda p: model.apply(p, x).sum())(params)
        """,
    )
    (layer,) = ops(record.steps[0], "linear")

    assert layer.attributes["weight_axis"] == 0


def test_labels_of_many_calls_are_looked_at(tmp_path: Path) -> None:
    program = """
w, x = jnp.ones((3, 4)), np.arange(960.0).reshape(320, 3).astype(np.float32) / 960
y = np.repeat(np.arange(4), 80)

@jax.jit
def step(w, x, y):
    loss, g = jax.value_and_grad(lambda p: optax.softmax_cross_entropy_with_integer_labels(x @ p, y).mean())(w)
    return w - 0.1 * g, loss

for at in range(0, 320, 20):
    w, loss = step(w, x[at:at + 20], y[at:at + 20])
"""
    record = recorded(tmp_path, program)
    (batches,) = record.batches

    assert (batches.seen, batches.constant_batches, batches.constant_levels) == (16, 16, 4)
    assert (batches.minimum, batches.maximum) == (0.0, 3.0)
    assert not set(record.steps[0].labels.values).isdisjoint(batches.values)
    assert batches.order_site is not None
    assert batches.order_site.line == line_of(program, "for at in")


def test_data_that_are_drawn_row_by_row(tmp_path: Path) -> None:
    record = recorded(
        tmp_path,
        """
        rows = jax.vmap(lambda key: jax.random.uniform(key, (4,), minval=-1.0))(jax.random.split(jax.random.key(0), 8))

        @jax.jit
        def step(w, x):
            return w - 0.1 * jax.grad(lambda w: jnp.mean((x[:, :3] @ w - x[:, 3]) ** 2))(w)

        w = jnp.ones(3)
        for _ in range(3):
            w = step(w, rows)
        """,
    )

    assert len(record.steps) == 2
