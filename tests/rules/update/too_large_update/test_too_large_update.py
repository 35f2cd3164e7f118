"""WG411 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.ir import Descend
from whygrad.rules.update.too_large_update import diagnose

AWAY = """
    optimizer opt native="SGD" steps=100 rates=[0.5,0.5] last_rate=0.5 @ "train.py":5
    group rate=0.5 parameters=["w"]
    course steps=100 start=9.0 first=700.0 last=1e30 highest=1e28 @ "train.py":11
    x: input f32[64,8]
    y: label f32[64,1]
    w: parameter f32[1,8]
    a = linear x w
    loss = mse_loss a y with={"target":1}
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=10.0 norm=1.0
    labels values=["y"] how="target"
    measures loss=9.0 label_sensitivity=0.5
"""
SCHEDULED = AWAY.replace(
    "first=700.0 last=1e30 highest=1e28", "first=9.0 last=9.5 lowest=2.0 highest=900.0 rate_at_lowest=0.01 rate_at_highest=3.0"
).replace('@ "train.py":5', '@ "train.py":5 ^ "train.py":20 & "train.py":6')
BY_HAND = AWAY.replace(
    "first=700.0 last=1e30 highest=1e28",
    "first=9.0 last=1e30 lowest=2.0 highest=9.2 rate_at_lowest=0.01 rate_at_highest=0.01 non_finite=60",
).replace("last_rate=0.5", "last_rate=3.0")

TRIAL = """
    trial intervention={"type":"descend","steps":4,"factor":0.03,"standardise":[],"epsilon":null,"activate":[],"control":[]} losses=[9.0,6.0,4.0,2.0,0.5] plain=[9.0,900.0,700.0,90.0,60.0]
