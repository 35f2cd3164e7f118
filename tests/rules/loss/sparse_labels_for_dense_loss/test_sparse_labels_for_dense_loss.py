"""WG201 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.sparse_labels_for_dense_loss import diagnose

BINARY = """
    x: input f32[32,6]
    y: label i64[32] minimum=0 maximum=4 whole=1.0 distinct=5
    t: activation f32[32] minimum=0 maximum=4 whole=1.0 distinct=5
    w: parameter f32[5,6]
    out: activation f32[32,5]
    out = linear x w @ "a.py":3
    t = cast y @ "a.py":4
    = bce_with_logits out t failed=true with={"target":1} @ "a.py":5
    ! exception with={"type":"ValueError","message":"Target size must be the same as input size"}
    labels values=["y"] how="target"
"""

DICE = """
    x: input f32[8,1,20,20]
    y: label i64[8,20,20] minimum=0 maximum=3 whole=1.0 distinct=4
    u: activation i64[8,1,20,20]
    t: activation f32[8,1,20,20] minimum=0 maximum=3 whole=1.0 distinct=4
    w: parameter f32[4,1,3,3]
    s: activation f32[8,4,20,20]
    p: activation f32[8,4,20,20]
    q: activation f32[8,4,20,20]
    s = conv x w
    p = softmax s with={"axis":1}
    u = reshape y @ "dice.py":13
    t = cast u @ "dice.py":13
    q = mul p t @ "dice.py":14
    loss = mean q
    labels values=["y"] how="batch"
"""

WRITTEN = """
    x: input f32[20,13]
    y: label i64[20,1] minimum=0 maximum=2 whole=1.0 distinct=3
    t: activation f32[20,1] minimum=0 maximum=2 whole=1.0 distinct=3
    w: parameter f32[13,3]
    s: activation f32[20,3]
    p: activation f32[20,3]
    c: activation f32[20,3]
    l: activation f32[20,3]
    q: activation f32[20,3]
    s = linear x w
    p = softmax s with={"axis":-1}
    c = clamp p
    l = log c
    t = cast y @ "loss.py":18
    q = mul t l @ "loss.py":19
    loss = mean q
    labels values=["y"] how="framework"
