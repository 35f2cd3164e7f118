"""Models that are saved between fits: the copies of their variables that a saved graph is made with are none that could be read."""

from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.rehearsal import value_of


def test_a_variable_of_a_graph_has_no_present_value() -> None:
    with tf.Graph().as_default():
        copied = tf.Variable(1.0)

    assert value_of(copied) is None
    assert float(value_of(tf.Variable(1.0))) == 1.0
