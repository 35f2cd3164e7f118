"""WG417 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.update_lost import diagnose


def steps(after: str, *, first: str = "norm=2.0", second: str = "norm=2.0", gradient: str = "gradient_norm=0.5") -> str:
    """Two steps of a loop, with something after each update."""
    one = """
    step {}
      x: input f32[8,4]
      w: parameter f32[2,4]
      out{} = linear x w
      loss{} = mean out{}
      ! backward loss{} @ "train.py":22
      ! optimizer_step opt @ "train.py":24
      {}
      parameter w optimizer="opt" reached=true gradient="finite" {} gradient_at_update="finite" {} update_norm=0.0
    """
    return "".join(one.format(*(at,) * 5, after, gradient, norm) for at, norm in enumerate((first, second)))


LOADED = steps('! load w @ "train.py":25')
HEAD = 'optimizer opt native="SGD" steps=2 rates=[0.1,0.1]\n  group rate=0.1 parameters=["w"]\nending w changed={} gradient_seen=true\n'

PART = """
    optimizer opt native="OwnAdam" steps=48 rates=[0.1,0.1] @ "train.py":9
      group rate=0.1 parameters=["w","b"]
    ending w changed=false gradient_seen=true
    ending b changed=true gradient_seen=true
""" + steps("")

FIRES = {
    "a checkpoint loaded in the loop": (LOADED, 25),
    "written by hand": (steps('! update w @ "train.py":26'), 26),
    "a step that does nothing": (HEAD.format("false") + steps(""), 24),
}

SILENT = {
    "loaded, and the next step begins elsewhere": steps('! load w @ "train.py":25', second="norm=2.1"),
    "an exponential average beside it": steps('! update ema @ "train.py":25', second="norm=1.9"),
    "moved in between": HEAD.format("true") + steps(""),
    "rate times gradient below what can be seen (WG407)": HEAD.format("false") + steps("", gradient="gradient_norm=0.000001"),
    "gradients that are not finite": HEAD.format("false") + steps("", gradient='gradient_norm="nan"'),
    "norms that are not numbers": steps('! load w @ "train.py":25', first='norm="nan"', second='norm="nan"'),
    "a rate of zero (WG406)": HEAD.format("false").replace("[0.1,0.1]", "[0.0,0.0]") + steps(""),
    "no gradient when the update began (WG404)": steps('! load w @ "train.py":25').replace(
        'gradient_at_update="finite"', 'gradient_at_update="none"'
    ),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_updates_that_leave_no_trace(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.message == "`opt` steps, and `w` is as before when the next step begins"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_a_part_that_an_own_step_never_reaches() -> None:
    (diagnosis,) = said(diagnose, PART)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 24
    assert diagnosis.message == "`opt` steps, and `w` is as before when the next step begins, while 1 other parameter of it moves"
    assert "a copy is written to" in diagnosis.help


IN_PART = {
    "it moved later in the run": PART.replace("w changed=false", "w changed=true"),
    "its own group has a rate of 0": PART.replace(
        'group rate=0.1 parameters=["w","b"]', 'group rate=0.0 parameters=["w"]\n      group rate=0.1 parameters=["b"]'
    ),
    "its updates are rounded away (WG407)": PART.replace("update_norm=0.0", "update_norm=0.0 rounded=1.0"),
    "it moved in one of the steps": PART.replace("update_norm=0.0", "update_norm=0.1", 1),
    "it had no gradient in one of them": PART.replace('gradient="finite" gradient_norm=0.5', 'gradient="zero" gradient_norm=0.0', 1),
    "a short run": PART.replace("steps=48", "steps=3"),
    "one step alone": PART.rsplit("step 1", 1)[0],
}


@pytest.mark.parametrize("text", IN_PART.values(), ids=IN_PART)
def test_a_part_that_stands_for_a_reason(text: str) -> None:
    assert not said(diagnose, text)
