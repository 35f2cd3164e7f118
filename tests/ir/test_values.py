"""What values are called where code is advised."""

import pytest

from whygrad.ir import Value

WRITTEN = {
    "label": "label",
    "batch['y']": "batch['y']",
    "layers.0.weight": "layers.0.weight",
    "model(x)": "model(x)",
    "1 - label": "(1 - label)",
    "-score": "(-score)",
    "a if b else c": "(a if b else c)",
    "pred != y": "(pred != y)",
}


@pytest.mark.parametrize(("called", "written"), WRITTEN.items(), ids=WRITTEN)
def test_a_compound_expression_is_bracketed_where_it_is_to_be_pasted(called: str, written: str) -> None:
    value = Value("t1", called=called)

    assert (value.written, value.shown) == (written, called)


def test_what_is_cut_short_gets_a_usual_name() -> None:
    assert Value("t1", role="label", called="1 - batch[…]").written == "labels"
