"""WG505 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.unscaled_inputs import diagnose

STUCK = """
    course steps=100 start=9.0 first=9.0 last=8.9 noise=0.1 @ "train.py":11
    x: input f32[64,8] minimum=1000 maximum=9000 mean=5000 std=2000
    y: label f32[64,1]
    w: parameter f32[1,8]
    a = linear x w @ "train.py":8
    loss = mse_loss a y with={"target":1} @ "train.py":9
    ! batch x y @ "train.py":7
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=9.0 gradient_norm=1.0 label_sensitivity=0.3
"""
RUNS = STUCK.replace("last=8.9", "last=1e9")

SATURATED = (
    STUCK.replace("last=8.9", "last=2.0")
    .replace(
        "    loss = mse_loss a y",
        """    s: activation f32[64,1] minimum=0 maximum=1 mean=0.5 std=0.5
    v: parameter f32[1,1]
    s = sigmoid a @ "train.py":8
    o = linear s v @ "train.py":8
    loss = mse_loss o y""",
    )
    .replace("    labels values", '    parameter w gradient="zero" gradient_norm=0.0\n    parameter v gradient="finite"\n    labels values')
)

GATED = SATURATED.replace("a = linear x w", "a = rnn x w").replace("    s = sigmoid a", "    s = relu a")
"""The sigmoids of a recurrent layer are inside of one op."""

CHANCE = (
    STUCK.replace("start=9.0 first=9.0 last=8.9 noise=0.1", "start=56.8 first=3110.0 last=1.386 noise=295.0")
    .replace("y: label f32[64,1]", "y: label i64[64]")
    .replace("w: parameter f32[1,8]", "w: parameter f32[4,8]\n    a: activation f32[64,4]")
    .replace("mse_loss", "cross_entropy")
)

UNEVEN = (
    STUCK.replace("start=9.0 first=9.0 last=8.9 noise=0.1", "start=827.0 first=2e17 last=0.61 noise=1e16")
    .replace("[64,", "[256,")
    .replace("y: label f32[256,1]", "y: label f32[256,1] minimum=0 maximum=1 mean=0.28 std=0.45 whole=1.0")
    .replace("mse_loss", "bce_with_logits")
)

UNADAPTED = (
    STUCK.replace("start=9.0 first=9.0 last=8.9 noise=0.1", "start=9e7 first=6e7 last=2e5 noise=1e6")
    .replace("y: label f32[64,1]", "y: label f32[64,1] minimum=-3 maximum=3 mean=0.1 std=1.2")
    .replace(
        "    a = linear x w",
        """    m: buffer f32[8] minimum=0 maximum=0 mean=0 std=0
    v: buffer f32[8] minimum=1 maximum=1 mean=1 std=0
    n: activation f32[64,8] minimum=1000 maximum=9000 mean=5000 std=2000 called="normalization"
    c = sub x m module="normalization" @ "model.py":3 ^ "model.py":3
    n = div c v module="normalization" @ "model.py":3 ^ "model.py":3
    a = linear n w""",
    )
)

FIRES = {
    "the loss falls from far above, and ends far above the spread of its targets": (UNADAPTED, 3, "warning"),
    "the loss falls from far above to what the labels' shares alone give": (UNEVEN, 7, "warning"),
    "the loss falls from far above to what an even guess costs": (CHANCE, 7, "warning"),
    "the loss falls, by the last layer alone": (SATURATED, 7, "warning"),
    "the loss falls, by what comes behind a recurrent layer": (GATED, 7, "warning"),
    "the loss stands still": (STUCK, 7, "warning"),
    "a layer that is written out": (
        STUCK.replace("linear x w", "matmul x w").replace("w: parameter f32[1,8]", "w: parameter f32[8,1]"),
        7,
        "warning",
    ),
    "a layer whose weight is transposed first, as on Keras' torch backend": (
        STUCK.replace("    a = linear x w", "    v = transpose w\n    a = linear x v"),
        7,
        "warning",
    ),
    "the loss runs away": (RUNS, 7, "error"),
    "the loss is no number after three steps": (STUCK.replace("noise=0.1", "noise=0.1 non_finite=3"), 7, "error"),
    "tiny inputs": (
        STUCK.replace("minimum=1000 maximum=9000 mean=5000 std=2000", "minimum=0 maximum=1e-5 mean=1e-6 std=1e-6"),
        7,
        "warning",
    ),
    "pixels that were divided by 255 twice": (
        STUCK.replace("minimum=1000 maximum=9000 mean=5000 std=2000", "minimum=0 maximum=0.0038 mean=0.0015 std=0.001"),
        7,
        "warning",
    ),
    "inputs of 1e9 swallow their labels": (
        STUCK.replace("label_sensitivity=0.3", "label_sensitivity=0.0").replace("mean=5000 std=2000", "mean=1e9 std=2000"),
        7,
        "warning",
    ),
    "asked for while the run is young": (STUCK.replace("steps=100", "steps=1"), 7, "warning"),
}

SILENT = {
    "the loss falls below the spread of its targets": UNADAPTED.replace("last=2e5", "last=1.3"),
    "targets that are the same everywhere are a condition": UNADAPTED.replace(
        "minimum=-3 maximum=3 mean=0.1 std=1.2", "minimum=0 maximum=0 mean=0 std=0"
    ),
    "few targets were seen, and their spread is uncertain": UNADAPTED.replace("last=2e5", "last=1.7").replace("[64,", "[8,"),
    "the loss falls below what the labels' shares alone give": UNEVEN.replace("last=0.61", "last=0.5"),
    "few labels were seen, and their shares are uncertain": UNEVEN.replace("[256,", "[12,"),
    "the loss falls below an even guess": CHANCE.replace("last=1.386", "last=0.9"),
    "the loss falls, and the sigmoid has a slope": SATURATED.replace("mean=0.5 std=0.5", "mean=0.5 std=0.2"),
    "the loss falls, and the gates are not all shut": GATED.replace('w gradient="zero"', 'w gradient="finite"'),
    "the loss falls behind a recurrent layer of ordinary inputs": GATED.replace("mean=5000 std=2000", "mean=0.1 std=1.0"),
    "the loss falls, and a little gradient passes": SATURATED.replace('w gradient="zero"', 'w gradient="finite"'),
    "the loss falls": STUCK.replace("last=8.9", "last=2.0"),
    "pixels that were divided by 255 twice, and learnt from": STUCK.replace("last=8.9", "last=2.0").replace(
        "minimum=1000 maximum=9000 mean=5000 std=2000", "minimum=0 maximum=0.0038 mean=0.0015 std=0.001"
    ),
    "small inputs such as standard deviations of a per cent": STUCK.replace("mean=5000 std=2000", "mean=0.0 std=0.01"),
    "ordinary inputs": STUCK.replace("mean=5000 std=2000", "mean=0.1 std=1.0"),
    "figures that are no numbers": STUCK.replace("mean=5000 std=2000", 'mean="nan" std="nan"'),
    "infinite figures": STUCK.replace("mean=5000 std=2000", 'mean="inf" std="inf"'),
    "no figures": STUCK.replace("minimum=1000 maximum=9000 mean=5000 std=2000", ""),
    "normalised first": STUCK.replace("a = linear x w", "n = batch_norm x w\n    a = linear n w"),
    "a short run": STUCK.replace("steps=100", "steps=10"),
    "large, and no labels in the loss": STUCK.replace("label_sensitivity=0.3", "label_sensitivity=0.0")
    .replace("mean=5000 std=2000", "mean=1e9 std=2000")
    .replace('mse_loss a y with={"target":1}', "mean a"),
    "no labels to fit": STUCK.replace("label_sensitivity=0.3", "label_sensitivity=0.0"),
}

OTHERS = {
    "the target is a model's own output": STUCK.replace("mse_loss a y", "mse_loss a a"),
    "a course without a loss": STUCK.replace("start=9.0 first=9.0 last=8.9", ""),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG505"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


def test_a_loss_that_fell_from_far_above_is_not_said_to_stand_still() -> None:
    (diagnosis,) = said(diagnose, UNEVEN)

    assert diagnosis.message.endswith("the loss ends no lower than a constant guess")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("y = x * 0.8 + noise", 5),
        ("y = torch.randn(64, 1)", 3),
        ("    y = x * 0.8", 3),
        ("assert x == y", 3),
    ],
    ids=["made of the inputs", "made of something else", "in another block", "no assignment"],
)
def test_labels_that_are_made_of_the_inputs_see_them_as_they_were(line: str, at: int):
    record = STUCK.replace(
        "    a = linear", f'    x = random @ "train.py":3 text="x = load()"\n    y = random @ "train.py":5 text="{line}"\n    a = linear'
    )
    (diagnosis,) = said(diagnose, record)
    assert diagnosis.remedy is not None

    assert [edit.site.line for edit in diagnosis.remedy.edits] == [at]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x_train, x_test, y_train, y_test = split(x, y)", ["x_test = (x_test - x_train.mean", "x_train = (x_train - x_train.mean"]),
        ("(x_train, y_train), (x_val, y_val) = split(x, y)", ["x_val = (x_val - x_train.mean", "x_train = (x_train - x_train.mean"]),
        ("x_train, y_train = load()", ["x_train = (x_train - x_train.mean"]),
        ("x_train = load()", ["{name} = ({name} - {name}.mean"]),
    ],
)
def test_what_a_line_unpacks_is_standardised_by_its_name_and_what_is_held_out_by_the_same_figures(line: str, told: list[str]) -> None:
    record = STUCK.replace("x: input f32[64,8]", 'x: input f32[64,8] called="x_train"')
    record = record.replace("    a = linear", f'    x = random @ "train.py":3 text="{line}"\n    a = linear')
    (diagnosis,) = said(diagnose, record)

    assert diagnosis.remedy is not None
    assert [edit.text[: len(text)] for edit, text in zip(diagnosis.remedy.edits, told, strict=True)] == told


@pytest.mark.parametrize(
    ("line", "marked", "front"),
    [
        ("loss = step(tf.constant(x), tf.constant(y))", "tf.constant(x)", True),
        ("loss = train.step(net, torch.as_tensor(x), y)", "torch.as_tensor(x)", True),
        ("x = Variable(torch.tensor(x))", "torch.tensor(x)", False),
        ("x = tf.constant(x)", "tf.constant(x)", False),
    ],
    ids=["handed to a step", "the second argument", "wrapped", "converted"],
)
def test_the_result_of_a_step_is_not_taken_for_the_data_that_it_is_handed(line: str, marked: str, *, front: bool) -> None:
    column = line.index(marked) + 1
    record = STUCK.replace("x: input f32[64,8]", 'x: input f32[64,8] called="x"')
    record = record.replace(
        "    a = linear", f'    x = random @ "train.py":3:{column}-{column + len(marked)} text="{line}"\n    a = linear'
    )
    (diagnosis,) = said(diagnose, record)

    assert diagnosis.remedy is not None
    assert [(edit.written, edit.after) for edit in diagnosis.remedy.edits] == [("x", False) if front else ("", True)]


def test_a_normalisation_that_was_never_adapted_is_told_so() -> None:
    (diagnosis,) = said(diagnose, UNADAPTED)
    (adapted,) = said(diagnose, UNADAPTED.replace("minimum=0 maximum=0 mean=0 std=0", "minimum=1 maximum=2 mean=1.5 std=0.5"))

    assert "`adapt`" in diagnosis.help
    assert "`x`" in diagnosis.message
    assert diagnosis.remedy is None
    assert "adapt" not in adapted.help.split(",")[0]


@pytest.mark.parametrize(
    ("made", "fit", "adapt"),
    [
        ("norm = layers.Normalization()", "history = model.fit(x, y, epochs=3)", ["norm.adapt(x)"]),
        ("        layers.Normalization(),", "model.fit(x=x, y=y)", ['model.get_layer("normalization").adapt(x)']),
        ("norm = layers.Normalization()", "model.fit(batches, epochs=3)", []),
    ],
    ids=["by its name", "by the model", "of a data set the array is not known"],
)
def test_a_layer_that_was_never_adapted_is_told_the_inputs_before_training(made: str, fit: str, adapt: list[str]) -> None:
    text = UNADAPTED.replace('^ "model.py":3', f'^ "train.py":4 text="{made}"')
    text = text.replace('! batch x y @ "train.py":7', f'! batch x y @ "train.py":7 text="{fit}"')
    (diagnosis,) = said(diagnose, text)

    assert [edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == adapt


def test_what_needed_no_scaling_in_the_step_is_told_so() -> None:
    scaled = STUCK.replace(
        "x: input f32[64,8] minimum=1000 maximum=9000 mean=5000 std=2000",
        """r: input f32[64,8] minimum=0 maximum=0.9 mean=0.4 std=0.2
    c: constant f32[] minimum=0.004 maximum=0.004 mean=0.004 std=0
    x: activation f32[64,8] minimum=0 maximum=0.0035 mean=0.0016 std=0.0008""",
    ).replace("    a = linear", '    x = mul r c @ "train.py":6\n    a = linear')
    (diagnosis,) = said(diagnose, scaled)
    (raw,) = said(diagnose, scaled.replace("maximum=0.9 mean=0.4 std=0.2", "maximum=0.03 mean=0.01 std=0.01"))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 6
    assert diagnosis.help == "leave this scaling out: `r`, which it is given, reaches from 0 to 0.9 already"
    assert "standardise" in raw.help


def test_pairs_of_a_data_set_are_mapped_and_never_assigned_to() -> None:
    handed = STUCK.replace("x: input f32[64,8]", 'x: input f32[64,8] called="train[0]"')
    fitted = handed.replace('! batch x y @ "train.py":7', '! batch x y @ "train.py":7 text="model.fit(train, epochs=2)"')
    spelled = handed.replace('! batch x y @ "train.py":7', '! batch x y @ "train.py":7 text="model.fit(train[0], train[1])"')

    assert "train.map(lambda x, y:" in said(diagnose, fitted)[0].help
    assert "train[0] = (train[0] - mean) / std" in said(diagnose, spelled)[0].help
