"""What a recorded step holds: kinds of op, places, labels, gradients, failed calls."""

import pytest

from frontends.tensorflow.tensorflow_here import kinds, play, recorded, the, watched
from whygrad.frontends import Recording
from whygrad.frontends.raising import raised
from whygrad.ir import Outcome, family
from whygrad.loss_contracts import target_of
from whygrad.program import Stop

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DATA = """
    import numpy as np, tensorflow as tf
    x = np.random.rand(32, 6).astype("float32")
    y = np.random.randint(0, 3, 32)
    model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(3)])
    optimizer = tf.keras.optimizers.SGD(0.1)
"""
LOOP = """
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = {loss}
        gradients = tape.gradient(loss, model.trainable_variables)
        if gradients[0] is not None:
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""
ENTROPY = "tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(x))"


def test_layers_and_losses_are_ops_of_their_own(tmp_path):
    record = recorded(tmp_path, DATA + LOOP.format(loss=ENTROPY))

    assert kinds(record) == ["linear", "relu", "linear", "cross_entropy"]
    loss = the(record, "cross_entropy")
    target = record.steps[0].graph.values[target_of(loss) or ""]
    assert (target.called, target.dtype, target.shape) == ("y", "f32", (32,))
    assert record.steps[0].labels.values == (target.name,)
    assert record.steps[0].measures.reproduced
    assert [(p.name, p.gradient, p.optimizer) for p in record.steps[0].parameters] == [
        (name, "finite", "optimizer") for name in ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    ]
    assert record.outcome.steps_seen == 3
    assert record.courses[0].steps == 3


def test_the_line_that_made_an_array_is_known(tmp_path):
    record = recorded(tmp_path, DATA + LOOP.format(loss=ENTROPY))
    lines = {
        record.steps[0].graph.values[op.output].called: op.site.line for op in record.steps[0].graph.ops if op.kind == "enter" and op.site
    }

    assert lines == {"x": 3, "y": 4}


def test_a_compiled_fit_names_the_lines_that_the_user_wrote(tmp_path):
    program = (
        DATA
        + """
    model.compile(
        optimizer="adam",
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    """
    )
    record = recorded(tmp_path, program)

    loss, layer = the(record, "cross_entropy"), record.steps[0].graph.ops[-2]
    assert loss.site is not None
    assert loss.site.line == 10
    assert layer.kind == "linear"
    assert layer.module == "dense_1"
    assert layer.site is not None
    assert layer.site.line == 5
    assert record.steps[0].labels.how == "framework"
    assert record.steps[0].graph.values[record.steps[0].labels.values[0]].called == "y"
    assert record.outcome.steps_seen == 4
    assert [batches.seen for batches in record.batches] == [4, 4]


def test_labels_that_begin_with_one_class_are_looked_at_until_another_comes(tmp_path):
    program = (
        DATA
        + """
    x, y = np.zeros((120, 6), "float32"), np.repeat([0, 1], [100, 20])
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    """
    )
    labels = next(batches for batches in recorded(tmp_path, program).batches if batches.path == "[1]")

    assert (labels.seen > 50, labels.constant_levels, labels.maximum) == (True, 2, 1.0)


def test_a_loss_that_ignores_its_labels_is_not_sensitive_to_them(tmp_path):
    record = recorded(
        tmp_path,
        DATA + "    def wrong(y, prediction):\n        return tf.reduce_mean(prediction)\n" + LOOP.format(loss="wrong(y, model(x))"),
    )

    (scope,) = [scope for scope in record.steps[0].scopes if scope.function == "wrong"]
    assert scope.unread == ("y",)
    assert record.steps[0].measures.gradient_norm


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("tf.reduce_mean(tf.stop_gradient(model(x)) ** 2)", "detach"),
        ("tf.reduce_mean(tf.cast(tf.argmax(model(x), 1), tf.float32))", "argmax"),
        ("tf.reduce_mean(tf.constant(model(x).numpy()))", "enter"),
        ("tf.reduce_mean(1.5 * model(x).numpy() ** 2)", "enter"),
        ("(lambda p: tf.reduce_mean(np.abs(p) * 2))(model(x))", "enter"),
        ("tf.numpy_function(lambda p: np.float32(p.mean()), [model(x)], tf.float32)", "enter"),
    ],
)  # fmt: skip
def test_a_cut_leaves_the_parameters_without_a_gradient(tmp_path, expression, kind):
    record = recorded(tmp_path, DATA + LOOP.format(loss=expression))

    found = [op for op in record.steps[0].graph.ops if op.kind == kind and not any(op.carried(at) for at in range(len(op.inputs)))]
    assert found
    assert {p.gradient for p in record.steps[0].parameters} == {"none"}


def test_what_keras_compares_before_its_argmax_is_a_part_of_that(tmp_path):
    record = recorded(tmp_path, DATA + LOOP.format(loss="tf.reduce_mean(tf.cast(tf.keras.ops.argmax(model(x), 1), tf.float32))"))

    kinds = [op.kind for op in record.steps[0].graph.ops]
    assert "argmax" in kinds
    assert "compare" not in kinds


def test_softmax_over_cached_scores_is_a_loss_on_scores(tmp_path):
    loss = "tf.keras.losses.SparseCategoricalCrossentropy()(y, tf.keras.layers.Softmax()(model(x)))"
    record = recorded(tmp_path, DATA + LOOP.format(loss=loss))

    assert [op.kind for op in record.steps[0].graph.ops if family(op.kind) == "loss"] == ["cross_entropy"]


@pytest.mark.parametrize("way", ["loop", "fit", "eager fit"])
def test_a_loss_that_refuses_its_labels_is_the_failed_call(tmp_path, way):
    fit = f"    model.compile('sgd', tf.keras.losses.CategoricalCrossentropy(), run_eagerly={way == 'eager fit'})\n    model.fit(x, y, verbose=0)\n"
    loop = LOOP.format(loss="tf.keras.losses.CategoricalCrossentropy()(y, model(x))")
    with watched() as (observing, recorder):
        with pytest.raises(ValueError, match=r"rank|shape") as problem:
            play(tmp_path, DATA + (loop if way == "loop" else fit))
        record = observing.finish(Outcome(1, raised(problem.value, recorder.sources)))

    (step,) = record.steps
    (failed,) = [op for op in step.graph.ops if op.failed]
    assert failed.kind == "categorical_cross_entropy"
    assert [step.graph.values[name].shape for name in failed.inputs] == [(32, 3), (32,)]
    assert any(event.kind == "exception" for event in step.events)


def test_variables_in_a_list_are_known_though_tensorflow_reads_them_unseen_and_so_is_one_that_is_asked_for_and_never_read(tmp_path):
    program = """
        import tensorflow as tf
        x = tf.random.normal((16, 4))
        y = tf.reduce_sum(x, axis=1, keepdims=True)
        a, b, c = tf.Variable(tf.zeros((2, 1))), tf.Variable(tf.ones((2, 1))), tf.Variable(tf.ones((2, 1)))
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ tf.concat([a, b], axis=0) - y) ** 2)
            for variable, gradient in zip((a, b), tape.gradient(loss, (a, b, c))):
                variable.assign_sub(0.1 * gradient)
    """
    step = recorded(tmp_path, program).steps[0]

    assert [(p.name, p.reached, p.gradient) for p in step.parameters] == [
        ("a", True, "finite"),
        ("b", True, "finite"),
        ("c", False, "none"),
    ]
    assert [step.graph.values[name].called for name in next(op for op in step.graph.ops if op.kind == "concat").inputs] == ["a", "b"]
    assert step.measures.reproduced


def test_a_method_that_was_compiled_is_recorded_as_it_is_written_and_a_loss_scale_that_no_loss_is_multiplied_by_is_told(tmp_path):
    program = (
        DATA
        + """
    class Trainer:
        @tf.function
        def train_step(self, x, y):
            with tf.GradientTape() as tape:
                loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(x))
            gradients = tape.gradient(loss, model.trainable_variables)
            scale.apply_gradients(zip(gradients, model.trainable_variables))
            return loss
    scale = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
    trainer = Trainer()
    for _ in range(4):
        trainer.train_step(x, y)
    """
    )
    record = recorded(tmp_path, program)

    assert [(step.kind, event.site.line) for step in record.steps for event in step.events if event.kind == "backward" and event.site] == [
        (0, 13),
        (0, 13),
    ]
    assert record.optimizers[0].groups[0].settings["divides_by"] == 32768.0
    assert record.outcome.steps_seen == 4


def test_another_training_has_steps_of_its_own_and_weights_that_its_callback_puts_back_are_counted(tmp_path):
    program = (
        DATA
        + """
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)

    class Back(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights(weights)

    student = tf.keras.Sequential([tf.keras.layers.Input((6,)), tf.keras.layers.Dense(3)])
    student.compile(tf.keras.optimizers.Adam(), loss)
    weights = student.get_weights()
    student.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[Back()])
    loaded = tf.keras.Sequential.from_config(model.get_config())
    loaded.compile_from_config(model.get_compile_config())
    assert loaded.compiled  # as a saved model's is: Keras does so where `compile` is its own alone
    """
    )
    record = recorded(tmp_path, program)

    assert [(step.kind, len(step.parameters)) for step in record.steps] == [(0, 4), (0, 4), (1, 6), (1, 6)]
    (event,) = (event for step in record.steps for event in step.events if event.kind == "dropped")
    assert event.attributes == {"what": "restored", "times": 4, "updates": 6}
    assert event.site is not None
    assert event.site.line == 14


@pytest.mark.parametrize("predicted", ["tf.matmul(x, w)", "tf.multiply(v, a)", "x * v"])
def test_plain_variables_and_updates_by_hand_are_recorded(tmp_path, predicted):
    program = f"""
        import tensorflow as tf
        x = tf.random.normal((16, 4))
        y = tf.reduce_sum(x, axis=1, keepdims=True)
        a = x.numpy()
        w, v = tf.Variable(tf.zeros((4, 1))), tf.Variable(tf.zeros(4))
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(({predicted} - y) ** 2)
            used = {"w" if "w" in predicted else "v"}
            used.assign_sub(0.1 * tape.gradient(loss, used))
    """
    record = recorded(tmp_path, program)

    (parameter,) = (one for one in record.steps[0].parameters if one.gradient == "finite")
    assert (parameter.name, parameter.reached, parameter.moved) == ("w" if "w" in predicted else "v", True, 1.0)
    assert (record.steps[0].measures.label_sensitivity or 0.0) > 0.1
    assert [event.kind for event in record.steps[0].events if event.kind in ("backward", "update")] == ["backward", "update"]
    assert record.steps[0].measures.reproduced


def test_the_place_where_numbers_become_infinite_is_found(tmp_path):
    record = recorded(tmp_path, DATA + LOOP.format(loss="tf.reduce_mean(tf.math.log(tf.nn.relu(model(x))))"))

    (birth, *_) = record.steps[0].births
    assert [op.kind for op in record.steps[0].graph.ops if op.output == birth.op] == ["log"]


def test_a_compiled_function_of_the_library_that_a_tape_follows_is_tracked(tmp_path):
    record = recorded(
        tmp_path, DATA + "    model.build((None, 6))\n" + LOOP.format(loss="tf.reduce_mean(tf.abs(model.predict(x, verbose=0) - 1.0))")
    )

    kinds = [op.kind for op in record.steps[0].graph.ops]
    forward = next(op for op in record.steps[0].graph.ops if op.kind == "opaque")
    assert forward.tracking
    assert any(forward.carries or ())
    assert kinds.index("leave") < kinds.index("enter")


def test_an_array_that_becomes_a_tensor_twice_in_a_step_is_one_value(tmp_path):
    twice = (
        DATA + "    z = model.predict(x, verbose=0)\n" + LOOP.format(loss="tf.reduce_mean(model(tf.constant(x)) + model(tf.constant(x)))")
    )
    record = recorded(tmp_path, twice)

    assert record.faults == ()
    assert [op.kind for op in record.steps[0].graph.ops].count("linear") == 4


def test_variables_that_can_be_read_once_are_updated_all_the_same(tmp_path):
    program = DATA + LOOP.format(loss=ENTROPY).replace(
        "optimizer.apply_gradients(zip(gradients, model.trainable_variables))",
        "optimizer.apply(gradients, iter(model.trainable_variables))",
    )
    record = recorded(tmp_path, program)

    assert all(p.update_norm for p in record.steps[0].parameters)
    assert all(p.along is not None and p.along < -0.5 for p in record.steps[0].parameters)
    assert record.optimizers[0].steps == 3


@pytest.mark.parametrize(
    ("folds", "made"), [("model.set_weights(start)", 1), ("pass", 5)], ids=["weights put back before each fold", "training that goes on"]
)
def test_optimizers_that_begin_where_the_one_before_ended_are_counted(tmp_path, folds, made):
    program = (
        DATA
        + f"""
    model.build((None, 6))
    start = model.get_weights()
    for fold in range(5):
        {folds}
        model.compile(tf.keras.optimizers.Adam(0.01), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, epochs=1, verbose=0)
    """
    )
    record = recorded(tmp_path, program)

    assert max(optimizer.made for optimizer in record.optimizers) == made


def test_updates_of_optimizers_that_are_gone_are_counted(tmp_path):
    fold = """
    import gc
    for fold in range(4):
        model = tf.keras.Sequential([tf.keras.layers.Dense(3)])
        model.compile(tf.keras.optimizers.Adam(0.01), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, epochs=3, batch_size=16, verbose=0)
        tf.keras.backend.clear_session()
        del model
        gc.collect()
    """
    record = recorded(tmp_path, DATA + fold)

    assert (record.outcome.steps_seen, record.outcome.updates_seen) == (24, 24)


@pytest.mark.parametrize("eagerly", [False, True])
def test_steps_and_updates_of_fit_are_counted_once(tmp_path, eagerly):
    fit = f"""
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, run_eagerly={eagerly})
    model.fit(x, y, epochs=3, batch_size=8, verbose=0)
    """
    record = recorded(tmp_path, DATA + fit)

    assert (record.outcome.steps_seen, record.outcome.updates_seen, record.outcome.backwards_seen) == (12, 12, 12)


def test_a_rate_that_is_assigned_in_place_is_known_by_its_line(tmp_path):
    fit = """
    class Halve(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch:
                self.model.optimizer.learning_rate.assign(0.05)
    model.compile(optimizer, tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=3, batch_size=8, verbose=0, callbacks=[Halve()])
    """
    record = recorded(tmp_path, DATA + fit)
    site = record.optimizers[0].rate_site

    assert site is not None
    assert "learning_rate.assign(0.05)" in (DATA + fit).splitlines()[site.line - 1]
    assert record.optimizers[0].last_rate == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("loop", "seen"),
    [
        ("for step in range(7):\n        a, b = next(iter(data))\n", [(7, 1, 4), (7, 1, 4)]),
        ("for step in range(7):\n        a, b = next(iter(again))\n", [(7, 1, 4), (7, 1, 4)]),
        ("for epoch in range(7):\n      for a, b in data:\n", []),
        ("rows = iter(again)\n    for step in range(7):\n        a, b = next(rows)\n", []),
    ],
)
def test_a_data_set_that_is_begun_anew_at_each_step_is_noted(tmp_path, loop, seen):
    data = "    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)\n    again = data.repeat()\n"
    step = "          with tf.GradientTape() as tape:\n            loss = tf.reduce_mean(model(a) ** 2)\n          grads = tape.gradient(loss, model.trainable_variables)\n          optimizer.apply_gradients(zip(grads, model.trainable_variables))\n"
    record = recorded(
        tmp_path, DATA + data + "    " + loop + step.replace("          ", "        " if "epoch" not in loop else "          ")
    )

    assert [(item.seen, item.distinct, item.length) for item in record.batches] == seen


def test_what_leaves_beside_an_open_path_is_noted(tmp_path):
    record = recorded(tmp_path, DATA + LOOP.format(loss="tf.reduce_mean(model(x) * np.abs(model(x).numpy()))"))

    assert [op.kind for op in record.steps[0].graph.ops].count("leave") == 1
    assert {p.gradient for p in record.steps[0].parameters} == {"finite"}


@pytest.mark.parametrize("back", ["p", "tf.convert_to_tensor(p)", "tf.constant(p)"])
def test_what_was_reckoned_with_outside_comes_back_after_it_left(tmp_path, back):
    step = LOOP.replace("loss = {loss}", "p = model(x).numpy() * 2\n            " + f"loss = tf.reduce_mean(tf.square({back}))")
    record = recorded(tmp_path, DATA + step)

    kinds = [op.kind for op in record.steps[0].graph.ops]
    assert "leave" in kinds[: len(kinds) - 1 - kinds[::-1].index("enter")]


def test_a_parameter_keeps_its_name_when_another_model_comes_later(tmp_path):
    record = recorded(
        tmp_path,
        DATA
        + LOOP.format(loss=ENTROPY)
        + """
    head = tf.keras.Sequential([tf.keras.layers.Dense(3)])
    other = tf.keras.optimizers.SGD(0.1)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, head(tf.stop_gradient(model(x))))
        other.apply_gradients(zip(tape.gradient(loss, head.trainable_variables), head.trainable_variables))
    """,
    )
    named = {p.name for step in record.steps for p in step.parameters}

    assert {"dense/kernel", "dense_1/kernel", "head.dense_2/kernel"} <= named
    assert named == {name for optimizer in record.optimizers for group in optimizer.groups for name in group.parameters}
    assert set(record.endings) <= named


def test_a_step_of_a_compiled_fit_is_recorded_by_its_number(tmp_path):
    program = (
        DATA
        + """
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    """
    )
    record = recorded(tmp_path, program, at_step=7)

    assert [step.index for step in record.steps] == [7, 8]
    assert record.outcome.steps_seen == 12


def test_a_program_is_not_ended_before_the_step_that_was_asked_for(tmp_path):
    program = (
        DATA
        + """
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=8, epochs=9, verbose=0)
    """
    )
    with watched(Recording(at_step=12, stop_after=True)) as (observing, _):
        with pytest.raises(Stop):
            play(tmp_path, program)
        record = observing.finish(Outcome(0))

    assert [step.index for step in record.steps] == [12, 13]


@pytest.mark.parametrize("tapes", [1, 2])
def test_steps_of_a_loop_that_updates_by_hand_are_counted(tmp_path, tapes):
    loop = f"""
    import numpy as np, tensorflow as tf
    x, y = np.random.rand(32, 6).astype("float32"), np.random.randint(0, 3, 32)
    w = tf.Variable(tf.zeros((6, 3)))
    for _ in range(20):
        for _ in range({tapes}):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ w - tf.one_hot(y, 3)) ** 2)
            slope = tape.gradient(loss, w)
        w.assign_sub(0.1 * slope)
    """
    record = recorded(tmp_path, loop)

    assert (record.outcome.steps_seen, record.outcome.backwards_seen) == (20, 20 * tapes)


@pytest.mark.parametrize("joined", ["tf.matmul(x, w) - y", "y - tf.matmul(x, w)"])
def test_an_array_that_a_call_refuses_is_one_of_its_inputs(tmp_path, joined):
    program = f"""
        import numpy as np, tensorflow as tf
        x, y = tf.random.normal((16, 4)), np.ones(16, "float32")
        w = tf.Variable(tf.zeros((4, 2)))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(({joined}) ** 2)
        w.assign_sub(tape.gradient(loss, w))
    """
    with watched() as (observing, recorder):
        with pytest.raises(Exception, match="ncompatible shapes") as problem:
            play(tmp_path, program)
        record = observing.finish(Outcome(1, raised(problem.value, recorder.sources)))

    assert not record.faults
    (failed,) = [op for op in record.steps[-1].graph.ops if op.failed]
    values = [record.steps[-1].graph.values[name] for name in failed.inputs]
    assert {(value.called, value.shape) for value in values if value.called} == {("y", (16,))}
    assert record.steps[-1].labels.values


COMPLEX = """
import tensorflow as tf
w = tf.Variable(tf.ones(9, tf.complex64))
x = tf.random.stateless_normal((32, 16), (0, 1))
y = tf.cumsum(x, -1) / 4

