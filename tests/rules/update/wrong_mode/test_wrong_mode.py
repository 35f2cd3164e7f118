"""WG413 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.update.wrong_mode import diagnose

STILL = """
    x: input f32[8,4]
    m: buffer f32[4]
    s: buffer f32[4]
    b.w: parameter f32[4]
    b.b: parameter f32[4]
    l.w: parameter f32[2,4]
    h = batch_norm x m s b.w b.b module="b" with={"training":false} @ "train.py":22
    out = linear h l.w
    loss = mean out
    ! eval net @ "train.py":16 with={"class":"Sequential"}
    ! backward loss @ "train.py":25
    ! optimizer_step opt
    parameter b.w optimizer="opt" reached=true gradient="finite" gradient_at_update="finite"
    parameter b.b optimizer="opt" reached=true gradient="finite" gradient_at_update="finite"
    parameter l.w optimizer="opt" reached=true gradient="finite" gradient_at_update="finite"
"""

SWITCHED = """
    step 0 modes={"net.drop":true}
      x: input f32[8,4]
      w: parameter f32[2,4]
      out = linear x w
      loss = mean out
      ! train net @ "train.py":14 with={"class":"Net"}
      ! backward loss @ "train.py":25
    step 9 modes={"net.drop":false}
      y: input f32[8,4]
      w: parameter f32[2,4]
      ! eval net @ "train.py":30 with={"class":"Net"}
      next = linear y w
      end = mean next
      ! backward end @ "train.py":25
"""

ALWAYS = """
    evaluated @ "train.py":40
    origin values=["h"] setting="mode" @ "train.py":14
    x: input f32[8,4]
    w: parameter f32[2,4]
    h = dropout x with={"p":0.4,"training":true} @ "train.py":14
    out = linear h w
    loss = mean out
    ! backward loss @ "train.py":25
    ! optimizer_step opt
