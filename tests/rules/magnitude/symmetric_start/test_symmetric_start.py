"""WG511 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.magnitude.symmetric_start import diagnose

SAME = """
    step 0 updated=true
    x: input f32[64,4]
    w: parameter f32[8,4]
    v: parameter f32[2,8]
    a = linear x w
    b = linear a v
    loss = mean b
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="finite" symmetric=true @ "train.py":4
    parameter v reached=true gradient="finite"
"""
TWICE = SAME + SAME.replace("step 0", "step 1")

BY_HAND = SAME.replace(" updated=true", "").replace("    ! optimizer_step opt\n", "")

ADAPTER = """
    step 0 updated=true
    x: input f32[64,4]
    w: parameter f32[8,4]
    v: parameter f32[2,8]
    wt: activation f32[4,8]
    vt: activation f32[8,2]
    wt = transpose w
    a = matmul x wt
    vt = transpose v
    b = matmul a vt
    loss = mean b
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="zero" norm=0.0 symmetric=true @ "lora.py":4 in "Adapter.forward"
    parameter v reached=true gradient="zero" norm=0.0 symmetric=true
"""
"""Two factors that are written out, both of them zeros."""

TABLE = """
    step 0 updated=true
    ids: input i64[64,5]
    w: parameter f32[60,4]
    v: parameter f32[2,4]
    rows = embedding w ids
    a = linear rows v
    loss = mean a
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="zero" norm=0.0 symmetric=true @ "train.py":4
    parameter v reached=true gradient="zero" norm=0.0
