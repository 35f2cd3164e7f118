"""WG103 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.constant_labels import ENOUGH, diagnose

SAME = """
    x: input f32[100,5]
    y: label i64[100] minimum=1 maximum=1 distinct=1
    w: parameter f32[2,5]
    out = linear x w @ "train.py":53
    loss = cross_entropy out y with={"target":1,"ignore_index":-100} @ "train.py":54
    ! batch x y @ "train.py":52
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="target"
"""

LOADER = """
    batches path="[1]" seen=10 minimum=1 maximum=1 constant_batches=10 distinct=10 values=["y"]
""" + SAME.replace("[100", "[40")

FIRST = "    step 0 updated=true" + SAME + '    parameter w reached=true gradient="finite"\n'
OTHER = FIRST.replace("step 0", "step 1 kind=1")

FIRES = {
    "a hundred labels of a whole data set": (SAME, 52, "suspected"),
    "ten batches of forty from a loader": (LOADER, 52, "proved"),
    "rows of a constant column": (
        """
        x: input f32[400,5]
        all: label i64[400] minimum=1 maximum=1
        rows: input i64[32]
        y: label i64[32] minimum=1 maximum=1
        w: parameter f32[2,5]
        out = linear x w
        y = index all rows @ "a.py":9
        loss = cross_entropy out y with={"target":1} @ "a.py":10
        labels values=["y"] how="target"
        """,
        9,
        "suspected",
    ),
    "masks, counted by images": (
        SAME.replace("i64[100]", "f32[100,1,8,8]")
        .replace("minimum=1 maximum=1", "minimum=0 maximum=0")
        .replace("cross_entropy", "bce_with_logits"),
        52,
        "suspected",
    ),
    "labels made in the step by a comparison": (
        SAME.replace("y: label", "t: input f32[100] minimum=8 maximum=90\n    y: label")
        .replace("out =", 'y = compare t @ "train.py":25\n    out =')
        .replace("! batch x y", "! batch x t"),
        25,
        "suspected",
    ),
    "a constant regression target": (
        SAME.replace("i64[100]", "f32[100,1]").replace("cross_entropy", "mse_loss"),
        52,
        "suspected",
    ),
}

SILENT = {
    "filled with one number that the step was given": SAME.replace("    y: label", "    c: input f32[]\n    y: label").replace(
        "    out =", "    y = expand c\n    out ="
    ),
    "two classes": SAME.replace("minimum=1", "minimum=0"),
    "few labels": SAME.replace("[100", "[64"),
    "one batch of many, and the run's others vary": LOADER.replace(
        "minimum=1 maximum=1 constant_batches=10", "minimum=0 maximum=1 constant_batches=9"
    ).replace("[40", "[100"),
    "rows of a column that varies": """
        x: input f32[400,5]
        all: label i64[400] minimum=0 maximum=1
        y: label i64[100] minimum=1 maximum=1
        w: parameter f32[2,5]
        out = linear x w
        y = index all
        loss = cross_entropy out y with={"target":1}
        labels values=["y"] how="target"
    """,
    "a GAN's ones": SAME.replace("out =", "y = create\n    out =").replace("cross_entropy", "bce_with_logits"),
    "zeros for what was made beside ones for what is real, made in another step": SAME.replace(
        "loss = cross_entropy out y",
        't: input i64[100] minimum=0 maximum=0\n    a = cross_entropy out t with={"target":1}\n    b = cross_entropy out y',
    ).replace('@ "train.py":54', '@ "train.py":54\n    loss = add a b'),
    "a batch of rows of a table whose other rows nobody has looked at": """
        x: input f32[32,9]
        all: input f32[2000]
        rows: input i64[32]
        y: label f32[32] minimum=0 maximum=0 distinct=1
        w: parameter f32[1,9]
        out: activation f32[32]
        out = linear x w
        y = index all rows @ "a.py":9
        loss = bce_with_logits out y with={"target":1} @ "a.py":10
        labels values=["y"] how="target"
        """,
    "a residual driven to zero": SAME.replace("i64[100]", "f32[100,1]")
    .replace("minimum=1 maximum=1", "minimum=0 maximum=0")
    .replace("cross_entropy", "mse_loss"),
    "one constant target beside another that varies": SAME.replace(
        "loss = cross_entropy out y",
        't: label i64[100] minimum=0 maximum=4\n    a = cross_entropy out t with={"target":1}\n    b = cross_entropy out y',
    )
    .replace("! batch", "! batch t")
    .replace('@ "train.py":54', '@ "train.py":54\n    loss = add a b')
    .replace('values=["y"]', 'values=["y","t"]'),
}

OTHERS = {
    "every label is ignored (WG105)": SAME.replace("minimum=1 maximum=1", "minimum=-100 maximum=-100"),
    "nothing is known of the labels": SAME.replace("minimum=1 maximum=1 distinct=1", ""),
    "labels that are not numbers (WG501)": SAME.replace("minimum=1 maximum=1 distinct=1", "finite=0.0"),
    "a NaN for a label": SAME.replace("minimum=1 maximum=1", 'minimum="nan" maximum="nan"'),
    "sampled figures": SAME.replace("distinct=1", "sampled=true"),
    "labels that nothing reads (WG101)": SAME.replace("loss = cross_entropy out y", "loss = mean out").replace(
        'with={"target":1,"ignore_index":-100} ', ""
    ),
    "a batch's mask of ones beside the loss's own target": SAME.replace("loss = cross_entropy out y", "e = cross_entropy out x").replace(
        '@ "train.py":54', '@ "train.py":54\n    m = mul e y\n    loss = mean m'
    ),
}


@pytest.mark.parametrize(("text", "line", "confidence"), FIRES.values(), ids=FIRES)
def test_labels_that_are_all_the_same(text: str, line: int, confidence: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.confidence == confidence
    assert diagnosis.severity == "warning"
    assert "labels seen, no two of them different" in diagnosis.message


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


ZEROS = OTHER.replace("minimum=1 maximum=1", "minimum=0 maximum=0")


def test_one_model_that_is_told_of_both_by_turns_has_labels_that_differ() -> None:
    assert not said(diagnose, FIRST + ZEROS)


def test_a_critic_that_is_told_of_both_by_itself_makes_the_labels_of_the_whole_pair_differ() -> None:
    pair = FIRST.replace("    w: parameter", "    g: parameter f32[5,5]\n    w: parameter").replace(
        "    parameter w", '    parameter g reached=true gradient="finite"\n    parameter w'
    )

    # the critic alone is told of one sort here, which is a fault of its own
    assert [found.step for found in said(diagnose, pair + ZEROS)] == [1]
    assert [found.step for found in said(diagnose, pair + OTHER)] == [0, 1]


@pytest.mark.parametrize(
    "other", [OTHER, ZEROS.replace("w: parameter", "v: parameter").replace("x w", "x v").replace("parameter w", "parameter v")]
)
def test_the_same_labels_elsewhere_and_another_model_are_no_excuse(other: str) -> None:
    assert said(diagnose, FIRST + other)


def test_the_same_tensor_counts_once() -> None:
    assert not said(diagnose, SAME.replace("[100", "[60"), steps=2)


def test_the_threshold_keeps_a_data_set_with_a_large_majority_silent() -> None:
    assert ENOUGH == 90
    assert 0.95**ENOUGH < 0.01 < 0.95 ** (ENOUGH - 1)


def test_the_loader_counts_for_the_run() -> None:
    (diagnosis,) = said(diagnose, LOADER)

    assert diagnosis.message == "every label in `y` is 1: 400 labels seen, no two of them different"
    assert diagnosis.evidence[0].statement == "`y` (i64[40]) has minimum 1 and maximum 1 in all 10 batches of the run"