"""

AS_MADE = STILL.replace('    ! eval net @ "train.py":16 with={"class":"Sequential"}\n', "").replace(
    "    m: buffer f32[4]\n    s: buffer f32[4]",
    "    m: buffer f32[4] minimum=0.0 maximum=0.0\n    s: buffer f32[4] minimum=1.0 maximum=1.0",
)
IN_A_FORWARD = AS_MADE.replace(
    '"train.py":22', '"block.py":7 in "Block.call" callers=[["net.py",12,"Net.call"],["train.py",23,"step"],["train.py",30,""]]'
)
IN_THE_STEP = AS_MADE.replace('"train.py":22', '"train.py":22 in "step" callers=[["train.py",30,""]]')
IN_A_HELPER = AS_MADE.replace(
    '"train.py":22',
    '"train.py":9:12-40 in "forward" text="    return net(x, training=False)" callers=[["train.py",22,"step"],["train.py",30,""]]',
)

FIRES = {
    "a helper of the program's own asks for it": (IN_A_HELPER, 9),
    "never told, in a layer of a layer": (IN_A_FORWARD, 23),
    "never told, where the model is called": (IN_THE_STEP, 22),
    "dropout that is not told the mode": (ALWAYS, 14),
    "dropout by default": (ALWAYS.replace('"p":0.4,', ""), 14),
    "switched before training": (STILL, 16),
    "switched by the validation": (SWITCHED, 30),
    "switched where nothing was recorded": (SWITCHED.replace('      ! eval net @ "train.py":30 with={"class":"Net"}\n', ""), 25),
}

SILENT = {
    "dropout that is told": ALWAYS.replace('setting="mode"', ""),
    "dropout that is off": ALWAYS.replace('"training":true', '"training":false'),
    "dropout of nothing": ALWAYS.replace("0.4", "0.0"),
    "no evaluation": ALWAYS.replace('evaluated @ "train.py":40', ""),
    "dropout beside the loss": ALWAYS.replace("linear h w", "linear x w"),
    "training mode": STILL.replace('"training":false', '"training":true'),
    "switched back": STILL.replace("    ! backward", '    ! train net @ "train.py":20 with={"class":"Sequential"}\n    ! backward'),
    "only the normalisation is switched": STILL.replace('"class":"Sequential"', '"class":"BatchNorm1d"'),
    "nobody switched": STILL.replace('    ! eval net @ "train.py":16 with={"class":"Sequential"}\n', ""),
    "pretrained weights": STILL.replace("parameter b.w ", "parameter b.w loaded=true "),
    "a library's model": STILL.replace("parameter b.w ", "parameter b.w library=true "),
    "frozen normalisation": STILL.replace("parameter b.w ", "parameter b.w trainable=false "),
    "the other way round": SWITCHED.replace('"net.drop":true', '"net.drop":null').replace("null", "false"),
    "a frozen part": SWITCHED.replace('"net.drop"', '"w"').replace(
        "      ! backward end", "      parameter w.a trainable=false value=w\n      ! backward end"
    ),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_training_in_evaluation_mode(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == "warning"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_a_dropout_in_a_module_is_handed_the_mode() -> None:
    (diagnosis,) = said(diagnose, ALWAYS.replace('@ "train.py":14\n    out', '@ "train.py":14 in "Net.forward"\n    out'))

    assert diagnosis.remedy is not None
    assert [(edit.keyword, edit.text) for edit in diagnosis.remedy.edits] == [("training", "self.training")]
    assert diagnosis.remedy.beside


def test_a_dropout_outside_a_module_knows_no_mode() -> None:
    (diagnosis,) = said(diagnose, ALWAYS)

    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    ("line", "action"), [("    net.eval()", "callee"), ("    return net.eval()", "unwrap"), ("net = Net().eval()", "unwrap")]
)
def test_a_switch_is_turned_or_left_out_where_it_is_part_of_an_expression(line: str, action: str) -> None:
    (diagnosis,) = said(diagnose, STILL.replace('! eval net @ "train.py":16', f'! eval net @ "train.py":16 text="{line}"'))

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == [action]


INSIDE = STILL.replace('! eval net @ "train.py":16', '! eval net @ "train.py":16 in "evaluate" text="    net.eval()"').replace(
    '! backward loss @ "train.py":25', '! backward loss @ "train.py":25 in "fit"'
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('    evaluated @ "train.py":16 in "evaluate"\n    step 0\n' + INSIDE, ("insert", "net.train()", 25)),
        ('    evaluated @ "train.py":40 in "score"\n    step 0\n' + INSIDE, ("callee", "net.train", 16)),
        ("    step 0\n" + INSIDE, ("callee", "net.train", 16)),
    ],
    ids=["an evaluation", "what makes the model, which is evaluated elsewhere", "what makes the model"],
)
def test_a_switch_of_an_evaluation_stays_and_the_steps_switch_back(text: str, told: tuple[str, str, int]) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert edit.site is not None
    assert (edit.action, edit.text, edit.site.line) == told


OVERFLOWS = (
    STILL.replace("    loss = mean out", "    e = exp out\n    loss = mean e")
    .replace(
        "    h = batch_norm",
        "    h: activation f32[8,4] mean={size} std=0.0\n    e: activation f32[8,2] finite=0.5\n    loss: loss f32[] finite=0.0\n    h = batch_norm",
    )
    .replace("    x: input f32[8,4]", "    x: input f32[8,4] mean=1.0 std=1.0")
)


@pytest.mark.parametrize(
    ("size", "explains"), {"far from size 1": (5000.0, True), "of size 1": (1.0, False), "NaN": ("nan", False)}.values()
)
def test_what_passes_such_a_layer_far_from_size_1_explains_an_overflow_behind_it(size: object, explains: bool) -> None:
    (told,) = said(diagnose, OVERFLOWS.replace("{size}", str(size)))

    assert (Fact("non-finite", "e") in told.explains) is explains
    assert (Fact("stands", "0") in told.explains) is explains


def test_what_decides_for_evaluation_mode_is_named() -> None:
    (diagnosis,) = said(diagnose, AS_MADE + '    origin values=["h"] setting="mode asked" @ "train.py":9 text="on = mode == 1"\n')

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.remedy) == (9, None)


@pytest.mark.parametrize(("size", "explains"), [(900.0, True), (2.0, False)])
def test_statistics_as_they_were_made_explain_an_input_of_another_size(size: float, explains: bool) -> None:
    text = AS_MADE.replace("    l.w: parameter", f"    h: activation f32[8,4] mean=0.0 std={size}\n    l.w: parameter")
    (diagnosis,) = said(diagnose, text)

    assert (Fact("odd-scale", "x") in diagnosis.explains) is explains
