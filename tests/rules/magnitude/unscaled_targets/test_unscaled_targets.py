"""WG506 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.unscaled_targets import diagnose

STUCK = """
    course steps=100 start=9e10 first=9e10 last=8.9e10 noise=1e9 @ "train.py":11
    x: input f32[64,8] mean=0.1 std=1.0
    y: label f32[64,1] minimum=200000 maximum=400000 mean=300000 std=50000
    w: parameter f32[1,8]
    a = linear x w @ "train.py":8
    loss = mse_loss a y with={"target":1} @ "train.py":9
    ! batch x y @ "train.py":7
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=9e10 gradient_norm=1.0 label_sensitivity=0.3
"""

FIRES = {
    "the loss stands still": (STUCK, 7, "warning"),
    "the loss crawls": (STUCK.replace("last=8.9e10", "last=6e10"), 7, "warning"),
    "the loss runs away": (STUCK.replace("last=8.9e10", "last=9e20"), 7, "error"),
    "absolute error": (STUCK.replace("mse_loss", "l1_loss"), 7, "warning"),
    "asked for while the run is young": (STUCK.replace("steps=100", "steps=1"), 7, "warning"),
}

SILENT = {
    "the loss falls": STUCK.replace("last=8.9e10", "last=2e9"),
    "ordinary targets": STUCK.replace("mean=300000 std=50000", "mean=0.3 std=1.0"),
    "figures that are no numbers": STUCK.replace("mean=300000 std=50000", 'mean="nan" std="nan"'),
    "no figures": STUCK.replace("minimum=200000 maximum=400000 mean=300000 std=50000", ""),
    "a short run": STUCK.replace("steps=100", "steps=10"),
}

OTHERS = {
    "classes": STUCK.replace("mse_loss", "cross_entropy"),
    "bootstrapped targets": STUCK.replace("mse_loss a y", "mse_loss a a"),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG506"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


def test_what_a_call_is_given_is_not_taken_for_what_it_returns() -> None:
    call = '@ "train.py":7-7:29-38 text="loss = train_step(model, x, y[chosen])"'
    making = '@ "train.py":7-7:5-12 text="y = load(1)"'
    given = STUCK.replace('! batch x y @ "train.py":7', f"! batch x y {call}")
    made = STUCK.replace('! batch x y @ "train.py":7', f"! batch x y {making}")

    edits = [edit for text in (given, made) for edit in getattr(said(diagnose, text)[0].remedy, "edits", ())]

    assert [(edit.around, edit.written) for edit in edits] == [("loop", "y"), ("", "")]


@pytest.mark.parametrize(
    "own",
    ["y", "y[rows]", "jnp.asarray(y[rows])", "torch.from_numpy(y[i:j])", "tf.constant(y[i:j], tf.float32)", "torch.tensor(y, dtype=kind)"],
)
def test_data_are_standardised_before_the_loop_under_the_name_that_they_are_picked_by(own: str) -> None:
    line = f"loss = step(model, x, {own})"
    text = STUCK.replace('! batch x y @ "train.py":7', f'! batch x y @ "train.py":7-7:23-{23 + len(own)} text="{line}"')
    (found,) = said(diagnose, text)

    assert found.remedy is not None
    assert [(edit.around, edit.written) for edit in found.remedy.edits] == [("loop", "y")]


@pytest.mark.parametrize("own", ["f(y)", "y[rows] + 1", "load(3)", "self.y[rows]"])
def test_data_without_a_name_are_left_alone(own: str) -> None:
    line = f"loss = step(model, x, {own})"
    text = STUCK.replace('! batch x y @ "train.py":7', f'! batch x y @ "train.py":7-7:23-{23 + len(own)} text="{line}"')
    edits = getattr(said(diagnose, text)[0].remedy, "edits", ())

    assert not [edit for edit in edits if edit.around == "loop"]


def test_one_of_several_targets_is_no_element_of_a_data_set() -> None:
    listed = STUCK.replace("y: label f32[64,1]", 'y: label f32[64,1] called="[kind, price][1]"')
    listed = listed.replace('! batch x y @ "train.py":7', '! batch x y @ "train.py":7 text="model.fit(x, [kind, price])"')
    (found,) = said(diagnose, listed)

    assert ".map(" not in found.help
