"""Numbers that NumPy takes out of a tensor by itself, unseen, and that come back in a variable of the program's."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules.graph import rebuilt_tensor

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np, tensorflow as tf

    x = np.random.normal(size=(64, 6)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="tanh")])
    head = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.1)
    shown = []

    def scaled(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def forward(rows):
        BODY

    def step(rows, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, forward(rows))
        variables = encoder.trainable_variables + head.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    for turn in range(6):
        step(x, y)
"""
LEAVES = {
    "bound to the same name": ("code = encoder(rows)", "code = scaled(np.asarray(code))", "return head(code)"),
    "under another name, by way of a third": (
        "code = encoder(rows)",
        "plain = np.array(code)",
        "unit = scaled(plain)",
        "return head(unit)",
    ),
    "added to in place": ("code = np.asarray(encoder(rows))", "code = code + 1.0", "return head(code)"),
}
STAYS = {
    "an array of other things": ("code = encoder(rows)", "mask = (np.arange(4) < 3).astype('float32')", "return head(code * mask)"),
    "looked at beside the way": ("code = encoder(rows)", "mean = np.mean(np.asarray(code))", "shown.append(mean)", "return head(code)"),
    "an unread tensor, and an array that has nothing to do with it": (
        "unused = encoder(rows)", "noise = np.random.normal(size=(64, 4)).astype('float32')", "return head(encoder(rows) + noise)",
    ),
}  # fmt: skip


def told(tmp_path, body):
    """What WG302 says."""
    program = PROGRAM.replace("BODY", "\n        ".join(body))
    return program, list(rebuilt_tensor.diagnose.check(Index(recorded(tmp_path, program))))


@pytest.mark.parametrize("body", LEAVES.values(), ids=LEAVES)
def test_an_array_made_of_a_tensor_of_the_step_is_told_where_it_is_assigned(tmp_path, body):
    program, (found,) = told(tmp_path, body)

    assert found.site is not None
    assert program.splitlines()[found.site.line - 1].strip() == body[1]


@pytest.mark.parametrize("body", STAYS.values(), ids=STAYS)
def test_an_array_of_other_origin_is_not(tmp_path, body):
    assert not told(tmp_path, body)[1]