"""
"""A table of zeros, read by a layer of zeros."""

FIRES = {
    "a table of zeros that nothing comes back to": (TABLE + TABLE.replace("step 0", "step 1"), 4, "warning"),
    "two factors of zeros, transposed": (ADAPTER + ADAPTER.replace("step 0", "step 1"), 4, "warning"),
    "before and after an update that nobody saw": (
        BY_HAND.replace('v reached=true gradient="finite"', 'v reached=true gradient="finite" norm=0.5')
        + BY_HAND.replace("step 0", "step 1").replace('v reached=true gradient="finite"', 'v reached=true gradient="finite" norm=0.7'),
        4,
        "warning",
    ),
    "before and after an update": (TWICE, 4, "warning"),
    "an initialiser that has a line of its own": (TWICE + '    origin values=["w"] setting="start" @ "train.py":2', 2, "warning"),
}

SILENT = {
    "a table of zeros whose reader is drawn": (TABLE + TABLE.replace("step 0", "step 1")).replace(
        '"zero" norm=0.0 symmetric', '"finite" norm=0.0 symmetric'
    ),
    "a table of ones that learns": (TABLE + TABLE.replace("step 0", "step 1")).replace(
        '"zero" norm=0.0 symmetric', '"finite" norm=15.0 symmetric'
    ),
    "an adapter whose first factor is drawn": (ADAPTER + ADAPTER.replace("step 0", "step 1")).replace(
        'norm=0.0 symmetric=true @ "lora.py"', 'norm=1.7 @ "lora.py"'
    ),
    "a single step": SAME,
    "two steps without an update between them": BY_HAND + BY_HAND.replace("step 0", "step 1"),
    "apart after the first update": SAME + SAME.replace("step 0", "step 1").replace("symmetric=true", ""),
    "a last layer": TWICE.replace("symmetric=true", "").replace(
        'parameter v reached=true gradient="finite"', 'parameter v gradient="finite" symmetric=true'
    ),
    "a bias with an axis for the heads": TWICE.replace("    w: parameter", "    u: parameter f32[1,8,4]\n    w: parameter")
    .replace("linear x w", "linear x u w")
    .replace("    parameter w", '    parameter u reached=true gradient="finite"\n    parameter w'),
    "a recurrent layer's two rows of biases": TWICE.replace(
        "    w: parameter", "    k: parameter f32[4,24]\n    r: parameter f32[8,24]\n    w: parameter"
    )
    .replace("linear x w", "rnn x w k r")
    .replace("w: parameter f32[8,4]", "w: parameter f32[2,24]")
    .replace(
        "    parameter w", '    parameter k reached=true gradient="finite"\n    parameter r reached=true gradient="finite"\n    parameter w'
    ),
    "frozen": TWICE.replace("parameter w", "parameter w trainable=false"),
}

OTHERS = {"a gain of a normalisation": TWICE.replace("a = linear x w", "a = layer_norm x w")}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG511"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


def test_units_of_a_matrix_that_the_input_is_multiplied_by_are_its_columns() -> None:
    written = TWICE.replace("a = linear x w", "a = matmul x w").replace("w: parameter f32[8,4]", "w: parameter f32[4,8]")
    (columns,) = said(diagnose, 'framework torch "2.0"\n' + written)
    (rows,) = said(diagnose, 'framework torch "2.0"\n' + TWICE)

    assert columns.message.startswith("all 8 units of `w`")
    assert "columns" in str(columns.evidence[0])
    assert "rows" in str(rows.evidence[0])


def test_weights_that_stay_zero_explain_a_gradient_that_tells_nothing_of_the_labels() -> None:
    (deaf,) = said(diagnose, TWICE.replace('parameter w reached=true gradient="finite"', 'parameter w reached=true gradient="zero"'))
    (heard,) = said(diagnose, TWICE)

    assert Fact("insensitive", "0") in deaf.explains
    assert Fact("insensitive", "0") not in heard.explains


def test_two_factors_of_zeros_explain_that_nothing_gets_a_gradient() -> None:
    started = '    origin values=["w"] setting="start" @ "lora.py":2 text="        nn.init.zeros_(weight)"'
    (told,) = said(diagnose, 'framework torch "2.0"\n' + ADAPTER + ADAPTER.replace("step 0", "step 1") + started)

    assert {Fact("no-gradient", "w"), Fact("no-gradient", "v"), Fact("vanishes", "0")} <= told.explains
    assert told.remedy is not None
    assert [(edit.action, edit.text) for edit in told.remedy.edits] == [("callee", "nn.init.xavier_uniform_")]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("framework", "line", "edits"),
    [
        ("torch", "w = nn.Parameter(torch.zeros(8, 4))", [("swap", "torch.nn.init.xavier_uniform_(torch.empty({args}))")]),
        ("jax", "w = jnp.ones((8, 4))", [("swap", "jax.nn.initializers.glorot_uniform()(jax.random.key(0), {x})")]),
        ("jax", "w = fill((8, 4))", [("argument", "")]),
    ],
)
def test_weights_that_are_filled_where_they_are_made_are_drawn(framework: str, line: str, edits: list[tuple[str, str]]) -> None:
    text = TWICE.replace('@ "train.py":4', f'@ "train.py":4 text="{line}"').replace(
        "    step 0", f'    framework {framework} "1"\n    step 0', 1
    )

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.edits] == edits


def test_an_initialiser_that_several_layers_share_is_replaced_where_it_is_named() -> None:
    own = 'origin values=["w"] setting="start" @ "train.py":2:8-15 text="init = \\"zeros\\""\n    framework tensorflow "2.21.0"\n'
    (diagnosis,) = said(diagnose, TWICE.replace("    step 0", "    " + own + "    step 0", 1))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.site.line) for edit in diagnosis.remedy.edits] == [("replace", '"glorot_uniform"', 2)]


def test_a_stack_of_layers_that_were_drawn_with_one_key() -> None:
    stack = TWICE.replace("w: parameter f32[8,4]", "w: parameter f32[3,8,4] std=0.5")
    (diagnosis,) = said(diagnose, 'framework jax "0.10.2"\n' + stack)

    assert diagnosis.message == "all 3 layers in `w` start equal and stay equal: they act as one"
    assert "jax.random.split" in diagnosis.help
    assert diagnosis.remedy is None


def test_only_zeros_are_said_to_be_zeros():
    sliced = TWICE.replace("    a = linear x w", "    k = index w\n    a = linear x w").replace(
        "    w: parameter", "    k: activation f32[4,4]\n    w: parameter"
    )

    assert "start equal and stay equal" in said(diagnose, sliced)[0].message
    assert "are all zeros" in said(diagnose, TABLE + TABLE.replace("step 0", "step 1"))[0].message
