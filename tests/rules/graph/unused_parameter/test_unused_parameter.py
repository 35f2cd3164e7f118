"""WG306 on sketches: fires, is silent, belongs to another rule."""

import re

import pytest

from sketch import said
from whygrad.rules.graph.unused_parameter import diagnose

RUN = """
    emb.weight: parameter f32[60,12]
    out.weight: parameter f32[4,12]
    ids: input i64[8,40]
    y: label i64[8]
    h = embedding ids emb.weight
    m = mean h
    s = linear m out.weight
    loss = cross_entropy s y
    parameter emb.weight value=emb.weight optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    parameter out.weight value=out.weight optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    ending emb.weight changed=true gradient_seen=true
    ending out.weight changed=true gradient_seen=true
"""
SCORER = """
    parameter scorer.0.weight value=q1 optimizer="opt" @ "train.py":10
    parameter scorer.0.bias value=q2 optimizer="opt" @ "train.py":10
    parameter scorer.2.weight value=q3 optimizer="opt" @ "train.py":10
    ending scorer.0.weight changed=false gradient_seen=false
    ending scorer.0.bias changed=false gradient_seen=false
    ending scorer.2.weight changed=false gradient_seen=false
"""
ALONE = """
    parameter scale value=q1 optimizer="opt" @ "train.py":11
    ending scale changed=false gradient_seen=false
"""
POOLER = """
    parameter bert.pooler.weight value=q1 optimizer="opt" library=true @ "train.py":12
    ending bert.pooler.weight changed=false gradient_seen=false
"""
COPIED = (
    RUN.replace("y: label", "scale: parameter f32[1]\n    y: label").replace("m = mean h", "m = mean h\n    d = detach scale\n    k = copy d\n")
    + ALONE.replace("value=q1", "value=scale reached=true")
)  # fmt: skip

FIRES = {
    "a scorer that no forward calls": (RUN + SCORER, 10, "scorer", 3, "warning"),
    "a layer of Keras, whose parameters' names have slashes": (
        re.sub(
            r'(?<!")(\w+/\w+)',
            r'"\1"',
            (RUN + SCORER).replace("scorer.2.", "scorer/scale_").replace("scorer.0.", "scorer/").replace(".weight", "/kernel"),
        ),
        10,
        "scorer",
        3,
        "warning",
    ),
    "a parameter on its own": (RUN + ALONE, 11, "scale", 1, "warning"),
    "a layer whose numbers are only copied, to print how far it moved": (COPIED, 11, "scale", 1, "warning"),
    "a library's model declares more": (RUN + POOLER, 12, "bert", 1, "note"),
    "one layer of a list": (
        RUN.replace("emb.weight", "layers.0.weight") + SCORER.replace("scorer.0", "layers.1").replace("scorer.2", "layers.1.up"),
        10,
        "layers.1",
        3,
        "warning",
    ),
    "one whole decoder of a list, whose parts are made on the same lines": (
        RUN.replace("emb.weight", "decoders.0.up.weight").replace(
            "gradient_norm=1.0\n    parameter out", 'gradient_norm=1.0 @ "train.py":11\n    parameter out'
        )
        + ALONE.replace("scale", "decoders.1.up.weight"),
        11,
        "decoders.1",
        1,
        "warning",
    ),
    "the fresh twin of a layer called twice": (
        RUN.replace("out.weight", "fc1.weight") + ALONE.replace("scale", "fc2.weight"),
        11,
        "fc2",
        1,
        "warning",
    ),
}

SILENT = {
    "everything is read": RUN,
    "an expert that a later batch chooses": RUN + SCORER.replace("changed=false gradient_seen=false", "changed=true gradient_seen=true"),
    "a gradient later, though too small to move it": RUN + ALONE.replace("gradient_seen=false", "gradient_seen=true"),
    "the end was not seen": RUN + ALONE.replace("ending", "# ending"),
    "a part that another network of the class uses: a switch turns it off": RUN.replace("emb.weight", "plain.norm.weight")
    .replace("out.weight", "other.out.weight")
    .replace("gradient_norm=1.0\n    parameter other", 'gradient_norm=1.0 @ "train.py":11\n    parameter other')
    + ALONE.replace("scale", "other.norm.weight"),
    "a part that the first network of one name uses": (RUN + ALONE)
    .replace("emb.weight", "net.norm.weight")
    .replace("gradient_norm=1.0\n    parameter out", 'gradient_norm=1.0 @ "train.py":11\n    parameter out')
    .replace("scale", '"net.norm.weight (2)"'),
    "a part that the second network of one name uses": (RUN + ALONE)
    .replace("emb.weight", '"net.norm.weight (2)"')
    .replace("gradient_norm=1.0\n    parameter out", 'gradient_norm=1.0 @ "train.py":11\n    parameter out')
    .replace("scale", "net.norm.weight"),
    "read in another kind of step": RUN.replace("    emb.weight: ", "    step 0 kind=0\n    emb.weight: ")
    + ALONE
    + """
        step 1 kind=1
        scale: parameter f32[1]
        z: loss
        z = mul scale
        ! backward z
        parameter scale value=scale optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
}

ANOTHERS = {
    "detached on its way into the loss": COPIED.replace("s = linear m", "n = mul m k\n    s = linear n"),
    "frozen": RUN + ALONE.replace('optimizer="opt"', 'trainable=false optimizer="opt"'),
    "in no optimizer": RUN + 'optimizer opt\ngroup parameters=["emb.weight","out.weight"]\n' + ALONE.replace(' optimizer="opt"', ""),
    "read, but detached": RUN.replace("m = mean h", "d = detach h\n    m = mean d"),
    "read, but only for a metric": RUN.replace("y: label", "scale: parameter f32[1]\n    y: label").replace(
        "m = mean h", "m = mean h\n    k = mul m scale\n"
    )
    + ALONE.replace("value=q1", "value=scale reached=true"),
    "nothing was recorded": "step 0\n" + ALONE,
}


@pytest.mark.parametrize(("text", "line", "module", "count", "severity"), FIRES.values(), ids=FIRES)
def test_one_diagnosis_for_each_module(text: str, line: int, module: str, count: int, severity: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.rule, found.site.line, found.names[0], len(found.names) - 1, found.severity) == ("WG306", line, module, count, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_the_message_counts_the_parameters() -> None:
    (found,) = said(diagnose, RUN + SCORER)

    assert found.message == "`scorer` is never used: no forward reads its 3 parameters"
    assert found.help == "call `scorer` in the forward, or remove it"
