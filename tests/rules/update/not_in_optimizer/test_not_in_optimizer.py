"""WG401 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.update.not_in_optimizer import diagnose

HEAD_ONLY = """
    optimizer opt native="Adam" steps=10 rates=[0.1,0.1] @ "train.py":20:7-50
    group rate=0.1 parameters=["head.weight"]
    x: input f32[8,4]
    y: label i64[8]
    encoder.0.weight: parameter f32[4,4]
    encoder.2.weight: parameter f32[4,4]
    head.weight: parameter f32[2,4]
    a = linear x encoder.0.weight
    b = linear a encoder.2.weight
    out = linear b head.weight
    loss = cross_entropy out y with={"target":1}
"""

TWO_MODELS = (
    HEAD_ONLY.replace("encoder.0.weight", "encoder.fc1.weight")
    .replace("encoder.2.weight", "encoder.fc2.weight")
    .replace("head.weight", "decoder.fc.weight")
)

PARAMETERS = """
    parameter encoder.weight trainable=true reached=true gradient="finite" gradient_norm=0.7
    parameter head.weight trainable=true optimizer="opt" reached=true gradient="finite" gradient_norm=0.2 gradient_at_update="finite" update_norm=0.1
"""

STATES = (
    """
    optimizer opt native="Adam" steps=10 rates=[0.1,0.1] @ "train.py":20
    group rate=0.1 parameters=["head.weight"]
    x: input f32[8,4]
    encoder.weight: parameter f32[4,4]
    head.weight: parameter f32[2,4]
    a = linear x encoder.weight
    out = linear a head.weight
    loss = mean out
    ending encoder.weight changed=false gradient_seen=true
    ending head.weight changed=true gradient_seen=true
