"""WG203 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Reshape
from whygrad.rules.loss.broadcast_loss import diagnose

COLUMN = """
    x: input f32[64,3]
    u: label f32[64]
    w: parameter f32[1,3]
    prediction: activation f32[64,1]
    prediction = linear x w @ "train.py":23
    loss = mse_loss prediction u with={"target":1} @ "train.py":24
    labels values=["u"] how="target"
"""

BY_HAND = """
    x: input f32[64,3]
    r: label f32[64]
    w: parameter f32[1,3]
    q: activation f32[64,1]
    d: activation f32[64,64]
    q = linear x w @ "agent.py":20
    d = sub q r @ "agent.py":21
    s = square d @ "agent.py":22
    loss = mean s @ "agent.py":22
    labels values=["r"] how="operand"
"""

TWO_TERMS = """
    x: input f32[64,3]
    y: label f32[64,1]
    w: parameter f32[1,3]
    near: activation f32[64]
    far: activation f32[64]
    r: activation f32[64,1]
    a: activation f32[64,64]
    b: activation f32[64,64]
    near = linear x w @ "losses.py":14
    far = clamp near @ "losses.py":14
    a = mul y near @ "losses.py":15
    r = sub y @ "losses.py":16
    b = mul r far @ "losses.py":16
    both = add a b @ "losses.py":17
    loss = mean both @ "losses.py":17
    labels values=["y"] how="operand"
"""

CRITIC = """
    x: input f32[64,3]
    r: label f32[64,1]
    w: parameter f32[1,3]
    v: parameter f32[1,3]
    q: activation f32[64]
    logp: activation f32[64]
    d: activation f32[64,64]
    a: activation f32[64,64]
    p: activation f32[64,64]
    q = linear x w @ "agent.py":20
    d = sub r q @ "agent.py":21
    logp = linear x v @ "agent.py":22
    a = detach d @ "agent.py":23
    p = mul logp a @ "agent.py":23
    s = square d @ "agent.py":24
    both = add s p @ "agent.py":25
    loss = mean both @ "agent.py":25
    labels values=["r"] how="operand"
"""

WEIGHED = """
    x: input f32[64,3]
    w: parameter f32[5,3]
    v: parameter f32[1,3]
    r: activation f32[64,1]
    a: activation f32[64,1]
    c: activation f32[64,1]
    logits: activation f32[64,5]
    logp: activation f32[64]
    p: activation f32[64,64]
    n: activation f32[64,64]
    logits = linear x w @ "agent.py":10
    logp = index logits @ "agent.py":11
    r = linear x v @ "agent.py":12
    a = sub x r @ "agent.py":13
    c = detach a @ "agent.py":14
    p = mul logp c @ "agent.py":14
    n = neg p @ "agent.py":15
    policy = mean n @ "agent.py":15
    square = square a @ "agent.py":16
    value = mean square @ "agent.py":16
    loss = add policy value @ "agent.py":17
"""

UNMAPPED = """
    x: input f32[64,3]
    r: label f32[64]
    w: parameter f32[1,3]
    q: activation f32[64]
    d: activation f32[64,64]
    s: activation f32[64,64]
    m: activation f32[64]
    q = linear x w @ "objective.py":20
    d = sub q r @ "objective.py":21
    s = square d @ "objective.py":21
    m = mean s @ "objective.py":21
    loss = mean m @ "objective.py":25
    labels values=["r"] how="operand"
    measures loss=0.5 gradient_norm=0.7 label_sensitivity=7e-8
