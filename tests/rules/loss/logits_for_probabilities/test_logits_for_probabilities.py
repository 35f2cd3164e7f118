"""WG206 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.logits_for_probabilities import diagnose

RAW = """
    x: input f32[32,8]
    y: label i64[32]
    w: parameter f32[5,8]
    out: activation f32[32,5] minimum=-2.5 maximum=3.1
    out = linear x w @ "train.py":27
    loss = nll_loss out y with={"target":1} @ "train.py":36
    labels values=["y"] how="target"
"""

REFUSED = """
    mel: input f32[16,20,16]
    onset: label f32[16,20,6]
    w: parameter f32[6,16]
    pred: activation f32[16,20,6] minimum=-0.8 maximum=0.7
    pred = linear mel w @ "train.py":16
    = binary_cross_entropy pred onset failed=true with={"target":1} @ "train.py":20
    ! exception with={"type":"RuntimeError","message":"all elements of input should be between 0 and 1"}
    labels values=["onset"] how="target"
"""

FIRES = {
    "raw scores": (RAW, 36, "-2.5 and 3.1"),
    "probabilities for their logarithms": (
        RAW.replace("out = linear x w", "z = linear x w\n    out = softmax z").replace("minimum=-2.5 maximum=3.1", "minimum=0 maximum=1"),
        36,
        "softmax",
    ),
    "probabilities, without figures": (
        RAW.replace("out = linear x w", "z = linear x w\n    out = softmax z").replace(" minimum=-2.5 maximum=3.1", ""),
        36,
        "softmax",
    ),
    "a divergence of probabilities": (
        RAW.replace("out = linear x w", "z = linear x w\n    out = softmax z").replace("nll_loss", "kl_div"),
        36,
        "softmax",
    ),
    "binary cross-entropy on scores": (
        REFUSED.replace("= binary_cross_entropy pred onset failed=true", "loss = binary_cross_entropy pred onset"),
        20,
        "-0.8 and 0.7",
    ),
    "binary cross-entropy on scores, refused": (REFUSED, 20, "-0.8 and 0.7"),
    "refused, and no figures": (REFUSED.replace(" minimum=-0.8 maximum=0.7", ""), 20, "refused"),
    "negative Poisson rates": (
        RAW.replace("nll_loss out y", "poisson_nll out y").replace('{"target":1}', '{"target":1,"log_input":false}'),
        36,
        "-2.5",
    ),
    "scores through a transpose": (
        RAW.replace(
            "loss = nll_loss out", "t: activation f32[32,5] minimum=-2.5 maximum=3.1\n    t = transpose out\n    loss = nll_loss t"
        ),
        36,
        "3.1",
    ),
}

SILENT = {
    "log-probabilities": RAW.replace("out = linear x w", "z = linear x w\n    out = log_softmax z").replace(
        "minimum=-2.5 maximum=3.1", "minimum=-7 maximum=-0.01"
    ),
    "the logarithm of a softmax": RAW.replace("out = linear x w", "z = linear x w\n    p = softmax z\n    out = log p").replace(
        "minimum=-2.5 maximum=3.1", "minimum=-7 maximum=0"
    ),
    "rounded a little above zero": RAW.replace("minimum=-2.5 maximum=3.1", "minimum=-2.5 maximum=0.0004"),
    "log_softmax in half precision": RAW.replace("out = linear x w", "z = linear x w\n    out = log_softmax z").replace(
        "maximum=3.1", "maximum=0.004"
    ),
    "probabilities where they are due": REFUSED.replace("minimum=-0.8 maximum=0.7", "minimum=0.0 maximum=1.0").replace(
        "= binary_cross_entropy pred onset failed=true", "loss = binary_cross_entropy pred onset"
    ),
    "scores where they are due": RAW.replace("nll_loss", "cross_entropy"),
    "Poisson on log-rates": RAW.replace("nll_loss", "poisson_nll"),
    "no figures, and a layer": RAW.replace(" minimum=-2.5 maximum=3.1", ""),
}

ROWS = """
    x: input f32[32,8]
    y: label f32[32,3]
    w: parameter f32[3,8]
    z: activation f32[32,3]
    out: activation f32[32,3] minimum=0.0 maximum=0.9 row_sums=[0.0,1.4]
    z = linear x w @ "train.py":26
    out = relu z @ "train.py":26
    loss = categorical_cross_entropy out y with={"target":1} @ "train.py":28
    labels values=["y"] how="framework"
