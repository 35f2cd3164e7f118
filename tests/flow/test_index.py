"""Questions about one step."""

from whygrad.flow.index import StepIndex
from whygrad.ir import Graph, Op, Step


def test_a_way_back_has_an_end_even_where_an_op_reads_what_it_makes() -> None:
    loop = StepIndex(Step(0, graph=Graph((Op("copy", ("y",), ("y",)), Op("copy", ("a",), ("b",)), Op("copy", ("b",), ("a",))))))

    assert loop.origin("y") == "y"
    assert loop.origin("a") in ("a", "b")
