"""WG406 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Optimizer, Site
from whygrad.rules.update.zero_learning_rate import cuts_fractions, diagnose

ZERO = """
    optimizer opt native="Adam" steps=10 rates=[0.0,0.0] last_rate=0.0 @ "train.py":20
    group rate=0.0 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
"""

GROUPS = """
    optimizer opt native="Adam" steps=10 rates=[0.0,0.1] @ "train.py":20
    group rate=0.1 parameters=["head.weight"]
    group rate=0.0 parameters=["w"]
    ending head.weight changed=true gradient_seen=true
    ending w changed=false gradient_seen=true
    x: input f32[8,4]
    w: parameter f32[4,4]
    head.weight: parameter f32[2,4]
    a = linear x w
    out = linear a head.weight
    loss = mean out
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite"
    parameter head.weight optimizer="opt" reached=true gradient="finite" update_norm=0.1
"""

SPENT = ZERO.replace("steps=10 rates=[0.0,0.0]", "steps=96 rates=[0.0,0.002] idle_steps=88 idle_from=8")

PLATEAU = """
    optimizer opt native="Adam" steps=300 rates=[1.25e-9,0.004] last_rate=1.25e-9 @ "train.py":20 & "train.py":9
    group rate=0.004 parameters=["w"]
    plateau mode="max" calls=30 first=1.78 at_cut=1.74 last=1.69 losses=[1.77,1.73] cuts=5 low_from=30
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
"""

FIRES = {
    "a schedule that waits for a loss to rise": (PLATEAU, 9, "error"),
    "a schedule that ran out, where it was made": (SPENT.replace('@ "train.py":20', '@ "train.py":20 & "train.py":9'), 9, "error"),
    "a rate of zero": (ZERO, 20, "error"),
    "a negative rate": (ZERO.replace("[0.0,0.0]", "[-0.1,-0.01]"), 20, "error"),
    "a schedule of an optimizer that was made with none": (
        ZERO.replace('@ "train.py":20', '@ "train.py":20 ^ "train.py":24').replace("group ", 'group settings={"initial_lr":0.0} '),
        20,
        "error",
    ),
    "a schedule of zeros": (ZERO.replace('@ "train.py":20', '@ "train.py":20 ^ "train.py":24'), 24, "error"),
    "negative up to zero": (ZERO.replace("[0.0,0.0]", "[-0.1,0.0]"), 20, "error"),
    "a schedule, and stopped early": (
        ZERO.replace('@ "train.py":20', '@ "train.py":20 ^ "train.py":24') + '    outcome stopped="enough"',
        24,
        "warning",
    ),
    "one group of two": (GROUPS, 20, "warning"),
    "a schedule that has run out early": (SPENT, 20, "error"),
    "a schedule that is as good as run out": (SPENT.replace("last_rate=0.0", "last_rate=1e-30"), 20, "error"),
    "a rate that is lost beside the weights": (SPENT.replace("last_rate=0.0", "last_rate=1e-9"), 20, "error"),
    "a schedule that has run out after two thirds": (SPENT.replace("idle_from=8", "idle_from=65"), 20, "warning"),
}

SILENT = {
    "a schedule that waits for a loss to fall": PLATEAU.replace('mode="max"', 'mode="min"'),
    "values that got better and then did not": PLATEAU.replace("calls=30", "calls=30 better=4"),
    "a score that falls, of another size": PLATEAU.replace("first=1.78 at_cut=1.74", "first=0.8 at_cut=0.7"),
    "values that rise slowly": PLATEAU.replace("at_cut=1.74", "at_cut=1.79"),
    "a loss that rises": PLATEAU.replace("losses=[1.77,1.73]", "losses=[1.77,1.79]"),
    "losses unknown": PLATEAU.replace("losses=[1.77,1.73] ", ""),
    "a single cut": PLATEAU.replace("cuts=5", "cuts=1"),
    "cuts near the end": PLATEAU.replace("low_from=30", "low_from=280"),
    "values that are no numbers": PLATEAU.replace("first=1.78 at_cut=1.74", 'first="nan" at_cut="nan"'),
    "an infinite first value": PLATEAU.replace("first=1.78", 'first="inf"'),
    "a rate that was set up again": PLATEAU.replace(" low_from=30", ""),
    "a rate above zero": ZERO.replace("[0.0,0.0]", "[0.1,0.1]"),
    "a warm-up that begins at zero": ZERO.replace("[0.0,0.0]", "[0.0,0.1]"),
    "a schedule that ends at zero": ZERO.replace("[0.0,0.0] last_rate=0.0", "[0.0,0.001] last_rate=0.0"),
    "a schedule whose last tenth is zero": SPENT.replace("idle_from=8", "idle_from=87"),
    "zero for a few updates of few": SPENT.replace("steps=96", "steps=12"),
    "zero in between alone": SPENT.replace(" idle_from=8", "").replace("last_rate=0.0", "last_rate=0.001"),
    "a single update": ZERO.replace("steps=10", "steps=1"),
    "rates unknown": ZERO.replace("rates=[0.0,0.0]", ""),
    "a group of pretrained weights": GROUPS.replace('parameter w optimizer="opt"', 'parameter w loaded=true optimizer="opt"'),
    "a group whose rate rose later": GROUPS.replace("ending w changed=false", "ending w changed=true"),
}

OTHERS = {
    "a rate that is not a number (WG504)": ZERO.replace("[0.0,0.0]", '["nan","nan"]'),
    "partly not a number": ZERO.replace("[0.0,0.0]", '[0.0,"nan"]'),
    "an infinite rate (WG504)": ZERO.replace("[0.0,0.0]", '[0.0,"inf"]'),
    "an optimizer that never steps (WG405)": ZERO.replace("steps=10", "steps=0"),
    "a group without a gradient (WG301)": GROUPS.replace(
        "ending w changed=false gradient_seen=true", "ending w changed=false gradient_seen=false"
    ),
    "a tiny rate (WG412)": ZERO.replace("[0.0,0.0]", "[1e-30,1e-30]"),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_rates_that_are_never_above_zero(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == severity
    assert Fact("no-rate", "opt") in diagnosis.facts


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, ZERO)

    assert diagnosis.message == "the learning rate of `opt` is zero at every update"
    assert diagnosis.evidence[0].statement == "the rate was 0 over 10 updates"


CLIMBS = """
    framework jax "0.10.2"
    optimizer opt native="SGD" steps=10 rates=[-0.1,-0.1] last_rate=-0.1 @ "train.py":20
    group rate=-0.1 parameters=["w"]
    x: input f32[8,4]
    y: label f32[8,2]
    w: parameter f32[4,2]
    out = matmul x w
    e = mse_loss out y with={"target":1}
    loss = mean e
    labels values=["y"] how="target"
