"""What values are called in reports, and where code is advised."""

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


@pytest.mark.parametrize("name", ["t7", "t7.1", "s0p0v16", "s3a12g", "o66"])
def test_a_number_of_a_recorder_is_shown_as_its_type(name: str) -> None:
    value = Value(name, "activation", "f32", (8, 3))

    assert (value.shown, value.written) == ("f32[8,3]", "x")


@pytest.mark.parametrize("name", ["scores", "output", "s0", "o"])
def test_a_name_of_the_program_is_kept(name: str) -> None:
    assert Value(name, "activation", "f32", (8, 3)).shown == name
