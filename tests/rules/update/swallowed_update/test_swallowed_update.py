"""WG407 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.swallowed_update import diagnose

STILL = """
    optimizer opt native="SGD" steps=2 rates=[0.001,0.001] @ "train.py":5
    group rate=0.001 parameters=["w"]
    x: input bf16[64,8]
    w: parameter bf16[4,8]
    a = linear x w
    loss = mean a
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_at_update="finite" update_norm=0.001 moved=0.02
"""

FIRES = {
    "two in a hundred entries move": (STILL, 5, "warning"),
    "none": (STILL.replace("moved=0.02", "moved=0.0"), 5, "warning"),
    "float16": (STILL.replace("bf16", "f16"), 5, "warning"),
}

FIRES |= {
    "four in five entries with a gradient stay": (STILL.replace("moved=0.02", "moved=0.2 rounded=0.8"), 5, "warning"),
    "all but the biases, which begin at zero": (
        STILL.replace(
            "    a = linear x w",
            "    b: parameter bf16[4]\n    c: parameter bf16[4]\n    a = linear x w b\n    e = add a c\n"
            '    parameter b optimizer="opt" reached=true gradient="finite" gradient_at_update="finite" update_norm=0.001 moved=1.0\n'
            '    parameter c optimizer="opt" reached=true gradient="finite" gradient_at_update="finite" update_norm=0.001 moved=1.0',
        ).replace("mean a", "mean e"),
        5,
        "warning",
    ),
    "put into half precision as a whole": (
        STILL.replace(
            "    a = linear",
            '    v: activation bf16[4,8]\n    v = cast u carries=[false] @ "train.py":3 library=[["torch/nn/modules/module.py",1383,"Module.to",""]]\n    a = linear',
        ),
        3,
        "warning",
    ),
}

SILENT = {
    "few entries have a gradient": STILL.replace("moved=0.02", "moved=0.02 rounded=0.1"),
    "most entries move": STILL.replace("moved=0.02", "moved=0.8"),
    "float32": STILL.replace("bf16", "f32"),
    "nothing measured": STILL.replace(" moved=0.02", ""),
    "no number": STILL.replace("moved=0.02", 'moved="nan"'),
}

OTHERS = {
    "no gradient at the update (WG404)": STILL.replace('gradient_at_update="finite"', 'gradient_at_update="none"'),
    "a gradient of zeros": STILL.replace('gradient_at_update="finite"', 'gradient_at_update="zero"'),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG407"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


CAST = FIRES["put into half precision as a whole"][0]


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("model = Net().to(torch.bfloat16)", "unwrap"),
        ("model.half()", "drop"),
        ("    net.model.to(kind)", "drop"),
        ("net.add(Net().bfloat16())", "unwrap"),
    ],
)
def test_what_puts_a_model_into_half_precision_can_be_left_out(line: str, action: str) -> None:
    text = CAST.replace("x: input bf16", "x: input i64").replace('@ "train.py":3', f'@ "train.py":3 text="{line}"')
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == [action]
    assert not diagnosis.remedy.safe


def test_parameters_that_were_made_in_half_precision_or_meet_data_in_it_are_left_to_a_person() -> None:
    assert said(diagnose, STILL)[0].remedy is None
    assert said(diagnose, CAST)[0].remedy is None


@pytest.mark.parametrize(("line", "calls"), [("h = Dense(4, name='w')(x)", "Dense"), ("return self.out(x)", "Linear")])
def test_a_layer_of_flax_is_told_the_dtype_of_its_parameters(line: str, calls: str) -> None:
    place = f'@ "net.py":14:{line.index("(") and line.index(line.split(" ", 2)[-1] if "=" in line else "self") + 1}'
    made = f'{place} text="{line}" library=[["lib/flax/linen/linear.py",263,"Dense.__call__",""]]'
    (diagnosis,) = said(diagnose, STILL.replace("moved=0.02", f"moved=0.02 {made}"))

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.keyword, edit.text, edit.site.line) == ("param_dtype", "jax.numpy.float32", 14)
    assert calls in edit.calls


def test_of_two_optimizers_that_hold_the_parameters_the_one_that_updates_is_told() -> None:
    before = '    optimizer early native="Adam" steps=2 rates=[0.001,0.001] @ "train.py":3\n    group rate=0.001 parameters=["w"]'

    (found,) = said(diagnose, before + STILL.replace('parameter w optimizer="opt"', 'parameter w optimizer="early"'), steps=2)

    assert found.site is not None
    assert found.site.line == 5