"""


def test_a_loss_that_is_climbed_in_jax_is_found() -> None:
    (diagnosis,) = said(diagnose, CLIMBS)

    assert "negative" in diagnosis.message
    assert "optax.scale(-1)" in diagnosis.help


DESCENDS = """
    parameter w value=w optimizer="opt" reached=true gradient=finite gradient_norm=1.0 norm=2.0 update_norm=0.1 moved=1.0 along=-0.99
"""


@pytest.mark.parametrize(("along", "found"), [("-0.99", 0), ("0.99", 1), ('"nan"', 1)], ids=["down", "up", "unknown"])
def test_a_step_that_only_climbs_before_it_descends_is_left_alone(along: str, found: int) -> None:
    assert len(said(diagnose, CLIMBS + DESCENDS.replace("-0.99", along))) == found


WRITTEN_OUT = CLIMBS.replace("y: label f32[8,2]", "y: label i32[8] minimum=0 maximum=1").replace(
    'e = mse_loss out y with={"target":1}\n    loss = mean e', "p = log_softmax out\n    e = index p y\n    m = mean e\n    loss = neg m"
)


def test_a_loss_that_is_written_out_is_known_to_be_one_by_where_labels_and_prediction_meet() -> None:
    (diagnosis,) = said(diagnose, WRITTEN_OUT)

    assert "negative" in diagnosis.message


def test_the_link_that_leaves_the_sign_is_exchanged_for_the_one_that_turns_it() -> None:
    (diagnosis,) = said(diagnose, WRITTEN_OUT.replace('@ "train.py":20', '@ "train.py":20 text="optax.scale_by_schedule(warm),"'))

    assert diagnosis.remedy is not None
    assert diagnosis.remedy.edits[0].text == "optax.scale_by_learning_rate"


@pytest.mark.parametrize(
    "score",
    [
        CLIMBS.replace("loss = mean e", "m = mean e\n    loss = neg m"),
        CLIMBS.replace('e = mse_loss out y with={"target":1}', "e = square out"),
        WRITTEN_OUT.replace("loss = neg m", "loss = copy m"),
    ],
)
def test_a_score_is_climbed_on_purpose(score: str) -> None:
    assert not said(diagnose, score)


def test_a_rate_that_is_written_over_later_has_no_fix_where_the_optimizer_is_made():
    (diagnosis,) = said(diagnose, SPENT.replace('@ "train.py":20', '@ "train.py":20 text="opt = Adam(p, lr=0.002)"'))

    assert diagnosis.remedy is None
    assert diagnosis.label == "made with a rate that something else overwrites later"
    assert diagnosis.help is not None
    assert "step()" not in diagnosis.help


def test_the_place_that_writes_the_rate_is_shown():
    (diagnosis,) = said(
        diagnose, SPENT.replace("    group", '    origin optimizer="opt" setting="written" @ "callbacks.py":16\n    group', 1)
    )

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("callbacks.py", 16)


def test_the_rate_of_a_chain_is_that_of_its_link():
    chained = '@ "train.py":20 text="tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.0))"'
    (diagnosis,) = said(diagnose, ZERO.replace('@ "train.py":20', chained))

    assert diagnosis.remedy is not None
    assert [edit.calls for edit in diagnosis.remedy.edits] == [("adam",)]


LINES = [
    ("    return RATE * (1 // (1 + epoch))", 0.0, True),
    ("    return BASE * 0.1 ** (epoch // EVERY)", 1e-9, False),
    ("    return BASE * 0.1 ** epoch  # a // b", 0.0, False),
]


@pytest.mark.parametrize(("text", "last", "cut"), LINES)
def test_a_rate_that_a_floor_division_makes_exactly_zero(text: str, last: float, cut: bool) -> None:
    optimizer = Optimizer("opt", native="Adam", rates=(last, 0.01), last_rate=last)

    assert cuts_fractions(Site("a.py", 3, text=text), optimizer) is cut


DECAYED = SPENT.replace("    optimizer", '    framework tensorflow "2.21.0"\n    optimizer', 1)


def told(text: str) -> list[tuple[str, str, str]]:
    """The edits that are proposed."""
    (diagnosis,) = said(diagnose, text)
    return [(edit.action, edit.text, edit.keyword) for edit in diagnosis.remedy.edits] if diagnosis.remedy else []


@pytest.mark.parametrize(
    ("line", "edits"),
    [
        ("s = PolynomialDecay(0.01, decay_steps=EPOCHS)", [("wrap", "{x} * 20", "decay_steps")]),
        ("s = CosineDecay(0.01, EPOCHS)", [("wrap", "{x} * 20", "decay_steps")]),
        ("s = PiecewiseConstantDecay([8], [0.1, 0.0])", []),
    ],
)
def test_a_schedule_that_is_over_early_lasts_as_long_as_the_run(line: str, edits: list[tuple[str, str, str]]) -> None:
    assert told(DECAYED.replace('@ "train.py":20', f'@ "train.py":20 & "train.py":9 text="{line}"')) == edits


def test_what_keras_was_seen_to_do_may_have_begun_after_half_as_many_updates() -> None:
    late = DECAYED.replace("idle_steps=88 idle_from=8", "idle_steps=46 idle_from=50")
    text = late.replace('@ "train.py":20', '@ "train.py":20 & "train.py":9 text="s = CosineDecay(0.01, EPOCHS)"')

    assert [edit[1] for edit in told(text)] == ["{x} * 4"]
    assert [edit[1] for edit in told(text.replace("tensorflow", "jax").replace("CosineDecay", "cosine_decay_schedule"))] == ["{x} * 2"]
    assert told(text.replace("idle_from=50", "idle_from=0")) == []


STEPPED = (
    SPENT.replace('@ "train.py":20', '@ "train.py":20 ^ "train.py":44 text="            self.scheduler.step()"').rstrip()
    + """
    ! backward loss
    ! optimizer_step opt
    ! scheduler_step opt
    parameter w optimizer="opt" reached=true gradient="finite"