"""
    + PARAMETERS
)

GIVEN = HEAD_ONLY.replace('@ "train.py":20:7-50', '@ "train.py":20:7-50 ~ "train.py":33')

FIRES = {
    "only the head was handed over": (HEAD_ONLY, "encoder", 2),
    "the second network was forgotten": (TWO_MODELS, "encoder", 2),
    "states as recorded": (STATES, "encoder", 1),
    "a gradient that is not finite": (STATES.replace('gradient="finite" gradient_norm=0.7', 'gradient="non-finite"'), "encoder", 1),
    "a norm that is not a number": (STATES.replace("gradient_norm=0.7", 'gradient_norm="nan"'), "encoder", 1),
    "unfrozen after the recorded steps": (
        STATES.replace("encoder.weight trainable=true", "encoder.weight trainable=false").replace(
            'gradient="finite" gradient_norm=0.7', 'gradient="none"'
        ),
        "encoder",
        1,
    ),
    "no endings known": ("\n".join(line for line in STATES.splitlines() if "ending" not in line), "encoder", 1),
}

SILENT = {
    "everything is held": HEAD_ONLY.replace('["head.weight"]', '["head.weight","encoder.0.weight","encoder.2.weight"]'),
    "frozen": STATES.replace("encoder.weight trainable=true", "encoder.weight trainable=false")
    .replace('gradient="finite" gradient_norm=0.7', 'gradient="none"')
    .replace("changed=false gradient_seen=true", "changed=false gradient_seen=false"),
    "pretrained weights left out": STATES.replace("encoder.weight trainable=true", "encoder.weight trainable=true loaded=true"),
    "changed by hand": STATES.replace("ending encoder.weight changed=false", "ending encoder.weight changed=true"),
    "no optimizer steps": STATES.replace("steps=10", "steps=0"),
    "a second optimizer holds the rest": HEAD_ONLY.replace(
        "    x: input",
        '    optimizer opt2 native="SGD" steps=10 rates=[0.1,0.1]\n    group rate=0.1 parameters=["encoder.0.weight","encoder.2.weight"]\n    x: input',
        1,
    ),
    "an input is optimised": """
        optimizer opt native="Adam" steps=10 rates=[0.1,0.1]
        group rate=0.1 parameters=["delta"]
        delta: parameter f32[8,4]
        fc.weight: parameter f32[2,4]
        parameter delta trainable=true registered=false optimizer="opt" reached=true gradient="finite" update_norm=0.1
        parameter fc.weight trainable=true reached=true gradient="finite"
        out = linear delta fc.weight
        loss = mean out
    """,
}

OTHERS = {
    "no gradient (WG301)": HEAD_ONLY.replace("out = linear b", "d = detach b\n    out = linear d"),
    "unknown to the model (WG307)": STATES.replace("encoder.weight trainable=true", "encoder.weight trainable=true registered=false"),
    "the optimizer holds replaced tensors (WG402)": HEAD_ONLY.replace("rates=", 'orphans=["f32[4,4]"] rates='),
    "never read (WG306)": HEAD_ONLY.replace("a = linear x encoder.0.weight", "a = square x").replace(
        "b = linear a encoder.2.weight", "b = square a"
    ),
    "no optimizer at all": STATES.replace(
        'optimizer opt native="Adam" steps=10 rates=[0.1,0.1] @ "train.py":20', 'optimizer opt native="Adam"'
    ).replace('group rate=0.1 parameters=["head.weight"]', ""),
    "nothing was recorded": 'record program="train.py"',
}


def test_the_list_that_leaves_them_out_is_named_where_it_was_taken() -> None:
    (diagnosis,) = said(diagnose, GIVEN + '    origin optimizer="opt" setting="held" @ "train.py":12')

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12
    assert diagnosis.label.startswith("this list has")
    assert [place.site.line for place in diagnosis.related][:1] == [33]


def test_the_place_is_where_the_optimizer_is_told_what_to_update() -> None:
    (diagnosis,) = said(diagnose, GIVEN)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 33
    assert diagnosis.related[0].site.line == 20


@pytest.mark.parametrize(("text", "module", "count"), FIRES.values(), ids=FIRES)
def test_parameters_that_were_left_out(text: str, module: str, count: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 20
    assert diagnosis.names == (module,)
    assert diagnosis.message.startswith(f"`{module}` is held by no optimizer")
    assert len(diagnosis.facts) == count
    assert {fact.what for fact in diagnosis.explains} == {"unmoved"}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_many_modules_are_one_diagnosis() -> None:
    (diagnosis,) = said(diagnose, HEAD_ONLY.replace("encoder.0", "stem").replace("encoder.2", "trunk"))

    assert diagnosis.message == "`stem` and `trunk` are held by no optimizer: 2 parameters with a gradient never move"
    assert Fact("unheld", "stem.weight") in diagnosis.facts


SECOND = """
    optimizer opt native="Adam" steps=10 rates=[0.1,0.1] @ "train.py":20 in main text="    opt = Adam(encoder.parameters())"
    group rate=0.1 parameters=["encoder.weight"]
    x: input f32[8,4]
    encoder.weight: parameter f32[4,4]
    decoder.weight: parameter f32[2,4]
    a = linear x encoder.weight
    out = linear a decoder.weight
    loss = mean out
    ending encoder.weight changed=true gradient_seen=true
    ending decoder.weight changed=false gradient_seen=true
    parameter encoder.weight trainable=true optimizer="opt" reached=true gradient="finite" gradient_norm=0.2 update_norm=0.1 @ "train.py":17 in main
    parameter decoder.weight trainable=true reached=true gradient="finite" gradient_norm=0.7 @ "train.py":18 in main text="    decoder = Linear(4, 2)"