"""

ENSEMBLE = UNMAPPED.replace("q: activation f32[64]", "q: activation f32[3,64]").replace("[64,64]", "[3,64,64]")

FIRES = {
    "log-probabilities against a column of advantages": (WEIGHED, 14),
    "weights that come with the batch": (WEIGHED.replace("c = detach a", "c = index x"), 14),
    "a ratio that is clipped": (WEIGHED.replace("n = neg p", "n = minimum p p"), 14),
    "targets that vmap does not map": (UNMAPPED, 21),
    "targets that vmap does not map, in an ensemble": (ENSEMBLE, 21),
    "targets that vmap does not map, by a loss of a library": (
        UNMAPPED.replace("d = sub q r", 's = mse_loss q r with={"target":1}').replace('s = square d @ "objective.py":21\n', ""),
        21,
    ),
    "a column against a vector": (COLUMN, 24),
    "a difference written by hand": (BY_HAND, 21),
    "inputs that the program draws itself": (
        BY_HAND.replace("x: input", "x: activation").replace("q = linear", "x = random\n    q = linear"),
        21,
    ),
    "the labels first": (BY_HAND.replace("sub q r", "sub r q"), 21),
    "a vector against a column": (
        COLUMN.replace("u: label f32[64]", "u: label f32[64,1]").replace("f32[64,1]\n    prediction =", "f32[64]\n    prediction ="),
        24,
    ),
    "maps without their channel": (
        COLUMN.replace("label f32[64]", "label f32[64,9,9]")
        .replace("activation f32[64,1]", "activation f32[64,1,9,9]")
        .replace("mse_loss", "huber_loss"),
        24,
    ),
    "only the labels were given an axis": (
        COLUMN.replace("u: label f32[64]", "u: label f32[64]\n    u1: label f32[64,1]")
        .replace("f32[64,1]\n    prediction =", "f32[64]\n    u1 = reshape u\n    prediction =")
        .replace("prediction u", "prediction u1"),
        24,
    ),
    "refused with an exception": (
        COLUMN.replace("loss = mse_loss prediction u", "= bce_with_logits prediction u failed=true").replace(
            ' @ "train.py":24', ' @ "train.py":24\n    ! exception with={"type":"ValueError","message":"Target size"}'
        ),
        24,
    ),
    "a reconstruction against the input itself": (
        COLUMN.replace("u: label f32[64]", "")
        .replace("prediction u", "prediction v")
        .replace('labels values=["u"] how="target"', "")
        .replace("w: parameter", "v: input f32[64]\n    w: parameter"),
        24,
    ),
}

SILENT = {
    "advantages of the log-probabilities' shape": WEIGHED.replace("c: activation f32[64,1]", "c: activation f32[64]").replace(
        "f32[64,64]", "f32[64]"
    ),
    "advantages that a gradient goes through": WEIGHED.replace("c = detach a", "c = neg a"),
    "an axis on each side": WEIGHED.replace("logp: activation f32[64]", "g: activation f32[64]\n    logp: activation f32[1,64]")
    .replace("logp = index", "g = index")
    .replace("r = linear", "logp = reshape g\n    r = linear")
    .replace("c = detach", "c = reshape"),
    "pairs that are added up along one axis": WEIGHED.replace(
        "n: activation f32[64,64]", "n: activation f32[64]\n    m: activation f32[64]"
    ).replace("n = neg p", "m = sum p\n    n = exp m"),
    "a constant row against a column": WEIGHED.replace("c = detach a", "c = create"),
    "one weight for each class": WEIGHED.replace("c: activation f32[64,1]", "c: activation f32[5]").replace(
        "logp: activation f32[64]", "logp: activation f32[64,1]"
    ),
    "the nearest target of all": UNMAPPED.replace("m = mean s", "m = min s"),
    "a kernel between all pairs": UNMAPPED.replace("m = mean s", "k = exp s\n    m = mean k"),
    "a second term between the predictions themselves": UNMAPPED.replace("loss = mean m", "e = sub m q\n    loss = mean e"),
    "each label belongs to its example": UNMAPPED.replace("7e-8", "0.4"),
    "the labels' order was not tried": UNMAPPED.replace(" label_sensitivity=7e-8", ""),
    "an ensemble whose members share the labels": ENSEMBLE.replace("[3,64,64]", "[3,64]"),
    "quantiles of each target": UNMAPPED.replace("label f32[64]", "label f32[9]").replace("[64,64]", "[64,9]"),
    "one shape": COLUMN.replace("label f32[64]", "label f32[64,1]"),
    "a number for a target": COLUMN.replace("label f32[64]", "label f32[]"),
    "quantiles of one target": COLUMN.replace("label f32[64]", "label f32[64,1]").replace("activation f32[64,1]", "activation f32[64,9]"),
    "all pairs asked for by an axis on each side": """
        x: input f32[64,3]
        y: label f32[64]
        w: parameter f32[1,3]
        p: activation f32[64]
        p1: activation f32[64,1]
        y1: activation f32[1,64]
        p = linear x w
        p1 = reshape p
        y1 = index y
        d = sub p1 y1
        loss = mean d
        labels values=["y"]
    """,
    "pairs of predictions": """
        x: input f32[64,3]
        y: label f32[64]
        w: parameter f32[1,3]
        a: activation f32[64,1]
        b: activation f32[1,64]
        a = linear x w
        b = transpose a
        d = sub a b
        loss = mean d
    """,
    "class weights": BY_HAND.replace("r: label f32[64]", "r: label f32[1]"),
    "centres that are parameters": """
        y: label f32[64,1]
        mu: parameter f32[5]
        d = sub y mu
        s = square d
        loss = mean s
        labels values=["y"]
    """,
    "features times features inside the model": BY_HAND.replace('labels values=["r"] how="operand"', ""),
    "a metric that does not reach the loss": BY_HAND.replace("loss = mean s", "m = mean s\n    loss = mean q"),
}

OTHERS = {
    "rows of another number (WG209)": COLUMN.replace("label f32[64]", "label f32[32]"),
    "class ids (WG202)": COLUMN.replace("mse_loss", "cross_entropy"),
    "shapes unknown": COLUMN.replace("label f32[64]", "label").replace("activation f32[64,1]", "activation"),
    "no target given": COLUMN.replace(' with={"target":1}', ""),
    "an empty batch": COLUMN.replace("64", "0"),
    "one example": COLUMN.replace("64", "1"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_all_pairs_instead_of_matches(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == "error"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message_names_both_types() -> None:
    (diagnosis,) = said(diagnose, COLUMN)

    assert diagnosis.message == "`prediction` (f32[64,1]) and `u` (f32[64]) broadcast to 4,096 pairs in the loss"
    assert diagnosis.test is not None
    assert diagnosis.test.intervention == Reshape("prediction", (64,))
    assert diagnosis.explains == {Fact("insensitive", "0")}


def test_the_trial_is_cited() -> None:
    trial = 'trial intervention={"type":"reshape","value":"prediction","shape":[64]} gradient_norm=0.9 change=0.8'

    (diagnosis,) = said(diagnose, COLUMN + "    " + trial)

    assert diagnosis.evidence[-1].statement == "replayed with one shape, the gradient differs by 0.8 of its norm (norm 0.9)"


def test_an_exception_is_explained() -> None:
    (diagnosis,) = said(diagnose, FIRES["refused with an exception"][0])

    assert Fact("exception", "ValueError") in diagnosis.explains
    assert "are refused by the loss" in diagnosis.message


@pytest.mark.parametrize("labels", ['["y"]', '["y","r"]'], ids=["the column is the label", "what is made of it is one too"])
def test_a_column_that_two_terms_read_is_one_fault(labels: str) -> None:
    (diagnosis,) = said(diagnose, TWO_TERMS.replace('["y"]', labels))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 15
    assert [related.site.line for related in diagnosis.related] == [16]
    assert diagnosis.facts == {Fact("odd-shape", "near"), Fact("odd-shape", "far")}


def test_two_predictions_of_odd_shape_are_two_faults() -> None:
    text = TWO_TERMS.replace("label f32[64,1]", "label f32[64]").replace("r: activation f32[64,1]", "r: activation f32[64]")

    assert len(said(diagnose, text.replace("near: activation f32[64]", "near: activation f32[64,1]").replace("far: activation f32[64]", "far: activation f32[64,1]"))) == 2  # fmt: skip


def test_the_side_that_does_not_fit_the_rest_of_the_loss_is_the_one_to_put_right():
    found = said(diagnose, CRITIC)[0]
    alone = said(diagnose, CRITIC.replace("p = mul logp a", "p = mul r a"))[0]

    assert found.test is not None
    assert alone.test is not None
    assert found.remedy is not None
    assert found.test.intervention == Reshape("r", (64,))
    assert found.remedy.summary.startswith("give `r` the shape of")
    assert alone.test.intervention == Reshape("q", (64, 1))


def test_values_without_a_shape_decide_nothing() -> None:
    (found,) = said(diagnose, CRITIC.replace("    logp: activation f32[64]\n", "").replace("    a: activation f32[64,64]\n", ""))

    assert found.test is not None
    assert found.test.intervention == Reshape("q", (64, 1))