@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.signal.irfft(tf.signal.rfft(x) * w, [16]) - y) ** 2)
    w.assign_sub(0.5 * tape.gradient(loss, w))

for _ in range(4):
    step()
"""


@pytest.mark.filterwarnings("error::numpy.exceptions.ComplexWarning")
def test_complex_variables_are_measured_as_the_pairs_that_they_are(tmp_path):
    record = recorded(tmp_path, COMPLEX)
    (weight,) = record.steps[0].parameters

    assert weight.norm == pytest.approx(3)
    assert weight.gradient_norm
    assert (record.steps[0].measures.label_sensitivity or 0) > 0.1


@pytest.mark.parametrize(("given", "recorded_as"), [("", None), (", ignore_class=0", 0), (", ignore_class=-1", -1)])
def test_the_class_that_a_loss_ignores_is_recorded_and_0_is_one(tmp_path, given, recorded_as):
    program = f"""
import keras, numpy as np
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True{given}))
model.fit(np.ones((8, 3), "float32"), np.arange(8) % 2, batch_size=4, verbose=0)
"""
    (loss,) = (op for op in recorded(tmp_path, program, experiments="off").steps[0].graph.ops if op.kind == "cross_entropy")

    assert loss.attributes.get("ignore_index") == recorded_as


def test_what_a_step_of_the_programs_own_hands_to_the_optimizer_under_fit_is_told(tmp_path):
    program = """
import keras, numpy as np, tensorflow as tf
class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = keras.layers.Dense(4), keras.layers.Dense(1)
    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.decoder(self.encoder(data[0])) - data[1]) ** 2)
        variables = self.decoder.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        return {"loss": loss}
model = Pair()
model.compile("sgd")
model.fit(np.ones((8, 3), "float32"), np.ones((8, 1), "float32"), batch_size=4, verbose=0)
"""
    (optimizer,) = recorded(tmp_path, program, experiments="off").optimizers

    assert optimizer.given_site is not None
    assert program.splitlines()[optimizer.given_site.line - 1].strip() == "variables = self.decoder.trainable_variables"


def test_what_is_made_in_the_form_of_another_tensor_remembers_whose_form_it_has(tmp_path):
    program = DATA + LOOP.format(loss=ENTROPY.replace("(y, model", "(tf.zeros_like(tf.constant(y)), model"))
    step = recorded(tmp_path, program).steps[0]
    (form,) = [str(op.attributes["like"]) for op in step.graph.ops if "like" in op.attributes]

    assert step.graph.values[form].shape == (32,)
