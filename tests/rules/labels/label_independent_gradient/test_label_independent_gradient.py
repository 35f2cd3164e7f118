"""WG102 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.labels.label_independent_gradient import diagnose

MEASURED = "measures loss=0.5 gradient_norm=0.7 label_sensitivity=0.0 noise_floor=0.0 loss_permuted=0.6"

MEAN_ERROR = f"""
    x: input f32[32,3]
    y: label f32[32,1] minimum=0.1 maximum=3.0
    w: parameter f32[1,3]
    p = linear x w @ "train.py":19
    r = sub p y @ "train.py":23:16-35
    loss = mean r @ "train.py":24
    labels values=["y"] how="operand"
    {MEASURED}
"""

OVERLAP = f"""
    x: input f32[16,1,24,24]
    mask: label f32[16,1,24,24] minimum=0 maximum=1
    w: parameter f32[1,1,3,3]
    logits = conv x w @ "train.py":43
    prob = sigmoid logits @ "loss.py":13
    above = compare prob @ "loss.py":14
    fg = cast above @ "loss.py":14
    both = mul fg mask @ "loss.py":15
    inter = sum both @ "loss.py":15
    iou = mean inter @ "loss.py":17
    edge = sub prob prob @ "loss.py":18
    tv = mean edge @ "loss.py":18
    weighted = mul tv @ "loss.py":20
    loss = add iou weighted @ "loss.py":20
    labels values=["mask"] how="batch"
    {MEASURED}
"""

ZEROED = f"""
    x: input f32[32,12]
    y: label i64[32] minimum=0 maximum=4
    w: parameter f32[5,12]
    scores = linear x w @ "train.py":48
    supervised: activation f32[] minimum=1.6 maximum=1.6 zeros=0.0 norm=1.6
    supervised = cross_entropy scores y with={{"target":1}} @ "train.py":50
    part: activation f32[] minimum=0 maximum=0 zeros=1.0 norm=0.0
    part = mul supervised @ "train.py":51
    other = square scores @ "train.py":34
    agree = mean other @ "train.py":34
    loss = add agree part @ "train.py":51
    labels values=["y"] how="target"
    {MEASURED}
"""

ERROR_RATE = f"""
    x: input f32[32,16]
    y: label i64[32] minimum=0 maximum=3
    enc: parameter f32[6,16]
    dec: parameter f32[16,6]
    cls: parameter f32[4,6]
    code = linear x enc @ "joint.py":14
    recon = linear code dec @ "joint.py":15
    scores = linear code cls @ "joint.py":15
    recon_term = mse_loss recon x with={{"target":1}} @ "joint.py":19
    best = argmax scores @ "joint.py":20
    wrong = compare best y @ "joint.py":20
    rate = mean wrong @ "joint.py":20
    loss = add recon_term rate @ "joint.py":21
    labels values=["y"] how="batch"
    {MEASURED}