"""
BACK = AWAY.replace("first=700.0 last=1e30 highest=1e28", "first=500.0 last=8.0 lowest=7.0 highest=900.0") + TRIAL

ABOVE = AWAY.replace("first=700.0 last=1e30 highest=1e28", "first=27.0 last=19.0 lowest=15.0 highest=35.0") + TRIAL.replace(
    "plain=[9.0,900.0,700.0,90.0,60.0]", "plain=[9.0,29.0,40.0,27.0,23.0]"
)

SPREAD = BACK.replace("f32[64,1]", "f32[64,1] minimum=-4.0 maximum=4.0 mean=0.0 std=2.0 count=64 finite=1.0")
FLAT = SPREAD.replace("last=8.0 lowest=7.0", "last=4.0 lowest=3.9")
NEVER = FLAT.replace("first=500.0", "first=8.0").replace("highest=900.0", "highest=8.0")

UNSEEN = AWAY.replace(
    '    course steps=100 start=9.0 first=700.0 last=1e30 highest=1e28 @ "train.py":11\n',
    "    ending w changed=true gradient_seen=true finite=false\n",
).replace("gradient_norm=10.0", "gradient_norm=0.01")

NOBODY = UNSEEN.replace(" finite=false", "").replace("gradient_norm=0.01", "gradient_norm=10.0")

FIRES = {
    "the loss is never shown, and the run is young": (NOBODY, 5, "warning"),
    "the loss is never shown, and at the end the parameters are no numbers": (UNSEEN, 5, "warning"),
    "it comes back, but never as low as small updates get at once": (BACK, 5, "warning"),
    "it rises at once and never comes back to where it began": (ABOVE, 5, "warning"),
    "it comes back, and ends where a constant guess would be": (FLAT.replace("0.5] plain", "8.5] plain"), 5, "warning"),
    "it never ran away, ends where a constant guess would be, and small updates get lower at once": (NEVER, 5, "warning"),
    "it ends where a constant guess would be, and its own updates make the loss of a batch jump": (
        NEVER.replace("0.5] plain", "8.5] plain"),
        5,
        "warning",
    ),
    "the loss runs away": (AWAY, 5, "warning"),
    "it is no number after a few steps": (AWAY.replace("last=1e30 highest=1e28", "non_finite=4"), 5, "warning"),
    "a schedule raised the rate": (SCHEDULED, 6, "warning"),
    "raised by hand, and a few steps later there are no numbers": (BY_HAND, 5, "warning"),
    "asked for while the run is young": (
        AWAY.replace("steps=100 start=9.0 first=700.0 last=1e30 highest=1e28", "steps=1 start=9.0 first=9.0 last=9.0"),
        5,
        "warning",
    ),
}

SILENT = {
    "above where it began, and small updates do no better": ABOVE.replace("losses=[9.0,6.0,4.0,2.0,0.5]", "losses=[9.0,9.1,9.0,9.2,9.1]"),
    "a growing penalty lifts the loss, and its updates do not": ABOVE.replace(
        "plain=[9.0,29.0,40.0,27.0,23.0]", "plain=[9.0,8.0,7.0,6.0,5.0]"
    ),
    "the loss came back below where it began": ABOVE.replace("last=19.0 lowest=15.0", "last=8.0 lowest=7.0"),
    "a little above where it began: noise": ABOVE.replace("first=27.0 last=19.0 lowest=15.0", "first=9.8 last=9.9 lowest=9.4"),
    "above for a few steps of a try": ABOVE.replace("course steps=100", "course steps=12"),
    "the loss is never shown, and the run went on": NOBODY.replace(
        "    optimizer opt", "    outcome exit_status=0 steps_seen=64 backwards_seen=64\n    optimizer opt"
    ),
    "what is no number at the end is not what the optimizer holds": UNSEEN.replace("ending w ", "ending v "),
    "numbers at the end": UNSEEN.replace(" finite=false", ""),
    "it comes back, and gets lower than small updates do": BACK.replace("last=8.0 lowest=7.0", "last=0.4 lowest=0.3"),
    "small updates get lower, and the loss never ran away": BACK.replace("first=500.0", "first=8.5").replace(
        "highest=900.0", "highest=12.0"
    ),
    "it came back and ends lower than any constant guess": SPREAD.replace("last=8.0 lowest=7.0", "last=1.0 lowest=0.4"),
    "it ends where a constant guess would be, small updates get no lower, and its own do not jump": NEVER.replace(
        "0.5] plain=[9.0,900.0,700.0,90.0,60.0]", "8.5] plain=[9.0,9.1,9.2,9.1,9.0]"
    ),
    "too few steps to end anywhere": NEVER.replace("course steps=100", "course steps=12"),
    "the spread of the targets is not known": NEVER.replace(" std=2.0", ""),
    "the experiment began elsewhere": BACK.replace("losses=[9.0", "losses=[4.5"),
    "it comes down again": AWAY.replace("last=1e30", "last=1.0"),
    "it rises a little": AWAY.replace("first=700.0 last=1e30 highest=1e28", "first=9.0 last=12.0 highest=14.0"),
    "young, with small updates": AWAY.replace(
        "steps=100 start=9.0 first=700.0 last=1e30 highest=1e28", "steps=1 start=9.0 first=9.0 last=9.0"
    ).replace("gradient_norm=10.0", "gradient_norm=0.01"),
    "nothing known of the loss": AWAY.replace("steps=100 start=9.0 first=700.0 last=1e30 highest=1e28", "steps=100"),
    "a loss below zero": AWAY.replace("start=9.0", "start=-9.0"),
    "NaN from the first step": AWAY.replace("start=9.0 first=700.0 last=1e30 highest=1e28", "non_finite=0"),
}

OTHERS = {
    "bootstrapped targets": AWAY.replace("mse_loss a y", "mse_loss a a"),
    "labels without effect (WG102)": AWAY.replace("label_sensitivity=0.5", "label_sensitivity=0.0"),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG411"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize(("gradient", "factor"), [(5.0, 0.03), (200.0, 0.003), (100_000.0, 0.0003)])
def test_the_rate_that_is_tried_replaces_no_weight_at_once(gradient: float, factor: float) -> None:
    text = AWAY.replace("gradient_norm=10.0", f"gradient_norm={gradient}")
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.test is not None
    assert isinstance(diagnosis.test.intervention, Descend)
    assert diagnosis.test.intervention.factor == factor


@pytest.mark.parametrize(("losses", "factor"), [("9.0,8.0,2.0,30.0,9.5", 0.003), ("9.0,6.0,4.0,2.0,0.5", 0.03)])
def test_a_rate_that_is_still_too_large_is_followed_by_a_smaller_one(losses: str, factor: float) -> None:
    (diagnosis,) = said(diagnose, AWAY + TRIAL.replace("9.0,6.0,4.0,2.0,0.5", losses))

    assert diagnosis.test is not None
    assert diagnosis.test.intervention == Descend(factor=factor)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


def test_what_the_loss_did_is_said() -> None:
    (back,) = said(diagnose, BACK)
    (above,) = said(diagnose, ABOVE)
    (never,) = said(diagnose, NEVER)

    assert back.message == "the learning rate of 0.5 is too large: the loss runs away"
    assert above.message == "the learning rate of 0.5 is too large: the loss rises at once and never comes back to where it began"
    assert never.message == "the learning rate of 0.5 is too large: the loss ends where a constant guess would be"


def test_a_schedule_rises_no_further_than_to_the_rate_at_which_the_loss_was_lowest() -> None:
    line = SCHEDULED.replace('& "train.py":6', '& "train.py":6 text="s = OneCycleLR(opt, max_lr=cfg.max_lr)"')

    (diagnosis,) = said(diagnose, line)

    assert diagnosis.remedy is not None
    assert [(edit.keyword, edit.text) for edit in diagnosis.remedy.edits] == [("max_lr", "0.01")]
    assert said(diagnose, SCHEDULED)[0].remedy is None


def test_a_scale_that_a_later_link_takes_out_again_is_named() -> None:
    lost = AWAY.replace('parameters=["w"]', 'parameters=["w"] settings={"lost_scale":"scale","normalised_by":"scale_by_adam"}')
    (diagnosis,) = said(diagnose, lost)

    assert diagnosis.message == "`scale` of `opt` is without effect: its updates are as large as at a rate of 0.5, and the loss runs away"
    assert diagnosis.help == "put `scale` behind `scale_by_adam`, as the last link of the chain"
    assert diagnosis.remedy is None


def test_a_rate_that_is_raised_by_something_unseen_is_not_said_to_be_raised_where_the_optimizer_is_made() -> None:
    (seen,) = said(diagnose, SCHEDULED)
    (unseen,) = said(diagnose, SCHEDULED.replace(' ^ "train.py":20 & "train.py":6', ""))

    assert seen.label == "the rate is raised here"
    assert unseen.label == "made here with a smaller rate, which something raises later on"


def test_the_rate_at_which_it_ran_away_is_the_last_one_where_no_mean_saw_it() -> None:
    (found,) = said(diagnose, BY_HAND)
    (other,) = said(diagnose, BY_HAND.replace("last_rate=3.0", "last_rate=0.01"))

    assert "the learning rate of 3 is too large" in found.message
    assert found.confidence == "suspected"
    assert any("highest (1e+30) at 3" in evidence.statement for evidence in found.evidence)
    assert other.test is not None


def test_steps_after_units_died_are_of_the_same_training() -> None:
    died = BACK.replace("    x: input", "    step 36 kind=1\n    x: input", 1).replace("gradient_norm=10.0", "gradient_norm=0.0")
    later = died[died.index("    step 36") :].replace(TRIAL, "")
    alone = BACK.replace("    x: input", "    step 0 kind=0\n    x: input", 1)

    assert [one.rule for one in said(diagnose, alone + later)] == ["WG411"]
    assert not said(diagnose, alone + later.replace("optimizer_step opt", "optimizer_step other"))


@pytest.mark.parametrize("made", ["torch.optim.SGD(net.parameters(), lr=0.5)", "keras.optimizers.SGD(learning_rate=0.5)"])
def test_the_rate_is_called_what_the_line_calls_it(made: str) -> None:
    (diagnosis,) = said(diagnose, AWAY.replace('@ "train.py":5', f'@ "train.py":5 text="opt = {made}"'))

    assert diagnosis.remedy is not None
    assert [(f"{edit.keyword}=" in made, edit.position) for edit in diagnosis.remedy.edits] == [(True, 1 if "torch" in made else 0)]
