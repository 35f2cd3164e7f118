"""WG209 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Site
from whygrad.rules.loss.batch_size_mismatch import diagnose
from whygrad.rules.remedies_of_settings import fed

FLATTENED = """
    x: input f32[32,1,20,20]
    y: label i64[32]
    c: parameter f32[16,1,3,3]
    w: parameter f32[10,400]
    h: activation f32[32,16,10,10]
    f: activation f32[128,400]
    out: activation f32[128,10]
    h = conv x c @ "net.py":14
    f = reshape h @ "net.py":16
    out = linear f w @ "net.py":17
    = cross_entropy out y failed=true with={"target":1} @ "train.py":40
    ! batch x y
    ! exception with={"type":"ValueError","message":"Expected input batch_size (128) to match target batch_size (32)."}
    labels values=["y"] how="target"
"""

WEIGHTS = """
    answers: input f32[32,6]
    income: label f32[32]
    population: buffer f32[240]
    w: parameter f32[1,6]
    p: activation f32[32]
    losses: activation f32[32]
    p = linear answers w @ "train.py":31
    losses = mse_loss p income with={"target":1,"reduction":"none"} @ "train.py":31
    = mul losses population failed=true @ "train.py":32
    ! exception with={"type":"RuntimeError","message":"The size of tensor a (32) must match the size of tensor b (240)"}
    labels values=["income"] how="target"
"""

FIRES = {
    "the last state of a recurrent layer that takes time for batch": (
        """
        x: input f32[20,25,4]
        w: parameter f32[32,4]
        h: activation f32[20,25,32]
        n: activation f32[1,25,32]
        last: activation f32[25,32]
        v: parameter f32[5,32]
        out: activation f32[25,5]
        y: label i64[20]
        h, n = rnn x w @ "a.py":12 ^ "a.py":8
        last = index n @ "a.py":13
        out = linear last v @ "a.py":13
        = cross_entropy out y failed=true with={"target":1} @ "a.py":25
        labels values=["y"] how="target"
        """,
        8,
    ),
    "a view that takes rows from the features": (FLATTENED, 16),
    "a weight with as many rows as the batch has": (
        FLATTENED.replace("w: parameter f32[10,400]", "w: parameter f32[32,400]").replace(
            "out: activation f32[128,10]", "out: activation f32[128,32]"
        ),
        16,
    ),
    "weights of the whole table": (WEIGHTS, 32),
    "weights of the whole table, first": (WEIGHTS.replace("losses population failed", "population losses failed"), 32),
    "labels cut short": (
        """
        x: input f32[32,6]
        all: label i64[32]
        y: label i64[31]
        w: parameter f32[5,6]
        out: activation f32[32,5]
        out = linear x w @ "a.py":3
        y = index all @ "a.py":4
        = cross_entropy out y failed=true with={"target":1} @ "a.py":5
        labels values=["y"] how="target"
        """,
        4,
    ),
    "a recurrent layer that takes batch for time": (
        """
        x: input f32[32,50,6]
        y: label i64[32]
        r: parameter f32[8,6]
        w: parameter f32[5,8]
        seq: activation f32[32,50,8]
        last: activation f32[50,8]
        out: activation f32[50,5]
        seq = rnn x r @ "a.py":8
        last = index seq @ "a.py":12
        out = linear last w @ "a.py":13
        = cross_entropy out y failed=true with={"target":1} @ "a.py":20
        ! batch x y
        labels values=["y"] how="target"
        """,
        8,
    ),
    "nothing on the way changed the rows": (
        """
        x: input f32[64,6]
        y: label i64[60]
        w: parameter f32[5,6]
        out: activation f32[64,5]
        out = linear x w @ "a.py":3
        = cross_entropy out y failed=true with={"target":1} @ "a.py":5
        labels values=["y"] how="target"
        """,
        5,
    ),
    "a squared error that broadcasts all the same": (
        """
        x: input f32[32,8]
        y: label f32[32]
        w: parameter f32[1,2]
        f: activation f32[128,2]
        out: activation f32[128,1]
        f = reshape x @ "a.py":2
        out = linear f w @ "a.py":3
        loss = mse_loss out y with={"target":1} @ "a.py":5
        ! batch x y
        ! backward loss
        labels values=["y"] how="target"
        """,
        2,
    ),
}

SILENT = {
    "as many rows": FLATTENED.replace("128", "32").replace("failed=true ", ""),
    "one row for all": WEIGHTS.replace("f32[240]", "f32[1]"),
    "a number": WEIGHTS.replace("f32[240]", "f32[]"),
    "an ensemble on the first axis": """
        x: input f32[32,8]
        y: label f32[32,1]
        w: parameter f32[5,8]
        out: activation f32[5,32,1]
        out = linear x w
        loss = mse_loss out y with={"target":1}
        labels values=["y"]
    """,
    "tokens flattened on both sides": FLATTENED.replace("label i64[32]", "label i64[128]")
    .replace("failed=true ", "")
    .replace("= cross_entropy out", "loss = cross_entropy out"),
    "time before batch (CTC)": FLATTENED.replace("= cross_entropy out y failed=true", "loss = ctc_loss out y"),
    "one row against many, by broadcasting": """
        x: input f32[1,8]
        y: label f32[32,1]
        w: parameter f32[1,8]
        out: activation f32[1,1]
        out = linear x w
        loss = mse_loss out y with={"target":1}
        labels values=["y"]
    """,
}

OTHERS = {
    "a column against a vector (WG203)": WEIGHTS.replace("population: buffer f32[240]", "population: buffer f32[32,1]"),
    "features that don't fit (WG705)": """
        x: input f32[32,6]
        w: parameter f32[5,8]
        = linear x w failed=true @ "a.py":3
    """,
    "the classes differ (WG220)": FLATTENED.replace("f32[128,10]", "f32[32,10]").replace("y: label i64[32]", "y: label f32[32,7]"),
    "a single example": FLATTENED.replace("f32[128,10]", "f32[10]"),
    "shapes unknown": FLATTENED.replace("y: label i64[32]", "y: label"),
    "both sides from parameters": """
        x: input f32[32,6]
        w: parameter f32[5,6]
        v: parameter f32[5,6]
        a: activation f32[32]
        b: activation f32[16]
        a = linear x w
        b = linear x v
        = sub a b failed=true
    """,
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_rows_that_differ(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert "differ in number" in diagnosis.message


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_view_is_named_and_the_exception_explained() -> None:
    (diagnosis,) = said(diagnose, FLATTENED)

    assert diagnosis.message == "`out` and `y` differ in number: 128 rows against 32"
    assert diagnosis.label == "f32[32,16,10,10] becomes f32[128,400]"
    assert diagnosis.related[0].site.line == 40
    assert diagnosis.explains == {Fact("exception", "ValueError")}


SWAPPED = """
    x: input f32[258,4]
    y: input f32[86,4]
    = opaque x y native="keras.Model.fit" failed=true @ "train.py":33
    labels values=["y"] how="framework"
    origin values=["y"] setting="unpacked" @ "train.py":27
