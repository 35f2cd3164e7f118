"""WG208 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said, sketch
from whygrad.rules.loss.softmax_over_one import diagnose

ONE = """
    x: input f32[32,8]
    y: label f32[32,1]
    w: parameter f32[1,8]
    s: activation f32[32,1]
    p: activation f32[32,1]
    s = linear x w @ "a.py":3
    p = softmax s with={"axis":1} @ "a.py":4
    loss = binary_cross_entropy p y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

CROSS = """
    x: input f32[32,8]
    y: label i64[32] minimum=0 maximum=1
    w: parameter f32[1,8]
    s: activation f32[32,1]
    s = linear x w @ "a.py":3
    loss = cross_entropy s y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

ATTENTION = """
    x: input f32[32,7,8]
    y: label f32[32,8]
    w: parameter f32[1,8]
    s: activation f32[32,7,1]
    a: activation f32[32,7,1]
    h: activation f32[32,7,8]
    m: activation f32[32,8]
    s = linear x w @ "a.py":3
    a = softmax s with={"axis":-1} @ "a.py":4
    h = mul a x
    m = sum h with={"axis":1}
    loss = mse_loss m y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "before a binary cross-entropy": (ONE, 4),
    "the last axis": (ONE.replace('"axis":1', '"axis":-1'), 4),
    "scores from behind the softmax, as Keras takes them": (
        ONE.replace('binary_cross_entropy p y with={"target":1}', 'bce_with_logits s y with={"target":1,"given":"p"}'),
        4,
    ),
    "a squared error": (ONE.replace("binary_cross_entropy", "mse_loss"), 4),
    "where the layer was made": (ONE.replace('@ "a.py":4', '@ "a.py":9 ^ "net.py":19'), 19),
    "a cross-entropy over one column": (CROSS, 5),
    "a cross-entropy that raised": (CROSS.replace("loss = ", "= ").replace("y with", "y failed=true with"), 5),
    "a cross-entropy of shares in one column": (CROSS.replace("y: label i64[32]", "y: label f32[32,1]"), 5),
    "attention weights over the last axis": (ATTENTION, 4),
    "units by a product": (ONE.replace("linear x w", "matmul x w").replace("w: parameter f32[1,8]", "w: parameter f32[8,1]"), 4),
}

SILENT = {
    "shares of two classes": CROSS.replace("y: label i64[32]", "y: label f32[32,2]")
    .replace("s: activation f32[32,1]", "s: activation f32[32,2]")
    .replace("w: parameter f32[1,8]", "w: parameter f32[2,8]"),
    "two units": ONE.replace("[32,1]", "[32,2]").replace("f32[1,8]", "f32[2,8]"),
    "over the positions": ATTENTION.replace('"axis":-1', '"axis":1'),
    "a sequence of one position": ATTENTION.replace("[32,7,", "[32,1,")
    .replace('"axis":-1', '"axis":1')
    .replace("f32[1,8]", "f32[5,8]")
    .replace("f32[32,1,1]", "f32[32,1,5]"),
    "two columns": CROSS.replace("[32,1]", "[32,2]").replace("f32[1,8]", "f32[2,8]"),
    "scores of pairs": ONE.replace("s = linear x w", "s = matmul x x").replace("w: parameter f32[1,8]", "w: parameter f32[9,8]"),
    "the axis is unknown": ONE.replace('with={"axis":1}', ""),
    "an axis that is not there": ONE.replace('"axis":1}', '"axis":5}'),
    "not on the way to the loss": ONE.replace("binary_cross_entropy p", "binary_cross_entropy s"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_a_single_unit(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_zero_gradients_are_explained() -> None:
    zero = (
        ONE
        + """
    parameter w reached=true optimizer="opt" gradient="zero"
    measures gradient_norm=0.0
    """
    )
    (diagnosis,) = said(diagnose, zero)

    assert ("no-gradient", "w") in diagnosis.explains
    assert "gradient norm of this step is 0" in diagnosis.evidence[1].statement


@pytest.mark.parametrize(
    ("written", "offered"),
    [('Dense(1, activation="softmax")', ["argument"]), ("model.fit(x, y)", [])],
)
def test_the_activation_of_a_layer_is_no_setting_of_a_training_loop(written: str, offered: list[str]) -> None:
    text = written.replace('"', '\\"')
    (diagnosis,) = said(diagnose, ONE.replace('@ "a.py":4', f'@ "a.py":4:1-{len(written) + 1} text="{text}"'))

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.otherwise] == offered


def test_attention_is_normalised_over_the_one_other_axis() -> None:
    (diagnosis,) = said(diagnose, ATTENTION)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.keyword, edit.text) for edit in diagnosis.remedy.edits] == [("argument", "dim", "1")]
    assert not diagnosis.remedy.safe


def test_of_two_other_axes_none_is_chosen() -> None:
    (diagnosis,) = said(diagnose, ATTENTION.replace("[32,7,", "[32,4,7,").replace("sum h", "mean h").replace("f32[32,8]", "f32[32,4,8]"))

    assert diagnosis.remedy is None


SHARES = CROSS.replace("y: label i64[32]", "y: label f32[32,1]")
INSTEAD = {
    "answers to one question": (SHARES, "binary_cross_entropy_with_logits"),
    "class ids": (CROSS, ""),
    "marks of yes and no that go down to -1": (SHARES.replace("minimum=0", "minimum=-1"), ""),
    "scores behind an activation": (
        SHARES.replace('s = linear x w @ "a.py":3', 'h = linear x w @ "a.py":3\n    s = sigmoid h').replace(
            "s: activation", "h: activation f32[32,1]\n    s: activation"
        ),
        "",
    ),
}


@pytest.mark.parametrize(("text", "name"), INSTEAD.values(), ids=INSTEAD)
def test_the_loss_for_one_question_stands_in_its_place(text: str, name: str):
    remedies = [found.remedy for found in diagnose.check(sketch(text)) if found.site is not None and found.site.line == 5]

    assert [edit.text.partition("|")[0].rpartition(".")[2] for found in remedies if found for edit in found.edits] == (
        [name] if name else []
    )
