"""Names of tensors: memory of what has gone is used again, and with it the numbers that Python tells things apart by."""

import gc

from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.standing import standing
from whygrad.frontends.tensorflow.values import Values
from whygrad.ir import Graph, Statistics, Step, Value


def test_a_tensor_in_the_place_of_a_variable_that_is_gone_is_no_variable():
    values = Values()
    variable = tf.Variable([1.0, 2.0])
    entry = values.variable(variable)
    assert entry is not None
    del variable
    gc.collect()
    tensor = tf.constant([3, 4, 5], tf.int64)
    values.variables[id(tensor)] = entry  # as where the tensor lies where the variable's handle lay

    seen = values.seen[values.name(tensor)]

    assert (seen.dtype, seen.shape, seen.variable) == ("i64", (3,), None)


def test_the_handle_of_a_living_variable_stands_for_its_value():
    values = Values()
    variable = tf.Variable([1.0, 2.0])
    entry = values.variable(variable)
    assert entry is not None

    assert values.name(variable._handle) == entry.value
    assert values.seen[entry.value].shape == (2,)


def test_a_number_in_a_variable_that_stays_is_told_from_one_that_counts():
    values, share, turns = Values(), tf.Variable(0.0, trainable=False), tf.Variable(0.0, trainable=False)
    entries = [values.variable(variable) for variable in (share, turns)]
    names = [values.of_variable(entry).name for entry in entries if entry is not None]
    none = Statistics(count=1, minimum=0.0, maximum=0.0)
    step = Step(0, graph=Graph((), {name: Value(name, role="buffer", shape=(), statistics=none) for name in names}))
    turns.assign_add(1.0)

    assert standing([step], values) == (names[0],)
