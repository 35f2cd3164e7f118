"""What the front end tells of frozen layers, sources that no tape follows, scores behind a softmax, and experiments that it does not make."""

import pytest

from frontends.idle import assert_nothing_changed, idle_trials, kept_and_followed
from frontends.tensorflow.tensorflow_here import play, recorded, recorded_as, the, watched
from whygrad.flow import Index
from whygrad.ir import Outcome
from whygrad.rules.graph.frozen_parameters import diagnose as frozen
from whygrad.rules.graph.input_ignored import diagnose as ignored
from whygrad.rules.graph.untracked_variable import diagnose as untracked
from whygrad.rules.loss.batch_size_mismatch import diagnose as mismatch
from whygrad.rules.loss.binary_loss_for_classes import diagnose as binary
from whygrad.rules.loss.softmax_over_one import diagnose as alone
from whygrad.rules.update.not_in_optimizer import diagnose as unheld
from whygrad.rules.update.stale_optimizer import diagnose as stale
from whygrad.rules.update.wrong_order import diagnose as order
from whygrad.rules.update.zero_learning_rate import diagnose as idle
from whygrad.rules.wiring.input_shape import diagnose as shape

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DATA = """
    import numpy as np, tensorflow as tf
    x = np.random.rand(24, 6).astype("float32")
    y = np.random.randint(0, 3, 24)
    base = tf.keras.layers.Dense(8, activation="tanh")
"""
FIT = """
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
"""
MODEL = """
    model = tf.keras.Sequential([tf.keras.layers.Input((6,)), base, tf.keras.layers.Dense(3, activation="softmax")])
"""


def said(rule, record):
    """What a rule says of a record, with its line."""
    return [(found.site.line if found.site else None, found.message) for found in rule.check(Index(record))]


OTHER = """
    other = tf.keras.Sequential([tf.keras.layers.Input((6,)), tf.keras.layers.Dense(2)])
    other.predict(x, verbose=0)
"""


def test_a_model_that_is_frozen_as_a_whole_is_named_at_the_line_that_freezes_it_also_beside_one_that_is_not(tmp_path):
    record = recorded(tmp_path, DATA + MODEL + "    model.trainable = False\n" + OTHER + FIT)

    ((line, message),) = said(frozen, record)
    assert line == 8
    assert "nothing that shapes the loss is trainable" in message


def test_a_frozen_base_is_an_event_and_no_fault(tmp_path):
    record = recorded(tmp_path, DATA + MODEL + "    base.trainable = False\n" + FIT)
    events = [event for step in record.steps for event in step.events if event.kind == "freeze"]

    assert [event.targets for event in events] == [("dense/kernel", "dense/bias")]
    assert not said(frozen, record)


UNFREEZE = DATA + MODEL + "    base.trainable = False\n" + FIT + "    base.trainable = True\n"
AGAIN = "    model.fit(x, y, batch_size=8, epochs=1, verbose=0)\n"


def test_unfreezing_after_compile_is_told(tmp_path):
    ((line, message),) = said(order, recorded(tmp_path, UNFREEZE + AGAIN))

    assert line == 12
    assert "`dense/kernel` and `dense/bias` stay frozen" in message


def test_compiling_again_is_fine(tmp_path):
    assert not said(order, recorded(tmp_path, UNFREEZE + FIT))


TAPE = """
    model = tf.keras.Sequential([base])
    picture = tf.ones((1, 6))
    for _ in range(2):
        with tf.GradientTape() as tape:
            {watch}
            score = tf.reduce_mean(model(picture))
        slope = tape.gradient(score, picture)
"""


def test_a_source_that_no_tape_follows_is_told(tmp_path):
    ((line, message),) = said(untracked, recorded(tmp_path, DATA + TAPE.format(watch="pass")))

    assert line == 8
    assert "does not follow `picture`" in message


def test_a_watched_source_is_part_of_the_forward(tmp_path):
    record = recorded(tmp_path, DATA + TAPE.format(watch="tape.watch(picture)"))

    assert not [event for step in record.steps for event in step.events if event.kind == "backward"]


ONE = """
    t = (y > 1).astype("float32")[:, None]
    model = tf.keras.Sequential([tf.keras.layers.Input((6,)), base, tf.keras.layers.Dense(1, activation="{activation}")])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(x, t, batch_size=8, epochs=1, verbose=0)
"""


