"""WG215 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.loss_sign import diagnose

DICE = """
    x: input f32[8,9]
    y: label f32[8,4] minimum=0 maximum=1
    w: parameter f32[4,9]
    s: activation f32[8,4]
    p: activation f32[8,4] minimum=0.4 maximum=0.6 mean=0.5
    q: activation f32[8,4] minimum=0 maximum=0.6 mean=0.1
    i: activation f32[8] minimum=0.1 maximum=1 mean=0.5
    u: activation f32[8] minimum=1 maximum=2 mean=1.5
    d: activation f32[8] minimum=0.1 maximum=0.6 mean=0.3
    loss: loss f32[] minimum=0.3 maximum=0.3 mean=0.3
    s = linear x w @ "a.py":3
    p = sigmoid s
    q = mul p y @ "a.py":4
    i = sum q
    u = sum p
    d = div i u @ "a.py":5
    loss = mean d @ "a.py":6
    labels values=["y"] how="operand"
"""

LIKELIHOOD = """
    x: input f32[8,9]
    y: label f32[8] minimum=-2 maximum=2
    w: parameter f32[1,9]
    m: activation f32[8]
    e: activation f32[8] minimum=-3 maximum=3 mean=0.2
    q: activation f32[8] minimum=0 maximum=9 mean=2
    n: activation f32[8] minimum=-9 maximum=0 mean=-2
    loss: loss f32[] mean=-2
    m = linear x w @ "a.py":3
    e = sub y m @ "a.py":4
    q = pow e @ "a.py":4
    n = neg q @ "a.py":4
    loss = mean n @ "a.py":5
    labels values=["y"] how="operand"
"""

SCALED = LIKELIHOOD.replace("    q = pow e", '    d = exp m @ "a.py":4\n    z = div e d @ "a.py":4\n    q = pow z').replace(
    "    n: activ",
    "    d: activation f32[8] minimum=0.1 maximum=3 mean=1\n    z: activation f32[8] minimum=-3 maximum=3 mean=0.2\n    n: activ",
)
"""The difference in deviations, as a Gaussian log-density has it."""

PICKED = """
    x: input f32[8,9]
    y: label i64[8] minimum=0 maximum=4
    w: parameter f32[5,9]
    s: activation f32[8,5]
    p: activation f32[8,5] minimum=-4 maximum=-0.1 mean=-1.6
    l: activation f32[8] minimum=-4 maximum=-0.1 mean=-1.6
    loss: loss f32[] mean=-1.6
    s = linear x w @ "a.py":3
    p = log_softmax s with={"axis":1}
    l = index p y @ "a.py":4
    loss = mean l @ "a.py":5
    labels values=["y"] how="operand"
"""

MINUS = """
    x: input f32[8,9]
    y: label f32[8]
    w: parameter f32[1,9]
    m: activation f32[8]
    l: activation f32[] mean=2
    loss: loss f32[] mean=-2
    m = linear x w @ "a.py":3
    l = mse_loss m y with={"target":1} @ "a.py":4
    loss = neg l @ "a.py":5
    labels values=["y"] how="target"
