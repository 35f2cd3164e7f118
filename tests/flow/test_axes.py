"""Axes are followed only through shapes that belong together: a record may say that a number has axes."""

from whygrad.flow import Index
from whygrad.flow.axes import entries_of, moved
from whygrad.ir import Graph, Op, Record, Step, Value


def test_an_axis_that_a_result_does_not_have_is_lost() -> None:
    values = {name: Value(name, shape=shape) for name, shape in (("a", (4, 3)), ("b", ()), ("c", (4, 3)), ("d", (3, 4)))}
    ops = (Op("reshape", ("a",), ("b",)), Op("transpose", ("c",), ("d",), attributes={"order": (1, 0)}))
    step = Index(Record(steps=(Step(0, graph=Graph(ops, values)),))).steps[0]

    assert entries_of(step, "b", 0) is None
    assert moved(ops[0], (), (4, 3), 0) is None
    assert entries_of(step, "d", 2) is None
    assert entries_of(step, "d", 0) is None


def test_an_axis_is_followed_to_the_op_that_made_its_entries() -> None:
    values = {name: Value(name, shape=shape) for name, shape in (("a", (4, 3)), ("b", (4, 3)), ("c", (3, 4)))}
    ops = (Op("softmax", ("a",), ("b",)), Op("transpose", ("b",), ("c",), attributes={"order": (1, 0)}))
    step = Index(Record(steps=(Step(0, graph=Graph(ops, values)),))).steps[0]

    assert entries_of(step, "c", 0) == (ops[0], 1)