def test_a_softmax_over_one_unit_is_told_though_keras_goes_back_to_its_scores(tmp_path):
    record = recorded(tmp_path, DATA + ONE.format(activation="softmax"))

    assert the(record, "bce_with_logits").attributes["given"] == the(record, "softmax").output
    ((line, message),) = said(alone, record)
    assert line == 8
    assert "so is every prediction" in message
    assert not said(alone, recorded(tmp_path, DATA + ONE.format(activation="sigmoid")))


def test_a_binary_loss_on_a_softmax_is_told(tmp_path):
    program = DATA + MODEL + FIT.replace("sparse_categorical", "binary").replace("(x, y,", "(x, np.eye(3)[y].astype('float32'),")

    assert "judges each of 3 classes by itself" in said(binary, recorded(tmp_path, program))[0][1]


ZEROS = """
    z = "zeros"
    layers = [tf.keras.layers.Dense(8, kernel_initializer=z), tf.keras.layers.Dense(3, activation="softmax", kernel_initializer=z)]
    model = tf.keras.Sequential(layers)
"""


def test_a_flat_result_of_zero_weights_is_not_an_input_that_is_ignored(tmp_path):
    assert not said(ignored, recorded(tmp_path, DATA + ZEROS + FIT))


def test_a_number_in_front_of_a_minus_is_seen(tmp_path):
    loop = """
    w = tf.Variable(tf.ones((6,)))
    with tf.GradientTape() as tape:
        loss = 1.0 - tf.reduce_mean(w - 1.0)
    tape.gradient(loss, w)
    """
    natives = [op.native for op in recorded(tmp_path, DATA + loop).steps[0].graph.ops if op.kind == "sub"]

    assert natives == ["tf.Sub", "tf.rsub"]


REFUSED = {
    "a missing flatten": (
        """
    pictures = np.random.rand(24, 5, 6).astype("float32")
    model = tf.keras.Sequential([tf.keras.layers.Input((5, 6)), base, tf.keras.layers.Dense(3)])
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pictures, y, batch_size=8, verbose=0)
    """,
        shape,
        5,
        "works on the last axis",
    ),
    "a series with its axes in another order, found in the cell of a recurrent layer": (
        """
    series = np.random.rand(24, 1, 6).astype("float32")
    model = tf.keras.Sequential([tf.keras.layers.LSTM(4, input_shape=(6, 1)), tf.keras.layers.Dense(3)])
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(series, y, batch_size=8, verbose=0)
    """,
        shape,
        8,
        "has them on axis 1",
    ),
    "labels cut too short, at the line that cuts them": (
        """
    y = y[:20]
    model = tf.keras.Sequential([base, tf.keras.layers.Dense(3)])
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=8, verbose=0)
    """,
        mismatch,
        7,
        "24 rows against 20",
    ),
    "an optimizer of another model": (
        """
    optimizer = tf.keras.optimizers.SGD(0.1)
    for model in [tf.keras.Sequential([tf.keras.layers.Dense(1)]) for _ in range(2)]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    """,
        stale,
        7,
        "was built for other variables",
    ),
}


@pytest.mark.parametrize(("program", "rule", "line", "told"), REFUSED.values(), ids=REFUSED)
def test_an_exception_is_explained(tmp_path, program, rule, line, told):
    from whygrad.frontends.raising import raised

    with watched() as (observing, recorder):
        with pytest.raises(ValueError, match=r".") as caught:
            play(tmp_path, DATA + program)
        record = observing.finish(Outcome(1, exception=raised(caught.value, recorder.sources)))

    ((where, message),) = said(rule, record)
    assert where == line
    assert told in message


@pytest.mark.parametrize(
    ("layers", "actions"),
    [
        ("tf.keras.Sequential([tf.keras.layers.Input((5, 6)), tf.keras.layers.Dense(4), tf.keras.layers.Dense(3)])", ["enlist"]),
        ("tf.keras.Sequential([tf.keras.layers.Input((5, 6)), tf.keras.layers.Flatten(), tf.keras.layers.Dense(3)])", []),
    ],
    ids=["missing", "there"],
)
def test_a_missing_flatten_is_put_in_front_of_the_first_dense_layer(tmp_path, layers, actions):
    from whygrad.flow import Index

    program = f"""
    pictures = np.random.rand(24, 5, 6).astype("float32")
    model = {layers}
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    try:
        model.fit(pictures, y, batch_size=8, verbose=0)
    except ValueError as problem:
        caught = problem
    """
    from whygrad.frontends.raising import raised

    with watched() as (observing, recorder):
        caught = play(tmp_path, DATA + program).get("caught")
        problem = raised(caught, recorder.sources) if caught is not None else None
        record = observing.finish(Outcome(1, exception=problem))
    edits = [edit for found in shape.check(Index(record)) if found.remedy is not None for edit in found.remedy.edits]

    assert [edit.action for edit in edits] == actions