"""

TURNED = DICE.replace("    loss = mean d", '    m = mean d\n    loss = sub m native="torch.Tensor.__rsub__"').replace(
    "    s = linear", "    m: activation f32[] mean=0.3 minimum=0.3 maximum=0.3\n    s = linear"
)

FIRES = {
    "an overlap": (DICE, 6),
    "a log-likelihood": (LIKELIHOOD, 5),
    "a log-probability": (PICKED, 5),
    "a loss with a minus": (MINUS, 5),
    "a probability of the true class": (
        PICKED.replace("log_softmax", "softmax").replace("minimum=-4 maximum=-0.1 mean=-1.6", "minimum=0.1 maximum=0.9 mean=0.2"),
        5,
    ),
    "a distance in deviations": (SCALED, 5),
    "a distance in deviations, times itself": (SCALED.replace("q = pow z", "q = mul z z"), 5),
    "a distance times a weight": (SCALED.replace("z = div e d", "z = mul e d"), 5),
    "an absolute distance": (LIKELIHOOD.replace("pow e", "abs e"), 5),
}

SILENT = {
    "a distance in deviations that is minimised": SCALED.replace("n = neg q", "n = copy q"),
    "the negative of a log-density": SCALED.replace("loss = mean n", "k = neg n\n    loss = mean k").replace(
        "    n: activ", "    k: activation f32[8]\n    n: activ"
    ),
    "what the difference is divided by may be negative": SCALED.replace(
        "d: activation f32[8] minimum=0.1", "d: activation f32[8] minimum=-1"
    ),
    "what the difference is divided by is unknown": SCALED.replace("f32[8] minimum=0.1 maximum=3 mean=1", "f32[8]"),
    "one minus an overlap": TURNED,
    "an error": LIKELIHOOD.replace("n = neg q", "n = copy q"),
    "a negative log-probability": PICKED.replace("loss = mean l", "m = mean l\n    loss = neg m").replace(
        "    s = linear", "    m: activation f32[]\n    s = linear"
    ),
    "a loss": MINUS.replace("loss = neg l", "loss = copy l"),
    "an optimizer that maximises": """
    optimizer opt native="SGD" steps=2 rates=[0.1,0.1]
    group rate=0.1 parameters=["w"] settings={"maximize":true}
    """
    + MINUS,
    "an adversary beside a right term": MINUS.replace(
        "loss = neg l", 'n = neg l\n    k = l1_loss m y with={"target":1}\n    loss = add n k'
    ),
    "what was made is told from what is real by an autoencoder's error, each compared with itself": MINUS.replace(
        "loss = neg l", 'n = neg l\n    k = mse_loss m x with={"target":1}\n    loss = add n k'
    ),
    "rewards that may be negative": PICKED.replace("loss = mean l", "r = mul l x\n    loss = mean r").replace(
        "x: input f32[8,9]", "x: input f32[8,9] minimum=-3 maximum=-1"
    ),
    "an input that is optimised": MINUS.replace("w: parameter", "w: parameter")
    + '    parameter w registered=false reached=true optimizer="opt" gradient="finite"\n',
    "a sign that can't be told": DICE.replace("d = div i u", "d = cumsum i").replace("loss = mean d", "k = opaque d\n    loss = mean k"),
    "labels unread": MINUS.replace("mse_loss m y with", "mse_loss m x with").replace(
        'labels values=["y"] how="target"', 'labels values=["y"] how="batch"'
    ),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_a_score_that_is_minimised(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


DENSITY = """
    course steps=300 start=-2.0 first=-2.1 last=-1.6e11 lowest=-1e11 curve=[-2.0,-2.4,-4.3,-50.0,-3e3,-5e5,-9e7,-2e10] curve_width=40 @ "a.py":9
    x: input f32[64]
    m: parameter f32[64]
    d = sub x m
    q = square d
    n = neg q
    loss = mean n @ "a.py":5
    ! backward loss @ "a.py":9
    ! optimizer_step opt
