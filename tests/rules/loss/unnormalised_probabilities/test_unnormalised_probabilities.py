"""WG218 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.unnormalised_probabilities import diagnose

SIGMOIDS = """
    x: input f32[40,9]
    y: label i64[40]
    w: parameter f32[5,9]
    s: activation f32[40,5]
    p: activation f32[40,5]
    s = linear x w @ "a.py":3
    p = logsigmoid s @ "a.py":4
    loss = nll_loss p y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

ROWS = """
    x: input f32[48,9]
    y: label i64[48]
    o: activation i64[48,12]
    t: activation f32[48,12] minimum=0.1 maximum=1.1 whole=0.0 row_sums=[2.2,2.2]
    w: parameter f32[12,9]
    s: activation f32[48,12]
    s = linear x w @ "a.py":3
    o = one_hot y @ "s.py":6
    t = add o @ "s.py":7
    loss = cross_entropy s t with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

TAGS = """
    x: input f32[30,9]
    y: label f32[30,7] minimum=0.0 maximum=1.0 whole=1.0 row_sums=[0.0,5.0]
    w: parameter f32[7,9]
    p: activation f32[30,7]
    p = linear x w @ "a.py":3
    loss = categorical_cross_entropy p y with={"target":1} @ "a.py":5
    ! backward loss @ "a.py":6
    labels values=["y"] how="target"
"""
DIVERGES = """
record whygrad="0.1.0"
course steps=200 start=4.9 first=4.9 last=334.0 lowest=4.7 highest=370.0 noise=2.2 @ "a.py":6
step 0
"""
FALLS = DIVERGES.replace("last=334.0", "last=1.2").replace("highest=370.0", "highest=4.9")
COUNTS = TAGS.replace("[0.0,5.0]", "[10.0,10.0]").replace("maximum=1.0", "maximum=9.0")

FIRES = {
    "several classes at once, and a loss that grows": (DIVERGES + TAGS, 5),
    "several classes at once, and a loss that falls": (FALLS + TAGS, 5),
    "counts of votes, and a loss that grows": (DIVERGES + COUNTS, 5),
    "the logarithm of sigmoids": (SIGMOIDS, 4),
    "the logarithm apart": (
        SIGMOIDS.replace("p = logsigmoid s", "q = sigmoid s").replace("    loss =", '    p = log q @ "a.py":9\n    loss ='),
        4,
    ),
    "sigmoids that Keras went back behind": (
        SIGMOIDS.replace("logsigmoid", "sigmoid").replace(
            'nll_loss p y with={"target":1}', 'cross_entropy s y with={"target":1,"axis":-1,"ids":true,"given":"p"}'
        ),
        4,
    ),
    "smoothing that adds": (ROWS, 7),
    "rows that sum to less": (ROWS.replace("[2.2,2.2]", "[0.5,0.6]"), 7),
    "for a divergence": (ROWS.replace("cross_entropy", "kl_div"), 7),
}

SILENT = {
    "counts of words, and a loss that falls": FALLS + COUNTS,
    "as many classes in each row, and a loss that falls": FALLS + TAGS.replace("[0.0,5.0]", "[3.0,3.0]"),
    "one class a row or none, and a loss that falls": FALLS + TAGS.replace("[0.0,5.0]", "[0.0,1.0]"),
    "as many classes in each row": DIVERGES + TAGS.replace("[0.0,5.0]", "[3.0,3.0]"),
    "several classes at once, each asked about by itself": DIVERGES + TAGS.replace("categorical_cross_entropy", "binary_cross_entropy"),
    "one class a row, and a loss that grows": DIVERGES + TAGS.replace("[0.0,5.0]", "[0.0,1.0]"),
    "a softmax that Keras went back behind": SIGMOIDS.replace("logsigmoid", "softmax").replace(
        'nll_loss p y with={"target":1}', 'cross_entropy s y with={"target":1,"axis":-1,"ids":true,"given":"p"}'
    ),
    "sigmoids of Keras', each asked about by itself": SIGMOIDS.replace("logsigmoid", "sigmoid").replace(
        'nll_loss p y with={"target":1}', 'bce_with_logits s y with={"target":1,"given":"p"}'
    ),
    "a log-softmax": SIGMOIDS.replace("logsigmoid", "log_softmax"),
    "one class against the rest": SIGMOIDS.replace("nll_loss", "binary_cross_entropy"),
    "a single column": SIGMOIDS.replace("[40,5]", "[40,1]"),
    "rows that sum to 1": ROWS.replace("[2.2,2.2]", "[1.0,1.0]"),
    "rounding": ROWS.replace("[2.2,2.2]", "[0.995,1.005]"),
    "rows of padding": ROWS.replace("[2.2,2.2]", "[0.0,1.0]"),
    "several classes at once": ROWS.replace("whole=0.0", "whole=1.0"),
    "pixels: the last axis holds no classes": ROWS.replace("[48,12]", "[48,12,9]"),
    "logarithms of shares": ROWS.replace("cross_entropy", "kl_div").replace('"target":1', '"target":1,"log_target":true'),
    "NaN": ROWS.replace("whole=0.0", "finite=0.5 whole=0.0"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_rows_that_do_not_sum_to_one(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize(("text", "severity"), [(DIVERGES, "warning"), (FALLS, "note")])
def test_several_classes_at_once_are_a_note_where_the_loss_falls(text: str, severity: str) -> None:
    (diagnosis,) = said(diagnose, text + TAGS)

    assert diagnosis.severity == severity


@pytest.mark.parametrize(
    ("framework", "run", "explained"),
    [("tensorflow", DIVERGES, True), ("tensorflow", FALLS, False), ("jax", DIVERGES, False)],
    ids=["pushed off by TensorFlow's derivative", "the loss falls", "a derivative that holds for all rows"],
)
def test_a_loss_that_runs_away_is_explained_where_the_derivative_is_not_that_of_the_loss(
    framework: str, run: str, *, explained: bool
) -> None:
    (diagnosis,) = said(diagnose, run.replace("course", f'framework {framework} "1"\ncourse') + TAGS)

    assert (Fact("diverges", "0") in diagnosis.explains) is explained


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("framework", "named"),
    [("jax", False), ("tensorflow", True)],
    ids=["flax, whose layers have no activation", "Keras, whose layers are told theirs"],
)
def test_an_activation_is_named_where_layers_are_told_theirs(framework: str, named: bool) -> None:
    text = SIGMOIDS.replace("p = logsigmoid s", "q = sigmoid s").replace("    loss =", '    p = log q @ "a.py":9\n    loss =')
    (diagnosis,) = said(diagnose, f'framework {framework} "9"\n{text}')

    assert diagnosis.remedy is not None
    assert bool(diagnosis.remedy.otherwise) is named