"""


def test_parts_of_one_call_under_the_wrong_names_are_told_at_that_call() -> None:
    (diagnosis,) = said(diagnose, SWAPPED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 27
    assert "rows like the inputs" in (diagnosis.help or "")


WINDOWS = SWAPPED.replace("f32[258,4]", "f32[388,12,1]").replace("f32[86,4]", "f32[400]").replace("    origin", "    # origin")


def test_windows_of_a_series_are_given_what_follows_each() -> None:
    (diagnosis,) = said(diagnose, WINDOWS)

    assert diagnosis.remedy is not None
    assert not diagnosis.remedy.safe
    assert [(edit.text, edit.keyword) for edit in diagnosis.remedy.edits] == [("{x}[12:]", "y")]
    assert "`y[12:]`" in diagnosis.help


@pytest.mark.parametrize("shapes", [("f32[388,12,1]", "f32[399]"), ("f32[388,1]", "f32[389]"), ("f32[388]", "f32[400]")])
def test_other_numbers_of_rows_are_no_windows(shapes: tuple[str, str]) -> None:
    (diagnosis,) = said(diagnose, WINDOWS.replace("f32[388,12,1]", shapes[0]).replace("f32[400]", shapes[1]))

    assert "windows" not in diagnosis.help


@pytest.mark.parametrize("y", ["i64[86]", "f32[86,1]"])
def test_labels_of_one_call_that_look_like_labels_are_told_where_they_are_given(y: str) -> None:
    (diagnosis,) = said(diagnose, SWAPPED.replace("f32[86,4]", y))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 33


@pytest.mark.parametrize(
    ("framework", "line", "text"),
    [
        ("", "loss = loss_fn(scores, y)", "{x}[:len(scores)]"),
        ("", "loss = loss_fn(forward(params, x), y)", "{x}[:388]"),
        ('framework tensorflow "2.21.0"', "loss = loss_fn(scores, y)", "{x}[:tensorflow.shape(scores)[0]]"),
    ],
    ids=["the shorter side has a name here", "it has that name in another function", "tensors of a graph have no length"],
)
def test_the_longer_side_is_cut_to_the_shorter_by_what_stands_on_the_line(framework: str, line: str, text: str) -> None:
    record = f"""
    {framework}
    x: input f32[388,12]
    y: label f32[389]
    w: parameter f32[1,12]
    p: activation f32[388] called="scores"
    p = linear x w @ "train.py":5
    = mse_loss p y failed=true with={{"target":1}} @ "train.py":9-9:8-40 text="{line}"
    ! exception with={{"type":"ValueError","message":"Incompatible shapes for broadcasting: (388,) and (389,)"}}
    labels values=["y"] how="target"
"""
    (diagnosis,) = said(diagnose, record)

    assert diagnosis.remedy is not None
    assert [edit.text for edit in diagnosis.remedy.edits] == [text]


def test_a_layer_that_nobody_knows_the_line_of_is_not_made_anew() -> None:
    (diagnosis,) = said(diagnose, FLATTENED)

    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("self.head = nn.Linear(400, 10)", [("replace", "1600"), ""]),
        ("self.head = nn.Linear(16 * 5 * 5, 10)", [("argument", "1600"), "in_features"]),
    ],
)
def test_the_next_layer_is_made_for_what_it_gets(text: str, edits: list[object]) -> None:
    made = fed(Site("net.py", 9, text=text), 1600, 400)

    assert made is not None
    assert [(made.edits[0].action, made.edits[0].text), made.edits[0].keyword] == edits
