"""WG307 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.unregistered_parameter import attribute, diagnose

OPT = """
    optimizer opt native="Adam" steps=2 @ "train.py":36
    group rate=0.1 parameters=["inp.weight"]
"""
RUN = """
    inp.weight: parameter f32[4,2]
    a: parameter f32[4,4]
    b: parameter f32[4,4]
    x: input f32[8,2]
    h = linear x inp.weight
    g = linear h a
    k = linear g b
    loss = mean k
    parameter inp.weight value=inp.weight optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
"""


def extra(first: str, second: str, settings: str = "registered=false") -> str:
    """Two more parameters with gradients."""
    return "".join(
        f'parameter {name} value={value} {settings} reached=true gradient="finite" gradient_norm=1.0 @ "model.py":12\n'
        for name, value in ((first, "a"), (second, "b"))
    )


def kept(*names: str, changed: str = "false") -> str:
    """How they ended."""
    return "".join(f"ending {name} changed={changed} gradient_seen=true\n" for name in names)


LIST = OPT + RUN + extra("hidden.0.weight", "hidden.1.weight") + kept('"hidden.0.weight"', '"hidden.1.weight"')

FIRES = {
    "layers in a list": (LIST, "hidden", "`nn.ModuleList`"),
    "tables in a dict": (OPT + RUN + extra("\"tables['plan'].weight\"", "\"tables['region'].weight\""), "tables", "`nn.ModuleDict`"),
    "a list inside a submodule": (OPT + RUN + extra("body.blocks[0].weight", "body.blocks[1].weight"), "body.blocks", "`nn.ModuleList`"),
    "arithmetic after nn.Parameter": (
        OPT + RUN.replace("k = linear g b", "k = relu g") + extra("proxies", "unread").rsplit("parameter", 1)[0],
        "proxies",
        "wrap it last",
    ),
    "a layer outside the model": (OPT + RUN + extra("head.weight", "head.bias"), "head", "as an attribute of the module"),
}

SILENT = {
    "data that a derivative is taken by, in JAX": 'framework jax "0.10.2"\n' + OPT + RUN + extra("x", "noise"),
    "registered, all held": RUN.replace("    g = linear h a\n    k = linear g b\n", "    k = relu h\n"),
    "tensors with an optimizer of their own": OPT.replace('"inp.weight"]', '"inp.weight","p","q"]') + RUN + extra("p", "q"),
    "updated by hand": OPT + RUN + extra("p", "q") + kept("p", "q", changed="true"),
    "a program of plain tensors": """
        optimizer none native="SGD"
        a: parameter f32[4]
        x: input f32[4]
        loss = mul x a
        ! backward loss
        ! update a
        parameter a value=a registered=false reached=true gradient="finite" gradient_norm=1.0
    """,
    "an outside copy that serves as teacher": OPT + RUN + extra("p", "q", "registered=false loaded=true") + kept("p", "q"),
}

ANOTHERS = {
    "registered, but in no optimizer": OPT + RUN + extra("p.weight", "q.weight", "registered=true"),
    "frozen outside": OPT + RUN + extra("p", "q", "registered=false trainable=false"),
    "outside, and never read": OPT
    + RUN.replace("    g = linear h a\n    k = linear g b\n", "    k = relu h\n")
    + extra("p", "q").replace('reached=true gradient="finite" gradient_norm=1.0', ""),
    "no model anywhere": "optimizer opt\ngroup parameters=[]\n"
    + RUN.replace('optimizer="opt" reached', "registered=false reached")
    + extra("p", "q"),
    "detached, and held": OPT.replace('"inp.weight"]', '"inp.weight","p","q"]')
    + RUN.replace("k = linear g b", "d = detach g\n    k = linear d b")
    + extra("p", "q"),
}


@pytest.mark.parametrize(("text", "name", "help_"), FIRES.values(), ids=FIRES)
def test_one_diagnosis_for_each_attribute(text: str, name: str, help_: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.names[0], found.site and found.site.line) == ("WG307", "error", name, 12)
    assert help_ in found.help


def test_layers_made_by_a_function_are_named_where_the_list_is_filled() -> None:
    made = '@ "blocks.py":6 text="    return nn.Linear(4, 4)" callers=[["model.py",14,"Net.__init__","        self.hidden = [block() for _ in range(2)]"],["train.py",25,"","model = Net()"]]'
    (found,) = said(diagnose, LIST.replace('@ "model.py":12', made), steps=2)

    assert found.site is not None
    assert (found.site.file, found.site.line) == ("model.py", 14)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_a_layer_made_anew_in_each_step_is_one() -> None:
    line = 'owner="torch.nn.Linear" registered=false reached=true gradient="finite" gradient_norm=1.0 @ "model.py":11 text="        head = nn.Linear(6, 2)"'
    text = OPT + RUN + f'parameter Linear.weight value=a {line}\nparameter "Linear.weight (2)" value=b {line}\n'

    (found,) = said(diagnose, text)

    assert found.message == "`head` is unknown to the model: it is trained by no optimizer"
    assert found.help == "make it once, in `__init__`, as an attribute of the module, so that `model.parameters()` lists it"


def test_a_parameter_that_no_name_leads_to_is_called_as_its_line_calls_it() -> None:
    text = FIRES["arithmetic after nn.Parameter"][0].replace("parameter proxies", 'parameter "parameter 15"')
    named = text.replace('@ "model.py":12', '@ "model.py":12 text="        self.proxies = nn.Parameter(w) * 0.5"')
    raised = 'raised type="RuntimeError" message="Trying to backward through the graph a second time (or …)"\n'

    (found,) = said(diagnose, raised + named)

    assert found.message == "`proxies` is unknown to the model: it is trained by no optimizer"
    assert Fact("exception", "RuntimeError") in found.explains


def test_the_missing_optimizer_is_its_symptom() -> None:
    (found,) = said(diagnose, LIST)

    assert found.explains == {Fact("unheld", "hidden.0.weight"), Fact("unheld", "hidden.1.weight")}
    assert found.message == "`hidden` is unknown to the model: its 2 parameters are trained by no optimizer"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hidden.0.weight", "hidden"),
        ("tables['a.b'].weight", "tables"),
        ("enc.layers[3].fc.bias", "enc.layers"),
        ("proxies", "proxies"),
        ("a.b.c", "a.b"),
    ],
)
def test_the_attribute_that_holds_a_parameter(name: str, expected: str) -> None:
    assert attribute(name) == expected


BARE = (
    'framework FRAMEWORK "2"\n'
    + OPT
    + RUN.replace("b: parameter", "b: constant")
    + 'parameter proxies value=a registered=false reached=true gradient="finite" gradient_norm=1.0 @ "model.py":12 text="LINE"\n'
    + kept("proxies")
)


@pytest.mark.parametrize(
    ("framework", "line", "edits"),
    [
        ("torch", "self.proxies = nn.Parameter(torch.randn(4, 4)) * 0.5", [("inward", "")]),
        ("torch", "self.proxies = nn.Parameter(torch.randn(4, 4)).to(device)", [("inward", "")]),
        ("torch", "self.proxies = torch.randn(4, 4, requires_grad=True)", []),
        ("tensorflow", "self.proxies = tf.Variable(tf.zeros([4, 4]))", [("callee", "keras.Variable")]),
        ("tensorflow", "self.proxies = make([4, 4])", []),
    ],
)
def test_a_single_parameter_is_made_so_that_its_module_knows_it(framework: str, line: str, edits: list[tuple[str, str]]) -> None:
    (diagnosis,) = said(diagnose, BARE.replace("FRAMEWORK", framework).replace("LINE", line))

    assert [(edit.action, edit.text) for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == edits


@pytest.mark.parametrize(("fitted", "ours"), [("model.fit(x, y)", True), ("loss.backward()", False)])
def test_a_layer_of_keras_with_a_parameter_of_pytorchs_own(fitted: str, ours: bool) -> None:
    line = "self.proxies = torch.nn.Parameter(torch.ones(4))"
    program = 'framework keras "3"\n' + BARE.replace("FRAMEWORK", "torch").replace("LINE", line)
    program = program.replace("parameter proxies", "parameter _layers[3].proxies")
    program += f'! backward loss @ "train.py":50 text="{fitted}"\n'

    (diagnosis,) = said(diagnose, program)

    assert diagnosis.message.startswith("`proxies` is unknown to the model")
    assert ("add_weight" in diagnosis.help) == ours
    assert ([edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == ["keras.Variable"]) == ours