"""
FIRES["a row of zeros behind a ReLU"] = ROWS, 28, "nothing but zeros"
SILENT |= {
    "rows that a loss makes distributions of": ROWS.replace("row_sums=[0.0,1.4]", "row_sums=[0.4,1.4]"),
    "a softmax that is told": ROWS.replace("= relu", "= softmax").replace("row_sums=[0.0,1.4]", "row_sums=[1.0,1.0]"),
    "zeros for a loss by unit": ROWS.replace("categorical_cross_entropy", "binary_cross_entropy"),
}

TIMES = """
    x: input f32[64,12]
    w: parameter f32[10,12]
    y: label f32[64,10] minimum=0.0 maximum=1.0 whole=1.0 row_sums=[1.0,1.0]
    z: activation f32[64,10] minimum=-1.1 maximum=1.5
    m: activation f32[64,10]
    z = linear x w @ "train.py":30
    m = mul z y @ "train.py":39
    s = sum m
    a = mean s
    loss = neg a
    labels values=["y"] how="batch"
"""
FIRES["rows of the batch times raw scores"] = TIMES, 39, "1.5"
SILENT |= {
    "rows of weights times raw scores": TIMES.replace("whole=1.0 row_sums=[1.0,1.0]", "whole=0.4 row_sums=[0.2,3.0]"),
    "rows of rewards times raw scores": TIMES.replace("minimum=0.0", "minimum=-1.0"),
    "rows times raw scores, that are held by a second term": TIMES.replace(
        "loss = neg a", "q = square z\n    b = mean q\n    n = neg a\n    loss = add n b"
    ),
    "rows times raw scores, minimised": TIMES.replace("loss = neg a", "loss = add a"),
}

OTHERS = {
    "not a number (WG502)": RAW.replace("maximum=3.1", 'maximum="nan"'),
    "no finite entry (WG502)": RAW.replace("minimum=-2.5 maximum=3.1", "finite=0.0"),
    "refused for its shape (WG203)": REFUSED.replace(" minimum=-0.8 maximum=0.7", "").replace(
        "all elements of input should be between 0 and 1", "Using a target size"
    ),
    "refused for a NaN in probabilities": REFUSED.replace("minimum=-0.8 maximum=0.7", "minimum=0.1 maximum=0.9 finite=0.9"),
    "probabilities for logits (WG205)": RAW.replace("out = linear x w", "z = linear x w\n    out = softmax z").replace(
        "nll_loss", "cross_entropy"
    ),
    "a squared error": RAW.replace("nll_loss", "mse_loss"),
    "a loss that is not used": RAW.replace("loss = nll_loss", "e = nll_loss").replace(
        '@ "train.py":36', '@ "train.py":36\n    loss = mean out'
    ),
}


CUT = """
    x: input f32[32,8]
    y: label f32[32,1]
    w: parameter f32[1,8]
    z: activation f32[32,1] minimum=-1.2 maximum=1.8
    p: activation f32[32,1] minimum=0 maximum=1
    z = linear x w @ "train.py":16
    p = clamp z @ "train.py":19
    loss = binary_cross_entropy p y with={"target":1} @ "train.py":20
    labels values=["y"] how="target"