"""


@pytest.mark.parametrize("last", ["-9e7,-2e10", "-2.1e10,-2e10"], ids=["lower each time", "from batch to batch"])
def test_a_score_that_runs_down_for_ever_is_suspected(last: str) -> None:
    (diagnosis,) = said(diagnose, DENSITY.replace("-9e7,-2e10", last))

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity, diagnosis.confidence) == (5, "warning", "suspected")


@pytest.mark.parametrize(
    "curve",
    [
        "[-2.0,-2.4,-4.3,-50.0,-80.0,-95.0,-101.0,-104.0]",
        "[-2.0,-900.0,-1800.0,-2700.0,-3600.0,-4500.0,-5400.0,-6300.0]",
        "[-2.0,-2.4,-4.3,-50.0,-3e3,-5e5,-9e5,-2e5]",
        "[2.0,2.4,4.3,50.0,3e3,5e5,9e7,2e10]",
        '[-2.0,-2.4,-4.3,-50.0,-3e3,-5e5,-9e7,"nan"]',
        "[]",
    ],
)
def test_losses_below_zero_are_no_fault(curve: str) -> None:
    assert not said(diagnose, DENSITY.replace("[-2.0,-2.4,-4.3,-50.0,-3e3,-5e5,-9e7,-2e10]", curve))


def test_so_far_below_that_it_may_leap_about_there():
    assert said(diagnose, DENSITY.replace("-9e7,-2e10]", "-9e17,-2e15]"))


def test_the_critic_of_an_adversary_may_fall() -> None:
    assert not said(diagnose, DENSITY.replace("    x: input", "    step 0 kind=0 updated=true\n    x: input", 1) + """
    step 1 kind=1 updated=true
    x: input f32[64]
    g: parameter f32[64]
    e = sub x g
    loss = mean e @ "a.py":15
    ! backward loss @ "a.py":19
    """)  # fmt: skip


@pytest.mark.parametrize(("loss", "taken_in"), [(-5e22, True), (-3.0, False)])
def test_numbers_that_overflow_after_the_loss_ran_away_downwards_are_its_symptom(loss: float, taken_in: bool) -> None:
    """Three hundred steps downhill without a floor, and the derivative of some op is no number any more."""
    later = LIKELIHOOD.replace("    x: input", f'    birth stage="backward" op="q" count=1 loss={loss:g}\n    x: input', 1)
    text = "    step 0 kind=0\n" + LIKELIHOOD + "    measures loss=-2\n    step 1 kind=0\n" + later

    assert any(Fact("non-finite", "q") in diagnosis.explains for diagnosis in said(diagnose, text)) == taken_in


VARIANCE = """
    x: input f32[8,9]
    y: label f32[8,1] minimum=-2 maximum=2
    w: parameter f32[1,9]
    v: parameter f32[1,9]
    m: activation f32[8,1]
    g: activation f32[8,1] minimum=-1 maximum=1 mean=0.1 called="log_var"
    q: activation f32[8,1] minimum=0 maximum=9 mean=2
    n: activation f32[8,1] minimum=-1 maximum=1 mean=-0.1
    e: activation f32[8,1] minimum=0.4 maximum=2.7 mean=1
    r: activation f32[8,1] minimum=0 maximum=9 mean=2
    d: activation f32[8,1] minimum=-1 maximum=9 mean=2
    loss: loss f32[] mean=2
    m = linear x w @ "a.py":1
    g = linear x v @ "a.py":2
    q = mse_loss m y with={"target":1,"reduction":"none"} @ "a.py":4
    n = neg g @ "a.py":4
    e = exp n @ "a.py":4
    r = mul q e @ "a.py":4
    d = sub r g @ "a.py":5
    loss = mean d @ "a.py":6
    ! backward loss @ "a.py":8
    parameter w optimizer="opt" reached=true gradient="finite"
    parameter v optimizer="opt" reached=true gradient="finite"
    labels values=["y"] how="operand"
