"""What a compiled program makes in its first call is its own: a rehearsal neither makes it nor hides that it can't be made, and leaves no trace in Python."""

from typing import Any

import pytest

from frontends.tensorflow.tensorflow_here import bits, play, watched
from whygrad.frontends.tensorflow import _compat, tracing
from whygrad.ir import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DATA = """
    import numpy as np, tensorflow as tf
    from tensorflow import keras
    x = np.random.rand(32, 6).astype("float32")
    y = (x.sum(1, keepdims=True) > 3).astype("float32")
    met, seen = None, []
"""
FIT = """
    model = Net()
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    try:
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    except Exception as problem:
        met = type(problem).__name__
    next_name = keras.layers.Flatten().name
"""
NET = """
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)
            self.calls, self.last, self.kept, self.known = 0, None, [], {"sum": 0}
        def call(self, inputs):
            HERE
            return self.out(self.hidden(inputs))
"""


def net(here: str) -> str:
    """A model that is first built inside `fit`, and does this at each call."""
    return DATA + NET.replace("HERE", here.replace("\n", "\n            ")) + FIT


FUNCTION = """
    hidden, out = keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)
    model = keras.Sequential([hidden, out])
    @tf.function
    def step(optimizer, inputs, wanted):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs) - wanted) ** 2)
        HERE
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss
    def train(optimizer):
        for _ in range(4):
            step(optimizer, x, y)
    try:
        train(keras.optimizers.SGD(0.1, momentum=0.5))
        LATER
    except Exception as problem:
        met = type(problem).__name__
"""


def function(here: str = "pass", later: str = "pass") -> str:
    """A compiled step of the program's own."""
    return DATA + FUNCTION.replace("HERE", here).replace("LATER", later)


PART = """
    hidden, out = keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)
    model = keras.Sequential([hidden, out])
    count = {"calls": 0}
    @tf.function
    def forward(inputs):
        HERE
        return model(inputs)
    optimizer = keras.optimizers.SGD(0.1)
    try:
        for _ in range(4):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((forward(x) - y) ** 2)
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    except Exception as problem:
        met = type(problem).__name__
"""

REFUSED = {
    "a call that works only eagerly": net("inputs = inputs * float(tf.reduce_mean(inputs))"),
    "a call that leaves TensorFlow": net("inputs = tf.constant(inputs.numpy())"),
    "a build that works only eagerly": net("pass").replace(
        "        def call", "        def build(self, shape):\n            self.scale = float(keras.random.uniform(()))\n            self.built = True\n        def call"
    ),
    "a layer made at every call": net("inputs = keras.layers.Dense(6)(inputs)"),
    "a variable made at every call": net("inputs = inputs * tf.Variable(1.0)"),
    "a second optimizer in one compiled function": function(later="train(keras.optimizers.SGD(0.1, momentum=0.5))"),
    "a compiled function that works only eagerly": function("seen.append(loss.numpy())"),
    "a part of a step that works only eagerly": DATA + PART.replace("HERE", "seen.append(inputs.numpy())"),
    "a part of a step that makes a variable at every call": DATA + PART.replace("HERE", "inputs = inputs * tf.Variable(1.0)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_stops_a_compiled_program_stops_it_here(name, tmp_path):
    alone = play(tmp_path, REFUSED[name])
    seen, record = _watched(tmp_path, REFUSED[name])

    assert alone["met"] is not None
    assert seen["met"] == alone["met"]
    assert not record.faults
    assert "second" in name or not record.outcome.updates_seen


LEFT = {
    "a count": (net("self.calls += 1"), lambda names: names["model"].calls),
    "a list that grows": (net("self.kept.append(1)"), lambda names: len(names["model"].kept)),
    "an entry of a dictionary": (net('self.known["sum"] += 1'), lambda names: dict(names["model"].known)),
    "a tensor that is kept": (net("self.last = inputs"), lambda names: hasattr(names["model"].last, "_numpy")),
    "a name that is given": (
        net("keras.losses.MeanSquaredError(); keras.layers.Flatten(); keras.layers.Reshape((6,))"),
        lambda names: names["next_name"],
    ),
    "a layer made at the first call": (
        net("if not seen:\n    seen.append(keras.layers.Dense(6))\ninputs = seen[0](inputs)"),
        lambda names: [variable.path for layer in (names["model"], *names["seen"]) for variable in layer.variables],
    ),
    "a list of the program's": (net("seen.append(1)"), lambda names: len(names["seen"])),
    "a list that a compiled function fills": (function("seen.append(loss)"), lambda names: len(names["seen"])),
    "a list that a part of a step fills": (DATA + PART.replace("HERE", "seen.append(1)"), lambda names: len(names["seen"])),
    "a count of a part of a step": (DATA + PART.replace("HERE", "count['calls'] += 1"), lambda names: names["count"]),
}


@pytest.mark.parametrize("name", LEFT)
def test_python_is_left_as_the_program_leaves_it(name, tmp_path):
    program, look = LEFT[name]
    alone = play(tmp_path, program)
    seen, record = _watched(tmp_path, program)

    assert alone["met"] is None
    assert seen["met"] is None
    assert look(seen) == look(alone)
    if "PART" not in name and "part" not in name:
        assert bits(seen) == bits(alone)
    assert not record.faults
    assert len(record.steps) == 2


def test_a_step_that_can_not_be_made_is_still_seen_eagerly(tmp_path):
    """The widths do not fit: the layer that refuses is known with its shapes."""
    program = net("pass").replace("keras.layers.Dense(1)", "keras.layers.Reshape((5,))")
    seen, record = _watched(tmp_path, program)

    assert seen["met"] is not None
    assert any(event.kind == "exception" for step in record.steps for event in step.events)
    assert any(op.kind in ("matmul", "linear") for step in record.steps for op in step.graph.ops)


def test_updates_are_counted_by_the_function_that_makes_them_though_the_optimizer_is_gone(tmp_path):
    program = (
        DATA
        + """
    def stepper():
        model, optimizer = keras.Sequential([keras.layers.Dense(1)]), keras.optimizers.SGD(0.1)
        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x) - y) ** 2)
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
            return loss
        return step
    one, other = stepper(), stepper()
    for at in range(9):
        one()
        if at % 3 == 0:
            other()
    import gc
    del one, other
    gc.collect()
    """
    )
    _, record = _watched(tmp_path, program)

    assert sorted(optimizer.steps for optimizer in record.optimizers) == [3, 9]


def _watched(folder: Any, program: str) -> Any:
    with watched() as (observing, _):
        seen = play(folder, program)
        return seen, observing.finish(Outcome(0))


def test_where_functions_are_traced_in_an_unknown_way_the_step_is_recorded_all_the_same(tmp_path, monkeypatch):
    from tensorflow.python.eager.polymorphic_function import concrete_function

    computing = concrete_function.ConcreteFunction._call_flat
    known = tracing.OTHERWISE
    monkeypatch.setattr(_compat, "PARTS", ("_call_flat_of_a_later_version", *_compat.PARTS[1:]))

    seen, record = _watched(tmp_path, DATA + FIT.replace("Net()", "keras.Sequential([keras.layers.Dense(1)])"))

    assert seen["met"] is None
    assert known in record.limits
    assert len(record.steps) == 2
    assert concrete_function.ConcreteFunction._call_flat is computing
