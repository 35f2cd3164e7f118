"""WG219 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.penalty_dominates import diagnose

RIDGE = """
    x: input f32[32,9]
    y: label f32[32]
    w: parameter f32[1,9]
    m: activation f32[32]
    l: activation f32[] mean=0.65
    q: activation f32[1,9]
    n: activation f32[] mean=58.0
    loss: loss f32[]
    m = linear x w @ "a.py":3
    l = mse_loss m y with={"target":1} @ "a.py":4
    q = square w @ "a.py":5
    n = sum q @ "a.py":5
    loss = add l n @ "a.py":6
    labels values=["y"] how="target"
    measures loss=58.65 gradient_norm=34.0 label_sensitivity=0.04
"""

DECAYED = (
    RIDGE.replace("mse_loss m y with", "cross_entropy m y with")
    .replace("m: activation f32[32]", "m: activation f32[32,5]")
    .replace("w: parameter f32[1,9]", "w: parameter f32[5,9]")
    .replace("y: label f32[32]", "y: label i64[32]")
    .replace("label_sensitivity=0.04", "label_sensitivity=0.3")
)
COURSE = "course steps=100 start=58.0 first=50.0 last=1.57 noise=0.1\n"

WINES = RIDGE.replace("label_sensitivity=0.04", "label_sensitivity=0.11").replace("y: label f32[32]", "y: label f32[32] std=0.98")

FIRES = {
    "a regression that ends at the variance of its targets": (COURSE.replace("last=1.57", "last=0.99") + WINES, 6),
    "a third of the gradient, and the run ends at chance": (COURSE + DECAYED, 6),
    "ninety times the data": (RIDGE, 6),
    "the penalty first": (RIDGE.replace("add l n", "add n l"), 6),
    "stacked and added up, as Keras does": (
        RIDGE.replace("loss = add l n", 't = concat l n n2 with={"axis":0} @ "a.py":6\n    loss = sum t')
        .replace("    loss = sum", "    loss = sum")
        .replace('    n = sum q @ "a.py":5', '    n = sum q @ "a.py":5\n    n2 = sum q @ "a.py":5')
        .replace("    loss: loss f32[]", "    n2: activation f32[] mean=12.0\n    t: activation f32[3]\n    loss: loss f32[]"),
        6,
    ),
    "a norm": (RIDGE.replace("q = square w", "q = abs w"), 6),
    "a scaled one": (
        RIDGE.replace("loss = add l n", "k = mul n\n    loss = add l k").replace(
            "    m = linear", "    k: activation f32[] mean=70.0\n    m = linear"
        ),
        6,
    ),
}

SILENT = {
    "a regression that ends below the variance": COURSE.replace("last=1.57", "last=0.5") + WINES,
    "a regression of which no figures are known": COURSE.replace("last=1.57", "last=0.99") + WINES.replace(" std=0.98", ""),
    "a third of the gradient, and the run learns": COURSE.replace("1.57", "0.9") + DECAYED,
    "a third of the gradient, in a short run": COURSE.replace("steps=100", "steps=10") + DECAYED,
    "a run that ends as NaN (WG502)": COURSE.replace("noise", "non_finite=90 noise") + DECAYED,
    "most of the gradient, whatever the end": COURSE + DECAYED.replace("label_sensitivity=0.3", "label_sensitivity=0.6"),
    "labels are felt": RIDGE.replace("label_sensitivity=0.04", "label_sensitivity=0.9"),
    "a small penalty": RIDGE.replace("mean=58.0", "mean=0.5"),
    "not measured": RIDGE.replace(" label_sensitivity=0.04", ""),
    "NaN": RIDGE.replace("label_sensitivity=0.04", 'label_sensitivity="nan"'),
    "a term of data without labels": RIDGE.replace("q = square w", "q = mul w x"),
    "the data term is switched off (WG102)": RIDGE.replace("mean=0.65", "mean=0.0"),
    "an infinite penalty": RIDGE.replace("mean=58.0", 'mean="inf"'),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_a_penalty_that_is_too_large(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_what_layers_declare_is_made_smaller_where_they_do() -> None:
    inside = (
        RIDGE.replace('"a.py":5', '"a.py":6')
        + '    parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=34.0 @ "a.py":2 text="dense = Dense(1, kernel_regularizer=decay)"\n'
    )
    (declared,) = said(diagnose, inside)
    (unknown,) = said(diagnose, inside.replace("kernel_regularizer=decay", "decay"))

    assert declared.remedy is not None
    assert [(edit.site.line, edit.text, edit.position) for edit in declared.remedy.edits] == [(2, "{x} * 0.0001", 0)]
    assert not declared.remedy.safe
    assert unknown.remedy is None


@pytest.mark.parametrize(
    ("text", "edit"),
    [("decay = regularizers.l2(2.0)", (1, 0)), ("DECAY = 2.0", (1, None))],
    ids=["the regulariser has a name", "its factor has one"],
)
def test_the_line_that_has_the_factor_is_named_and_edited(text: str, edit: tuple[int, int | None]) -> None:
    inside = (
        RIDGE.replace('"a.py":5', '"a.py":6')
        + '    parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=34.0 @ "a.py":2 text="dense = Dense(1, kernel_regularizer=decay)"\n'
    )
    (diagnosis,) = said(diagnose, f'origin values=["w"] setting="penalty" @ "a.py":1 text="{text}"\n' + inside)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 1
    assert diagnosis.remedy is not None
    assert [(one.site.line, one.position) for one in diagnosis.remedy.edits] == [edit]