"""

NEGATED = WRITTEN.replace(
    "    q = mul t l", "    m: activation f32[20,1] minimum=-2 maximum=0 whole=1.0 distinct=3\n    m = neg t\n    q = mul m l"
)
REFUSED = (
    NEGATED.replace("[20,1]", "[20]")
    .replace("    q: activation f32[20,3]\n", "")
    .replace('q = mul m l @ "loss.py":19\n    loss = mean q', '= mul m l failed=true @ "loss.py":19')
)

FIRES = {
    "the same, the sign of the ids changed first": (NEGATED, 19),
    "the same, of probabilities brought to a sum of 1 once more": (NEGATED.replace("c = clamp p", "c = div p t"), 19),
    "the same, refused since the ids have no axis for the classes": (REFUSED, 19),
    "a cross-entropy that is written out": (WRITTEN, 19),
    "a binary cross-entropy on ids": (BINARY, 5),
    "a binary cross-entropy on ids that were never cast": (BINARY.replace("out t failed", "out y failed"), 5),
    "a divergence on ids": (BINARY.replace("bce_with_logits", "kl_div"), 5),
    "a squared error that raised": (BINARY.replace("bce_with_logits", "mse_loss"), 5),
    "pixels, class by class": (
        BINARY.replace("[32,5]", "[32,5,8,8]").replace("i64[32]", "i64[32,8,8]").replace("f32[32] ", "f32[32,8,8] "),
        5,
    ),
    "an overlap written by hand": (DICE, 14),
    "a difference written by hand": (DICE.replace("mul p t", "sub p t"), 14),
    "an overlap, the ids first": (DICE.replace("mul p t", "mul t p"), 14),
}

SILENT = {
    "refused, and the labels are shares": REFUSED.replace("whole=1.0 distinct=3\n    t", "whole=0.1 distinct=20\n    t").replace(
        "f32[20] minimum=0 maximum=2 whole=1.0", "f32[20] minimum=0 maximum=2 whole=0.1"
    ),
    "refused, and the other side is no softmax": REFUSED.replace('softmax s with={"axis":-1}', "relu s"),
    "refused, and the labels are yes or no": REFUSED.replace("maximum=2", "maximum=1").replace("minimum=-2", "minimum=-1"),
    "one-hot rows in a cross-entropy that is written out": WRITTEN.replace("[20,1]", "[20,3]").replace("maximum=2", "maximum=1"),
    "one-hot rows of too few columns (WG220)": BINARY.replace(
        "f32[32] minimum=0 maximum=4 whole=1.0 distinct=5", "f32[32,3] minimum=0 maximum=1 whole=1.0 distinct=2"
    ),
    "one-hot rows": BINARY.replace("f32[32] ", "f32[32,5] ").replace("failed=true ", ""),
    "a yes-or-no question": BINARY.replace("[32,5]", "[32]").replace("failed=true ", ""),
    "shares, not whole numbers": BINARY.replace("whole=1.0 distinct=5\n    w", "whole=0.1 distinct=30\n    w"),
    "ids for a loss on ids": BINARY.replace("bce_with_logits", "cross_entropy").replace("failed=true ", ""),
    "no figures": BINARY.replace("f32[32] minimum=0 maximum=4 whole=1.0 distinct=5", "f32[32]"),
    "a mask of zeros and ones": DICE.replace("maximum=3 whole=1.0 distinct=4\n    w", "maximum=1 whole=1.0 distinct=2\n    w"),
    "weights of the pixels": DICE.replace("maximum=3 whole=1.0 distinct=4\n    w", "maximum=3 whole=0.2 distinct=90\n    w"),
    "NaN": DICE.replace("f32[8,1,20,20] minimum=0 maximum=3 whole=1.0 distinct=4", 'f32[8,1,20,20] finite=0.5 minimum=0 maximum="nan"'),
    "one-hot planes": DICE.replace("t: activation f32[8,1,20,20]", "t: activation f32[8,4,20,20]"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_ids_where_columns_are_due(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


ASSIGNED = DICE.replace("distinct=4\n    w", 'distinct=4 called="truth"\n    w').replace(
    't = cast u @ "dice.py":13', 't = cast u @ "dice.py":13 text="        truth = mask.unsqueeze(1).float()"'
)


def test_ids_that_get_a_name_in_the_loss_become_planes_there() -> None:
    (diagnosis,) = said(diagnose, ASSIGNED)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    planes = "torch.nn.functional.one_hot({x}.squeeze(1).long(), 4).float().movedim(-1, 1).contiguous()"
    assert (edit.action, edit.around, edit.text) == ("wrap", "value", planes)


def test_ids_without_a_name_of_their_own_are_left_to_a_person() -> None:
    assert said(diagnose, DICE)[0].remedy is None
    assert said(diagnose, ASSIGNED.replace("truth = mask", "other = mask"))[0].remedy is None


ALONE = (
    WRITTEN.replace("y: label i64[20,1]", "y: label f32[20,1]")
    .replace("distinct=3\n    t:", 'distinct=3 called="y_true"\n    t:')
    .replace('    t = cast y @ "loss.py":18\n', "")
    .replace("mul t l", "mul y l")
)


def test_ids_that_only_the_product_reads_become_rows_in_it() -> None:
    (diagnosis,) = said(diagnose, ALONE)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.action, edit.written) == ("wrap", "y_true")
    assert edit.text == "torch.nn.functional.one_hot({x}.squeeze(1).long(), 3).float()"
    assert said(diagnose, ALONE.replace("    loss = mean q", "    n = sum y\n    r = div q n\n    loss = mean r"))[0].remedy is None


def test_the_sign_in_front_of_the_ids_is_no_other_reader() -> None:
    signed = ALONE.replace("mul y l", "mul m l").replace("    q =", '    m = neg y @ "loss.py":19\n    q =', 1)
    (diagnosis,) = said(diagnose, signed)

    assert signed.count("neg y") == 1
    assert diagnosis.remedy is not None
    assert [(edit.written, edit.position) for edit in diagnosis.remedy.edits] == [("y_true", 0)]
