"""WG705 on sketches of sums and joins inside a model that raised."""

import pytest

from sketch import said
from whygrad.rules.wiring.input_shape import diagnose

RAISED = '    raised type="RuntimeError" message="The size of tensor a (4) must match the size of tensor b (8)" @ "net.py":20\n'
SKIP = f"""
{RAISED}    w: parameter f32[16,8,3,3]
    x: input f32[4,3,8,8]
    v: parameter f32[8,3,3,3]
    early: activation f32[4,8,8,8] called="early"
    late: activation f32[4,16,4,4] called="late"
    early = conv x v module="stem" @ "net.py":17
    late = conv early w module="block.conv" @ "net.py":18
    = add late early failed=true @ "net.py":20
"""
JOIN = SKIP.replace("= add late early failed=true", '= concat late early failed=true with={"axis":1}')
APART = SKIP.replace("late = conv early w", "late = conv x w")

FIRES = {
    "a skip round a stride": (SKIP, "`block.conv` changed its shape on the way", "1x1 convolution"),
    "the skip first": (
        SKIP.replace("add late early", "add early late"),
        "`late` (f32[4,16,4,4]) can't be added to `early`",
        "1x1 convolution",
    ),
    "a difference": (SKIP.replace("= add", "= sub"), "can't be combined with", "1x1 convolution"),
    "rows of features": (
        SKIP.replace("[4,8,8,8]", "[4,8]").replace("[4,16,4,4]", "[4,16]").replace("conv", "linear"),
        "`block.linear` changed",
        "a linear layer of the same width",
    ),
    "a join of two sizes of a picture": (JOIN, "can't be joined with `early`", "crop or pad"),
    "two branches": (APART, "can't be added to", "give both the same sizes"),
    "an embedding of positions": (
        SKIP.replace("add late early", "add early w").replace("f32[16,8,3,3]", "f32[1,7,8,8]"),
        "can't be added to",
        "give both the same sizes",
    ),
}
SILENT = {
    "nothing raised": SKIP.replace("    = add late early failed=true", "    out = add late late").replace(RAISED, ""),
    "sizes of 1 are stretched": SKIP.replace("[4,16,4,4]", "[4,8,1,1]"),
    "the same shape": SKIP.replace("[4,16,4,4]", "[4,8,8,8]"),
    "a join along the axis that differs": JOIN.replace("[4,16,4,4]", "[4,16,8,8]"),
    "a side that is data": SKIP.replace("add late early", "add late x"),
    "a loss that refused": SKIP.replace("= add late early", "= mse_loss late early"),
    "shapes that are not known": SKIP.replace("late: activation f32[4,16,4,4]", "late: activation"),
}


@pytest.mark.parametrize(("text", "message", "advice"), FIRES.values(), ids=FIRES)
def test_two_values_that_do_not_fit(text: str, message: str, advice: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.rule, found.severity, found.site.line) == ("WG705", "error", 20)
    assert message in found.message
    assert advice in found.help


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_what_fits_or_is_no_part_of_the_model_is_left_alone(text: str) -> None:
    assert not [found for found in said(diagnose, text) if "can't be" in found.message]


def test_the_layer_that_changed_the_shape_is_shown_where_it_is_called() -> None:
    (found,) = said(diagnose, SKIP)

    assert [related.site.line for related in found.related] == [18]
