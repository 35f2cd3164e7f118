"""Gradients added up in variables of the program's own, over several steps of `fit`."""

import pytest

from frontends.tensorflow.tensorflow_here import recorded
from whygrad.flow import Index
from whygrad.rules.update import accumulated_gradient

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAM = """
    import keras, numpy as np, tensorflow as tf

    class Gathering(keras.Model):
        def __init__(self, net):
            super().__init__()
            self.net = net
            self.turn = tf.Variable(0, trainable=False, dtype=tf.int32)
            self.store = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in net.trainable_variables]

        def call(self, x):
            return self.net(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x=x, y=y, y_pred=self(x))
            for kept, gradient in zip(self.store, tape.gradient(loss, self.net.trainable_variables)):
                ADD
            self.turn.assign_add(1)
            if self.turn >= 3:
                self.optimizer.apply_gradients(zip(self.store, self.net.trainable_variables))
                self.turn.assign(0)
                AFTER
            return {"loss": loss}

    x = np.random.normal(size=(96, 6)).astype("float32")
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    model = Gathering(net)
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse", run_eagerly=True)
    model.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0)
"""
CLEARED = "[kept.assign(tf.zeros_like(kept)) for kept in self.store]"


def program(add, after):
    """The program with its way of adding and what follows an update."""
    return PROGRAM.replace("ADD", add).replace("AFTER", after)


def test_sums_that_are_never_cleared_are_told_at_the_line_that_adds_and_updates_are_counted_as_they_were(tmp_path):
    record = recorded(tmp_path, program("kept.assign_add(gradient / 3)", "pass"))
    (told,) = accumulated_gradient.diagnose.check(Index(record))

    assert told.site is not None
    assert told.site.line == next(at for at, line in enumerate(PROGRAM.splitlines(), 1) if "ADD" in line)
    assert record.outcome.steps_seen == 24
    assert record.outcome.updates_seen == 8


@pytest.mark.parametrize(
    ("add", "after"),
    [
        ("kept.assign_add(gradient / 3)", CLEARED),
        ("kept.assign(0.9 * kept + gradient)", "pass"),
        ("kept.assign(gradient)", "pass"),
    ],
    ids=["cleared", "a momentum that decays", "written over"],
)
def test_sums_that_do_not_grow_by_all_gradients_are_fine(tmp_path, add, after):
    assert not list(accumulated_gradient.diagnose.check(Index(recorded(tmp_path, program(add, after)))))


COMPILED = (
    PROGRAM.replace(", run_eagerly=True", "")
    .replace("            if self.turn >= 3:\n", "            def update():\n")
    .replace('return {"loss": loss}', 'tf.cond(self.turn >= 3, update, lambda: None)\n            return {"loss": loss}')
    .replace("epochs=2", "epochs=4")
)


def compiled(add, after):
    """The program whose step Keras compiles: most of its calls make no update."""
    return COMPILED.replace("ADD", add).replace("AFTER", after)


def test_the_rare_step_of_a_compiled_training_that_updates_is_recorded_and_all_are_counted(tmp_path):
    record = recorded(tmp_path, compiled("kept.assign_add(gradient / 3)", "pass"))
    (told,) = accumulated_gradient.diagnose.check(Index(record))

    assert told.site is not None
    assert told.site.line == next(at for at, line in enumerate(COMPILED.splitlines(), 1) if "ADD" in line)
    assert record.outcome.steps_seen == 48
    assert record.outcome.updates_seen == 16
    assert [optimizer.skipped for optimizer in record.optimizers] == [0]


def test_sums_of_a_compiled_training_that_are_cleared_are_fine(tmp_path):
    record = recorded(tmp_path, compiled("kept.assign_add(gradient / 3)", CLEARED))

    assert any(step.updated for step in record.steps)
    assert not list(accumulated_gradient.diagnose.check(Index(record)))


FUNCTION = """
    import keras, numpy as np, tensorflow as tf

    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.01)
    kept = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in net.trainable_variables]
    turn = tf.Variable(0, trainable=False)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x) - y) ** 2)
        for sum_, gradient in zip(kept, tape.gradient(loss, net.trainable_variables)):
            sum_.assign_add(gradient)
        turn.assign_add(1)
        if turn == 4:
            optimizer.apply_gradients(zip(kept, net.trainable_variables))
            turn.assign(0)
            AFTER
        return loss

    x = np.random.normal(size=(96, 6)).astype("float32")
    for epoch in range(6):
        for at in range(0, 96, 8):
            step(x[at : at + 8], x[at : at + 8, :1])
"""


@pytest.mark.parametrize(("after", "found"), [("pass", 1), ("for sum_ in kept: sum_.assign(tf.zeros_like(sum_))", 0)])
def test_the_same_in_a_function_of_the_program_s_own(tmp_path, after, found):
    record = recorded(tmp_path, FUNCTION.replace("AFTER", after))

    assert len(list(accumulated_gradient.diagnose.check(Index(record)))) == found
    assert record.outcome.updates_seen == 18


APART = """
    import keras, numpy as np, tensorflow as tf

    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.01)
    kept = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in net.trainable_variables]

    @tf.function
    def gather(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x) - y) ** 2)
        for sum_, gradient in zip(kept, tape.gradient(loss, net.trainable_variables)):
            sum_.assign_add(gradient)
        return loss

    @tf.function
    def update():
        optimizer.apply_gradients([(sum_ / 4.0, v) for sum_, v in zip(kept, net.trainable_variables)])

    x = np.random.normal(size=(96, 6)).astype("float32")
    for turn in range(48):
        gather(x[turn : turn + 8], x[turn : turn + 8, :1])
        if turn % 4 == 3:
            update()
            AFTER
"""


@pytest.mark.parametrize(("after", "lines"), [("pass", [13]), ("for sum_ in kept: sum_.assign(tf.zeros_like(sum_))", [])])
def test_a_share_of_the_sums_that_another_function_hands_over_is_told_where_they_are_added_to(tmp_path, after, lines):
    found = accumulated_gradient.diagnose.check(Index(recorded(tmp_path, APART.replace("AFTER", after))))

    assert [one.site.line for one in found if one.site is not None] == lines
