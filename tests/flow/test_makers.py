"""Where values came from."""

import pytest

from sketch import sketch
from whygrad.flow.makers import edited_at, handed_out, layer_behind, making_site, sized_at

MADE = """
    raw: input i64[9]
    y: label i64[4]
    x: input f32[4,3]
    w: parameter f32[2,3]
    t: activation f32[9]
    p: activation f32[4]
    q: activation f32[4,1]
    h: activation f32[4,2]
    r: activation f32[4,2]
    t = cast raw @ "data.py":3
    p = index t @ "train.py":7
    q = reshape p @ "train.py":8
    h = linear x w @ "train.py":9
    r = relu h
    loss = mse_loss r q with={"target":1}
    parameter w reached=true @ "net.py":5 text="self.fc = nn.Linear(3, 2)" callers=[["train.py",2,"main"]]
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (MADE, 3),
        (MADE.replace("t = cast raw", "t = enter"), 3),
        (MADE.replace("t = cast raw", "t = index raw").replace('@ "data.py":3', '@ "data.py":4').replace("raw: input", "raw: input"), None),
    ],
    ids=["the cast", "the way into the framework", "picking alone"],
)
def test_the_line_that_gave_a_value_its_entries(text: str, line: int | None) -> None:
    index = sketch(text)
    site = making_site(index, index.steps[0], "q")

    assert (site.line if site else None) == line


def test_the_loop_over_a_loader_makes_no_labels() -> None:
    index = sketch(
        MADE.replace('t = cast raw @ "data.py":3', 't = concat raw @ "train.py":6') + '    ! batch t @ "train.py":6\n    ! backward loss\n'
    )

    assert making_site(index, index.steps[0], "q") is None


def test_a_later_batch_is_made_where_the_first_one_was() -> None:
    text = """
        batches path="[1]" seen=9 values=["a","b"]
        step 0
        i: input f32[4]
        a: label f32[4]
        w: parameter f32[4]
        a = mul i @ "data.py":3
        loss = mse_loss w a with={"target":1}
        step 1
        b: label f32[4]
        w: parameter f32[4]
        loss = mse_loss w b with={"target":1}
    """
    index = sketch(text)
    site = making_site(index, index.steps[1], "b")

    assert site is not None
    assert site.line == 3
    assert handed_out(index, index.steps[1], "b") is not None


def test_the_layer_behind_an_activation() -> None:
    step = sketch(MADE).steps[0]
    found = layer_behind(step, "r")

    assert found is not None
    layer, parameter = found
    assert layer.kind == "linear"
    assert parameter is not None
    assert sized_at(parameter, 2).line == 5  # type: ignore[union-attr]  # the place is in the sketch


def test_a_size_that_is_handed_on_belongs_to_the_caller() -> None:
    step = sketch(MADE.replace("nn.Linear(3, 2)", "nn.Linear(3, classes)")).steps[0]
    found = layer_behind(step, "r")

    assert found is not None
    assert found[1] is not None
    assert sized_at(found[1], 2).line == 2  # type: ignore[union-attr]  # the place is in the sketch


def test_one_line_that_makes_several_layers_leads_to_the_call() -> None:
    text = """
        x: input f32[4,3]
        w: parameter f32[3,3]
        v: parameter f32[3,3]
        a: activation f32[4,3]
        b: activation f32[4,3]
        c: activation f32[4,3]
        a = linear x w
        b = relu a module="0" @ "net.py":20 ^ "net.py":5 callers=[["net.py",13,"__init__"]]
        c = linear b v
        loss = relu c module="1" @ "net.py":20 ^ "net.py":5 callers=[["net.py",14,"__init__"]]
    """
    step = sketch(text).steps[0]
    sites = [edited_at(step, op) for op in step.graph.ops if op.kind == "relu"]

    assert [site.line if site else None for site in sites] == [13, 14]