"""


@pytest.mark.parametrize(
    ("given", "entry"),
    [
        ("Adam(encoder.parameters())", "[*{x}, *decoder.parameters()]"),
        ("Adam([{'params': encoder.parameters()}])", '[*{x}, {"params": decoder.parameters()}]'),
    ],
)
def test_a_second_module_is_given_to_the_optimizer_as_the_first_was(given: str, entry: str) -> None:
    (diagnosis,) = said(diagnose, SECOND.replace("Adam(encoder.parameters())", given))

    assert diagnosis.remedy is not None
    assert [(edit.site.line, edit.text, edit.keyword) for edit in diagnosis.remedy.edits] == [(20, entry, "params")]
    assert not diagnosis.remedy.safe


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Adam(encoder.parameters())", "Adam(params)"),  # tensors or groups: not known
        ('"train.py":18 in main', '"train.py":21 in main'),  # made after the optimizer
        ('"train.py":18 in main', '"train.py":18 in build'),  # the name is another function's
        ('text="    decoder', 'text="        decoder'),  # in a block that may not have run
        ('"train.py":17 in main', '"train.py":18 in main'),  # one object holds both
    ],
)
def test_a_module_that_has_no_name_at_the_optimizer_is_picked_by_its_parameters_names(old: str, new: str) -> None:
    (diagnosis,) = said(diagnose, SECOND.replace(old, new))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.site.line) for edit in diagnosis.remedy.edits] == [("group", '("decoder.",)', 20)]


TAPE = SECOND.replace("    optimizer opt", '    framework tensorflow "2.21.0"\n    optimizer opt').replace(
    '@ "train.py":20 in main text="    opt = Adam(encoder.parameters())"',
    '@ "train.py":20 in main text="    opt = Adam(0.01)" ~ "train.py":31 in step text="    v = encoder.trainable_variables"',
)


def test_the_variables_of_a_second_model_are_asked_for_and_updated_beside_the_first_ones() -> None:
    (diagnosis,) = said(diagnose, TAPE)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.written) for edit in diagnosis.remedy.edits] == [
        ("alike", "decoder.trainable_variables + {x}", "encoder.trainable_variables")
    ]


METHODS = (
    TAPE.replace("in step", "in Net.train_step")
    .replace("v = encoder", "v = self.encoder")
    .replace('18 in main text="    dec', '18 in Net.__init__ text="    self.dec')
)


def test_attributes_of_one_object_are_asked_for_together() -> None:
    (diagnosis,), (apart,) = said(diagnose, METHODS), said(diagnose, METHODS.replace("Net.__init__", "Other.__init__"))

    assert diagnosis.remedy is not None
    assert [(edit.text, edit.written) for edit in diagnosis.remedy.edits] == [
        ("self.decoder.trainable_variables + {x}", "self.encoder.trainable_variables")
    ]
    assert apart.remedy is None


@pytest.mark.parametrize("line", ["v = variables", "v = decoder.trainable_variables"])
def test_variables_that_go_by_another_name_get_no_edit(line: str) -> None:
    (diagnosis,) = said(diagnose, TAPE.replace("v = encoder.trainable_variables", line))

    assert diagnosis.remedy is None


ADAPTERS = STATES.replace("head.weight trainable=true", "head.weight trainable=false")


def test_a_frozen_base_that_the_optimizer_holds_is_no_second_fault() -> None:
    (frozen,), (trained,) = said(diagnose, ADAPTERS), said(diagnose, STATES)

    assert ADAPTERS != STATES
    assert Fact("no-gradient", "head.weight") in frozen.explains
    assert Fact("no-gradient", "head.weight") not in trained.explains


ADVERSARIES = """
    optimizer first native="Adam" steps=9 rates=[0.1,0.1] @ "train.py":20
    group rate=0.1 parameters=["judge.weight"]
    optimizer second native="Adam" steps=9 rates=[0.1,0.1] @ "train.py":21
    group rate=0.1 parameters=["judge.weight"]
    z: input f32[8,4]
    maker.weight: parameter f32[4,4]
    judge.weight: parameter f32[1,4]
    fake = linear z maker.weight
    out = linear fake judge.weight
    loss = mean out
    parameter maker.weight trainable=true reached=true gradient="finite" gradient_norm=0.7
    parameter judge.weight trainable=true optimizer="first" reached=true gradient="finite" gradient_norm=0.2 gradient_at_update="finite" update_norm=0.1
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ADVERSARIES, 21),
        (
            ADVERSARIES.replace(
                '"train.py":21\n    group rate=0.1 parameters=["judge.weight"]',
                '"train.py":21\n    group rate=0.1 parameters=["other.weight"]',
            ),
            20,
        ),
    ],
    ids=["a copied line", "two of their own"],
)
def test_of_two_optimizers_with_the_same_parameters_the_later_was_meant_for_others(text: str, line: int) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert found.site.line == line


def test_a_copied_line_gets_the_other_model() -> None:
    named = ADVERSARIES.replace('"train.py":21', '"train.py":21 in main text="    second = Adam(judge.parameters(), lr=0.1)"').replace(
        "gradient_norm=0.7\n    parameter judge",
        'gradient_norm=0.7 @ "train.py":12 in main text="    maker = Linear(4, 4)"\n    parameter judge',
    )
    (found,) = said(diagnose, named)
    (elsewhere,) = said(diagnose, named.replace("judge.parameters(), lr", "chosen, lr"))

    assert found.remedy is not None
    assert [(edit.site.line, edit.text, edit.keyword) for edit in found.remedy.edits] == [(21, "maker.parameters()", "params")]
    assert found.help.startswith("give `second` the parameters of `maker` alone")
    assert elsewhere.remedy is None or elsewhere.remedy.edits[0].text != "maker.parameters()"
