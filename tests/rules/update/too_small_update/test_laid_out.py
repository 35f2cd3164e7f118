"""WG412 on schedules that are stepped too seldom."""

import pytest

from sketch import said
from whygrad.rules.update.too_small_update import diagnose

ONCE = """
    optimizer opt native="SGD" steps=160 rates=[1e-4,3.6e-3] laid_out=[160,8] @ "t.py":8 ^ "t.py":34 & "t.py":9
      group rate=1e-4 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
"""

SILENT = {
    "stepped after each update": ONCE.replace("[160,8]", "[160,160]"),
    "laid out in epochs": ONCE.replace("[160,8]", "[8,8]"),
    "a run that is far shorter than it was laid out for": ONCE.replace("steps=160", "steps=20"),
    "never stepped": ONCE.replace("[160,8]", "[160,0]"),
    "a schedule without a length": ONCE.replace(" laid_out=[160,8]", ""),
}


def test_it_is_found_where_the_schedule_is_stepped() -> None:
    found = [one for one in said(diagnose, ONCE) if "laid out" in one.message]

    assert [one.site.line for one in found if one.site] == [34]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not [one for one in said(diagnose, text) if "laid out" in one.message]