"""

FIRES = {
    "the error is averaged without a square": (MEAN_ERROR, 23, "linear"),
    "overlap of a thresholded mask": (OVERLAP, 14, "compare"),
    "a factor of zero": (ZEROED, 51, "zero"),
    "the labels are detached into the value": (
        f"""
        x: input f32[32,3]
        y: label f32[32,1] minimum=0 maximum=1
        w: parameter f32[1,3]
        p = linear x w @ "a.py":1
        q = detach p @ "a.py":2
        e = sub q y @ "a.py":3
        s = square e @ "a.py":3
        m = mean s @ "a.py":3
        r = square p @ "a.py":4
        n = mean r @ "a.py":4
        loss = add m n @ "a.py":5
        labels values=["y"] how="given"
        {MEASURED}
        """,
        2,
        "detach",
    ),
    "only a mean of the labels is added": (
        f"""
        x: input f32[32,3]
        y: label f32[32,1] minimum=0 maximum=1
        w: parameter f32[1,3]
        p = linear x w
        s = square p
        m = mean s
        t = mean y
        loss = add m t @ "a.py":7
        labels values=["y"] how="given"
        {MEASURED}
        """,
        7,
        "linear",
    ),
    "accuracy as a term": (ERROR_RATE.replace('how="batch"', 'how="given"'), 20, "argmax"),
    "below the noise floor": (
        MEAN_ERROR.replace("label_sensitivity=0.0 noise_floor=0.0", "label_sensitivity=1e-7 noise_floor=1e-6"),
        23,
        "linear",
    ),
}

SILENT = {
    "a squared error": MEAN_ERROR.replace("loss = mean r", "s = square r\n    loss = mean s").replace(
        "label_sensitivity=0.0", "label_sensitivity=0.8"
    ),
    "S is unknown, and the error is squared": MEAN_ERROR.replace("loss = mean r", "s = square r\n    loss = mean s").replace(
        "label_sensitivity=0.0", "label_sensitivity=null"
    ),
    "an offset, whose gradient is a mean of the errors in any order": f"""
        x: input f32[32]
        y: label f32[32] minimum=0.1 maximum=3.0
        w: parameter f32[]
        e = exp x
        p: activation f32[32]
        r: activation f32[32]
        p = add e w @ "train.py":19
        r = sub p y @ "train.py":23:16-35
        s = square r
        loss = mean s @ "train.py":24
        labels values=["y"] how="operand"
        {MEASURED}
    """,
    "an absolute error far from all labels": MEAN_ERROR.replace("loss = mean r", "s = abs r\n    loss = mean s"),
    "the same in one call": MEAN_ERROR.replace("r = sub p y", 'r = l1_loss p y with={"target":1}'),
    "S is not a number": MEAN_ERROR.replace("label_sensitivity=0.0", 'label_sensitivity="nan"'),
    "S above the noise": MEAN_ERROR.replace("label_sensitivity=0.0 noise_floor=0.0", "label_sensitivity=1e-5 noise_floor=1e-6"),
    "a guess at the labels beside a loss with its own target": f"""
        x: input f32[32,12]
        lengths: label i64[32] minimum=3 maximum=12
        w: parameter f32[12,12]
        z = linear x w
        e = cross_entropy z x with={{"target":1}}
        n = sum lengths
        loss = div e n
        labels values=["lengths"] how="batch"
        {MEASURED}
    """,
    "the other step of the kind feels them": MEAN_ERROR
    + """
    step 1
    x: input f32[32,3]
    y: label f32[32,1] minimum=0.1 maximum=3.0
    w: parameter f32[1,3]
    p = linear x w
    loss = mse_loss p y with={"target":1}
    labels values=["y"] how="target"
    measures loss=0.5 gradient_norm=0.7 label_sensitivity=0.4
    """,
    "rows numbered by the program were taken for labels": f"""
        x: input f32[60,8]
        y: label i64[60] minimum=0 maximum=2
        w: parameter f32[3,8]
        z = linear x w
        p = log_softmax z
        rows = create
        picked = index p rows y
        m = mean picked
        loss = neg m
        labels values=["rows","y"] how="operand"
        {MEASURED}
    """,
    "ids that select, and S is unknown": f"""
        x: input f32[60,8]
        y: label i64[60] minimum=0 maximum=2
        w: parameter f32[3,8]
        z = linear x w
        picked = index z y
        loss = mean picked
        labels values=["y"] how="operand"
        {MEASURED.replace("label_sensitivity=0.0", "label_sensitivity=null")}
    """,
    "no labels": MEAN_ERROR.replace('labels values=["y"] how="operand"', ""),
}

OTHERS = {
    "no gradient at all (WG304)": MEAN_ERROR.replace("gradient_norm=0.7", "gradient_norm=null"),
    "a gradient of zero": MEAN_ERROR.replace("gradient_norm=0.7", "gradient_norm=0.0"),
    "a gradient that is not a number (WG503)": MEAN_ERROR.replace("gradient_norm=0.7", 'gradient_norm="nan"'),
    "an infinite gradient (WG508)": MEAN_ERROR.replace("gradient_norm=0.7", 'gradient_norm="inf"'),
    "no path from the labels (WG101)": MEAN_ERROR.replace("r = sub p y", "r = neg p"),
    "the labels are all the same (WG103)": MEAN_ERROR.replace("minimum=0.1 maximum=3.0", "minimum=1.0 maximum=1.0"),
    "the labels left the framework": MEAN_ERROR.replace("r = sub p y", "n = leave y\n    r = sub p y"),
}


@pytest.mark.parametrize(("text", "line", "word"), FIRES.values(), ids=FIRES)
def test_labels_without_influence_on_the_gradient(text: str, line: int, word: str) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert word in diagnosis.message
    assert diagnosis.confidence == "measured"
    assert diagnosis.facts == {Fact("insensitive", "0")}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_where_nothing_could_be_measured_the_graph_may_prove_it() -> None:
    (diagnosis,) = said(diagnose, OVERLAP.replace("label_sensitivity=0.0", "label_sensitivity=null"))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 14
    assert diagnosis.confidence == "proved"


def test_two_steps_of_which_the_labels_leave_no_trace_are_told_unless_an_offset_alone_is_trained() -> None:
    offset, weight = SILENT["an offset, whose gradient is a mean of the errors in any order"], "p = mul e w"

    assert not said(diagnose, offset, steps=2)
    assert said(diagnose, offset.replace("p = add e w", weight), steps=2)


DEAD = f"""
    x: input f32[32,4]
    y: label f32[32,1] minimum=0.1 maximum=3.0
    w: parameter f32[4,1]
    b: parameter f32[1]
    p: activation f32[32,1]
    r: activation f32[32,1]
    p = linear x w b @ "train.py":19
    r = sub p y @ "train.py":23:16-35
    s = square r
    loss = mean s @ "train.py":24
    parameter w gradient="zero" gradient_norm=0.0
    parameter b gradient="finite" gradient_norm=0.3
    labels values=["y"] how="operand"
    {MEASURED}