"""
FIRES |= {
    "scores cut to the range of probabilities": (CUT, 20, "it is cut to between 0 and 1 first"),
}
SILENT |= {
    "probabilities kept off 0 and 1": CUT.replace("minimum=-1.2 maximum=1.8", "minimum=0 maximum=1"),
    "sums of probabilities that overshoot a little": CUT.replace("minimum=-1.2 maximum=1.8", "minimum=0 maximum=1.05"),
    "cut before a squared error": CUT.replace("binary_cross_entropy", "mse_loss"),
    "no figures of what is cut": CUT.replace(" minimum=-1.2 maximum=1.8", ""),
}


@pytest.mark.parametrize(("text", "line", "words"), FIRES.values(), ids=FIRES)
def test_an_input_of_the_wrong_form(text: str, line: int, words: str) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert words in diagnosis.evidence[0].statement
    assert diagnosis.severity == "error"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_exception_is_explained() -> None:
    (diagnosis,) = said(diagnose, REFUSED)

    assert diagnosis.message == "`binary_cross_entropy` expects probabilities, and `pred` holds something else"
    assert diagnosis.explains == {Fact("exception", "RuntimeError")}


@pytest.mark.parametrize(
    ("loss", "reader", "action"),
    [("nll_loss", "", "callee"), ("kl_div", "", "callee"), ("kl_div", "    q = mean out\n", "wrap")],
    ids=["a softmax that only the loss reads", "a divergence", "probabilities that others read too"],
)
def test_probabilities_are_never_normalised_a_second_time(loss: str, reader: str, action: str) -> None:
    text = RAW.replace("out = linear x w", 'z = linear x w @ "train.py":26\n    out = softmax z native="torch.nn.functional.softmax"')
    text = text.replace("    loss = nll_loss", f"{reader}    loss = {loss}")
    (found,) = said(diagnose, text)
    assert found.remedy is not None
    (edit,) = found.remedy.edits

    assert (edit.action, "log_softmax" in edit.text) == (action, action == "callee")


WRITTEN_OUT = """
    framework jax "0.10.2"
    w: parameter f32[7,14]
    x: input f32[30,14]
    y: label f32[30,7] minimum=0 maximum=1 mean=0.142857 whole=1.0 called="target"
    z: activation f32[30,7] minimum=-4 maximum=5 mean=0.2
    c: activation f32[30,7] minimum=1e-7 maximum=1 mean=0.3
    g: activation f32[30,7]
    m: activation f32[30,7]
    s: activation f32[30]
    a: activation f32[]
    loss: loss f32[]
    z = linear x w @ "train.py":11
    c = clamp z native="jax.numpy.clip" @ "train.py":15:9-54 text="    p = jnp.clip(net(params, strokes), 1e-7, 1.0)"
    g = log c native="jax.numpy.log" @ "train.py":16
    m = mul y g native="jax.numpy.multiply" @ "train.py":16
    s = sum m native="jax.numpy.reduce_sum" @ "train.py":16 with={"axis":1}
    a = mean s native="jax.numpy.mean" @ "train.py":16
    loss = neg a native="jax.numpy.negative" @ "train.py":16
    labels values=["y"] how="operand"
"""


def test_scores_become_probabilities_where_a_loss_that_is_written_out_reads_them() -> None:
    (found,) = said(diagnose, WRITTEN_OUT)

    assert found.remedy is not None
    assert [(edit.action, edit.text, edit.position) for edit in found.remedy.edits] == [("wrap", "jax.nn.softmax({x}, -1)", -2)]


@pytest.mark.parametrize(("product", "position"), [("mul z y", 0), ("mul y z", 1)])
def test_scores_that_rows_are_multiplied_with_become_logarithms(product: str, position: int) -> None:
    (found,) = said(diagnose, TIMES.replace("mul z y", product))

    assert found.remedy is not None
    assert [(edit.action, edit.text, edit.position) for edit in found.remedy.edits] == [("wrap", "torch.log_softmax({x}, -1)", position)]


def test_scores_that_are_read_by_something_else_first_stay() -> None:
    (found,) = said(diagnose, WRITTEN_OUT.replace("jnp.clip(net(params, strokes), 1e-7, 1.0)", "kept_off(net(params, strokes), 1e-7)  "))

    assert found.remedy is None


COMPILED = """
    framework jax "0.10.2"
    framework keras "3.15.1"
    x: input f32[32,8]
    y: label f32[32,1] minimum=0 maximum=1
    w: parameter f32[8,1]
    out: activation f32[32,1] minimum=-2.5 maximum=3.1
    out = matmul x w
    loss = binary_cross_entropy out y with={"target":1,"parts":["log"]} @ "train.py":9-9:26-47 text="m.compile('adam', loss = 'binary_crossentropy')"
    labels values=["y"] how="target"
"""


def test_the_name_of_a_loss_of_keras_becomes_an_object_that_is_told():
    (diagnosis,) = said(diagnose, COMPILED)

    assert diagnosis.remedy is not None
    assert diagnosis.remedy.edits[0].text == "keras.losses.BinaryCrossentropy(from_logits=True)"


@pytest.mark.parametrize("written", ["'mean_squared_error'", "my_loss", "'hinge'"])
def test_any_other_name_stays(written: str):
    end = 26 + len(written)
    (diagnosis,) = said(diagnose, COMPILED.replace("26-47", f"26-{end}").replace("'binary_crossentropy'", written))

    assert diagnosis.remedy is None