"""
)


def test_a_schedule_that_is_stepped_after_each_batch_is_stepped_after_each_epoch() -> None:
    (diagnosis,) = said(diagnose, STEPPED, steps=2)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.around) for edit in diagnosis.remedy.edits] == [("move", 44, "epoch")]


def test_a_schedule_that_is_not_stepped_at_each_update_stays_where_it_is() -> None:
    (diagnosis,) = said(diagnose, STEPPED.replace("    ! scheduler_step opt\n", ""), steps=2)

    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("    return lr * 0.5", True),
        ("    self.model.optimizer.learning_rate *= 0.5", True),
        ("    return BASE * DECAY ** step", False),
        ("    return BASE / (1 + 100 * epoch)", False),
    ],
)
def test_a_rate_that_falls_too_fast_is_not_said_to_act_on_its_own_result(text: str, *, moment: bool) -> None:
    fallen = SPENT.replace("rates=[0.0,0.002]", "rates=[1e-30,0.002]")
    (diagnosis,) = said(diagnose, fallen.replace('@ "train.py":20', f'@ "train.py":20 ^ "schedule.py":9 text="{text}"'))

    assert diagnosis.help is not None
    assert ("rate of the moment" in diagnosis.help) is moment


def test_a_rate_that_is_the_same_all_along_is_too_small_and_did_not_run_out() -> None:
    assert not said(
        diagnose, '    optimizer opt native="Adam" steps=96 rates=[3e-9,3e-9] last_rate=3e-9 idle_steps=96 idle_from=0 @ "train.py":20\n'
    )