"""


def test_a_bias_that_alone_has_a_gradient_behind_dead_units_feels_labels_in_any_order() -> None:
    assert not said(diagnose, DEAD, steps=2)
    assert said(diagnose, DEAD.replace('gradient="zero" gradient_norm=0.0', 'gradient="finite" gradient_norm=0.2'), steps=2)


@pytest.mark.parametrize(
    ("line", "side"), [("ramp(step) * supervised", 1), ("supervised * ramp(step)", 0), ("ramp(supervised_from) * supervised", 1)]
)
def test_a_factor_of_zero_is_left_out(line: str, side: int) -> None:
    text = ZEROED.replace("supervised: activation f32[]", 'supervised: activation f32[] called="supervised"')
    text = text.replace(
        'part = mul supervised @ "train.py":51', f'part = mul supervised @ "train.py":51-51:1-{len(line) + 1} text="{line}"'
    )
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.position) for edit in diagnosis.remedy.edits] == [("unwrap", side)]
    assert not diagnosis.remedy.safe


def test_a_factor_of_zero_in_one_step_may_be_a_warm_up() -> None:
    assert not said(diagnose, ZEROED, steps=1)


def test_the_loss_is_shown_to_change() -> None:
    (diagnosis,) = said(diagnose, MEAN_ERROR, steps=2)

    assert [evidence.statement for evidence in diagnosis.evidence] == [
        "labels permuted: the gradient is bit-for-bit the same",
        "gradients are calculated (norm 0.7), and would be the same with any labels",
        "labels permuted: the loss goes from 0.5 to 0.6",
        "so in 2 of 2 recorded steps of this kind",
    ]


SECOND = ZEROED.replace(
    "    loss = add agree part",
    '    t: input f32[32,5]\n    other_task = mse_loss scores t with={"target":1}\n    loss = add other_task part',
)
WRITTEN = ZEROED.replace(
    "    loss = add agree part",
    "    t: input f32[32,5]\n    apart = mul scores t\n    other_task = mean apart\n    loss = add other_task part",
)


@pytest.mark.parametrize("text", [SECOND, WRITTEN])
def test_a_second_task_that_a_schedule_brings_in_later(text: str) -> None:
    assert said(diagnose, text, steps=2) == []


def test_a_reconstruction_of_the_input_is_no_other_task() -> None:
    text = ZEROED.replace("    loss = add agree part", "    apart = sub scores x\n    rebuilt = mean apart\n    loss = add rebuilt part")

    assert len(said(diagnose, text, steps=2)) == 1


def test_beside_a_reconstruction_a_factor_in_a_variable_is_a_warm_up() -> None:
    text = ZEROED.replace("    loss = add agree part", "    apart = sub scores x\n    rebuilt = mean apart\n    loss = add rebuilt part")
    kept = text.replace(
        "    part = mul supervised @", "    share: buffer f32[] minimum=0 maximum=0 zeros=1.0 norm=0.0\n    part = mul share supervised @"
    )

    assert said(diagnose, kept, steps=2) == []


@pytest.mark.parametrize(("steps", "standing", "told"), [(200, "share", 1), (200, "other", 0), (40, "share", 0)])
def test_a_factor_in_a_variable_that_a_run_leaves_at_zero_is_no_warm_up(steps: int, standing: str, told: int) -> None:
    text = ZEROED.replace("    loss = add agree part", "    apart = sub scores x\n    rebuilt = mean apart\n    loss = add rebuilt part")
    kept = text.replace(
        "    part = mul supervised @", "    share: buffer f32[] minimum=0 maximum=0 zeros=1.0 norm=0.0\n    part = mul share supervised @"
    )
    run = f'record standing=["{standing}"]\noutcome exit_status=0 steps_seen={steps}\n'

    assert len(said(diagnose, run + kept, steps=2)) == told


BESIDE = f"""
    x: input f32[32,3]
    y: label f32[32,1] minimum=-2.0 maximum=2.0
    w: parameter f32[1,3]
    p: activation f32[32,1] minimum=-3.0 maximum=3.0
    p = linear x w @ "train.py":19
    loss = mse_loss p y with={{"target":1}} @ "train.py":24
    parameter w gradient="finite" gradient_norm=0.7
    labels values=["y"] how="target"
    {MEASURED}
"""


def test_labels_that_are_lost_in_rounding_beside_a_huge_prediction_are_a_matter_of_scale() -> None:
    assert [found.rule for found in said(diagnose, BESIDE, steps=2)] == ["WG102"]
    huge = BESIDE.replace("minimum=-3.0 maximum=3.0", "minimum=-900000.0 maximum=800000.0")
    assert [found.rule for found in said(diagnose, huge, steps=2)] == ["WG102"]  # float32 tells them apart
    assert not said(diagnose, huge.replace("w: parameter f32", "w: parameter bf16"), steps=2)
    assert not said(diagnose, huge.replace("00000.0", "0000000000.0"), steps=2)