"""
HELD_BACK = {
    "the variance costs something": VARIANCE.replace("sub r g", "add r g"),
    "it is squashed": VARIANCE.replace("g = linear x v", "h = linear x v\n    g = tanh h"),
    "a score without labels": VARIANCE.replace("q = mse_loss m y", "q = mse_loss m x").replace('labels values=["y"] how="operand"', ""),
}


def test_a_log_variance_with_the_wrong_sign_has_no_bound() -> None:
    (found,) = said(diagnose, VARIANCE)

    assert found.message == "`loss` falls without end as `log_var` grows: the sign of one of its terms is wrong"
    assert found.site is not None
    assert found.site.line == 5


@pytest.mark.parametrize("text", HELD_BACK.values(), ids=HELD_BACK)
def test_a_value_that_something_holds_back_is_left_alone(text: str) -> None:
    assert not said(diagnose, text)


TURNED = """
    x: input f32[8,9]
    y: label f32[8,4] minimum=0 maximum=1 whole=1.0
    w: parameter f32[4,9]
    s: activation f32[8,4] called="scores"
    loss: loss f32[] mean=2
    s = linear x w @ "a.py":1
    loss = cross_entropy y s with={"target":1} native="optax.softmax_cross_entropy" @ "a.py":2
    ! backward loss @ "a.py":8
    parameter w optimizer="opt" reached=true gradient="finite"
    labels values=["y"] how="batch"
"""


def test_labels_for_the_prediction_and_the_prediction_for_labels() -> None:
    (found,) = said(diagnose, TURNED)

    assert (
        found.message
        == "`softmax_cross_entropy` is given its arguments the wrong way round: `y` for the prediction, and `scores` for the labels"
    )
    assert found.site is not None
    assert found.site.line == 2
    assert found.remedy is not None
    assert [edit.action for edit in found.remedy.edits] == ["exchange"]


def test_a_teacher_whose_scores_are_judged_by_the_student_is_left_alone() -> None:
    assert not said(diagnose, TURNED.replace("minimum=0 maximum=1 whole=1.0", "minimum=-3.5 maximum=4 whole=0.0"))


TWO_SIDED = """
    x: input f32[8,9]
    y: label f32[8] minimum=0 maximum=1
    w: parameter f32[1,9]
    o: activation f32[8] minimum=0 maximum=1 mean=0.5
    a: activation f32[8] minimum=-1 maximum=0 mean=-0.5
    p: activation f32[8] minimum=-2 maximum=-0.1
    q: activation f32[8] minimum=-2 maximum=-0.1
    s = linear x w
    n = neg s
    p = logsigmoid s
    q = logsigmoid n
    a = mul y native="mul"
    o = sub y native="rsub"
    b = mul a p
    c = mul o q
    d = sub b c
    loss = mean d
    labels values=["y"] how="operand"
"""


def test_the_logarithms_of_both_sides_of_one_score_are_a_sound_cross_entropy():
    """As Keras writes it: -y log s(x) - (1 - y) log s(-x)."""
    assert not said(diagnose, TWO_SIDED)


def test_one_side_alone_is_still_told():
    (diagnosis,) = said(diagnose, TWO_SIDED.replace("p = logsigmoid s", "p = copy s"))

    assert diagnosis.message.startswith("`loss` rises")


PAIRS = DENSITY.replace("x: input f32[64]", "x: input f32[64]\n    y: label f32[64]").replace(
    "    n = neg q\n    loss = mean n",
    '    e = sub y m\n    r = square e\n    n = sub r q @ "a.py":4\n    labels values=["y"] how="operand"\n    loss = mean n',
)
"""Drawn to the labels by one term, and driven from the inputs without end by another."""


def test_a_term_that_outgrows_what_should_hold_it_is_told_where_they_meet() -> None:
    (diagnosis,) = said(diagnose, PAIRS)

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity, diagnosis.remedy) == (4, "warning", None)


def test_a_loss_that_has_its_minus_is_no_score_that_lacks_it() -> None:
    shaped = DENSITY.replace("d = sub x m", 'a = exp m\n    c = mul m x\n    d = sub a c @ "a.py":3').replace("q = square d", "q = mul d x")
    (diagnosis,) = said(diagnose, shaped)

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.remedy) == (3, None)


def test_terms_that_pull_either_way_and_come_to_rest() -> None:
    assert not said(diagnose, PAIRS.replace("-3e3,-5e5,-9e7,-2e10]", "-80.0,-95.0,-101.0,-104.0]"))