RATES = {
    "a schedule of Keras'": (
        """
    rate = tf.keras.optimizers.schedules.PolynomialDecay(0.01, decay_steps=2, end_learning_rate=0.0)
    """,
        "",
        7,
    ),
    "a function that a callback asks": (
        """
    rate = 0.1
    def factor(epoch):
        return 0.5 * (1 // 2)
    """,
        ", callbacks=[tf.keras.callbacks.LearningRateScheduler(factor)]",
        9,
    ),
}


@pytest.mark.parametrize(("rate", "callbacks", "line"), RATES.values(), ids=RATES)
def test_a_rate_of_zero_is_named_where_it_is_decided(tmp_path, rate, callbacks, line):
    program = DATA + rate + MODEL + FIT.replace('"adam"', "tf.keras.optimizers.SGD(rate)").replace("epochs=2", "epochs=9" + callbacks)

    ((where, _),) = said(idle, recorded(tmp_path, program))
    assert where == line


LOOP = """
    import numpy as np, tensorflow as tf
    x, y = tf.constant(np.random.rand(24, 6), tf.float32), tf.constant(np.random.randint(0, 3, 24))
    model = tf.keras.Sequential([tf.keras.layers.Input((6,)), tf.keras.layers.Dense(8, activation="tanh"), tf.keras.layers.Dense(3)])
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.SGD(0.5)
    for _ in range(9):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
"""
COMPILED = (
    DATA
    + MODEL
    + """
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=24, epochs=9, verbose=0, shuffle=False)
"""
)


@pytest.mark.parametrize("program", [LOOP, COMPILED], ids=["eager", "compiled"])
def test_a_step_with_the_parameters_of_a_later_one_has_its_loss(program, tmp_path):
    curve = kept_and_followed(tmp_path, recorded_as, program)

    assert len(curve) > 1
    assert all(followed == pytest.approx(seen, rel=1e-4) for followed, seen in curve), curve


def test_an_intervention_with_nothing_to_change_changes_nothing(tmp_path, monkeypatch):
    assert_nothing_changed(idle_trials(monkeypatch, lambda: recorded(tmp_path, LOOP), tmp_path / "empty"))


LISTED = """
    base.trainable = False
    optimizer, listed = tf.keras.optimizers.SGD(0.1), list(model.trainable_variables)
    for number in range(16):
        if number == 5:
            base.trainable = True
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        optimizer.apply_gradients(zip(tape.gradient(loss, listed), listed))
"""


def test_a_loop_that_unfreezes_layers_is_looked_at_once_more(tmp_path):
    record = recorded(tmp_path, DATA + MODEL + LISTED)

    ((_, message),) = said(unheld, record)
    assert message.startswith("`dense/kernel` and `dense/bias` are held by no optimizer")
    assert not said(unheld, recorded(tmp_path, DATA + MODEL + LISTED.replace("number == 5", "number == 50")))


PAIR = """
    other = tf.keras.Sequential([tf.keras.layers.Input((6,)), tf.keras.layers.Dense(6)])
    first, second = tf.keras.optimizers.SGD(0.1), tf.keras.optimizers.SGD(0.1)
    for number in range(4):
        with tf.GradientTape(persistent=True) as tape:
            one = tf.reduce_mean(model(other(x))[:, 0])
            two = tf.reduce_mean(model(x)[:, 1])
        of_one = tape.gradient(one, model.trainable_variables)
        of_two = tape.gradient(two, model.trainable_variables)
        first.apply_gradients(zip(of_one, model.trainable_variables))
        second.apply_gradients(zip(of_two, model.trainable_variables))
"""


def test_of_two_backwards_in_one_step_each_optimizer_has_its_own_list(tmp_path):
    ((line, _),) = said(unheld, recorded(tmp_path, DATA + MODEL + PAIR))

    assert "of_one = tape.gradient" in (DATA + MODEL + PAIR).split("\n")[line - 1]
