"""WG404 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.update.cleared_before_step import diagnose

EMPTY = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    b: parameter f32[2]
    out = linear x w b
    loss = mean out
    ! backward loss @ "train.py":30
    ! clear w b @ "train.py":31
    ! optimizer_step opt @ "train.py":32
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="none"
    parameter b optimizer="opt" reached=true gradient="finite" gradient_norm=0.2 gradient_at_update="none"
"""

RIGHT = (
    EMPTY.replace("! backward loss", "! hold")
    .replace("! clear w b", "! backward loss")
    .replace("! hold", "! clear w b")
    .replace('gradient_at_update="none"', 'gradient_at_update="finite"')
)

ONE = EMPTY.replace("! clear w b", "! clear b").replace(
    'gradient_norm=0.7 gradient_at_update="none"', 'gradient_norm=0.7 gradient_at_update="finite"'
)

FIRES = {
    "zero_grad after the backward": (EMPTY, 31, 2),
    "set to zero instead of None": (EMPTY.replace('gradient_at_update="none"', 'gradient_at_update="zero"'), 31, 2),
    "one parameter alone": ("ending b changed=false gradient_seen=false\n" + ONE, 31, 1),
    "all of them, and decay moves them": (
        "ending w changed=true gradient_seen=false\nending b changed=true gradient_seen=false\n" + EMPTY,
        31,
        2,
    ),
    "gradients that are not finite": (EMPTY.replace('gradient="finite"', 'gradient="non-finite"'), 31, 2),
    "norms that are not numbers": (
        EMPTY.replace("gradient_norm=0.7", 'gradient_norm="nan"').replace("gradient_norm=0.2", "gradient_norm=null"),
        31,
        2,
    ),
    "an update by hand": (EMPTY.replace("! optimizer_step opt", "! update w b"), 31, 2),
}

SILENT = {
    "one parameter is held back for a while": "ending b changed=true gradient_seen=true\n" + ONE,
    "the right order": RIGHT,
    "cleared after the update": EMPTY.replace("! clear w b", "! hold")
    .replace("! optimizer_step opt", "! clear w b")
    .replace("! hold", "! optimizer_step opt")
    .replace('gradient_at_update="none"', 'gradient_at_update="finite"'),
    "cleared and calculated again": EMPTY.replace("! optimizer_step", '! backward loss @ "train.py":31\n    ! optimizer_step').replace(
        'gradient_at_update="none"', 'gradient_at_update="finite"'
    ),
    "another network's gradients are cleared": EMPTY.replace('optimizer="opt"', 'optimizer="other"').replace(
        'gradient_at_update="none"', ""
    ),
    "no update in this step": EMPTY.replace('! optimizer_step opt @ "train.py":32', "").replace('gradient_at_update="none"', ""),
    "nothing known at the update": EMPTY.replace('gradient_at_update="none"', ""),
}

OTHERS = {
    "no gradient after the backward (WG301)": EMPTY.replace('gradient="finite"', 'gradient="none"'),
    "a gradient of zero (WG304)": EMPTY.replace('gradient="finite"', 'gradient="zero"'),
    "a hook that took it (WG316)": EMPTY.replace('! clear w b @ "train.py":31', ""),
    "no update at all (WG405)": EMPTY.replace('! optimizer_step opt @ "train.py":32', ""),
    "the parameters of an optimizer that did not step": EMPTY.replace('optimizer="opt"', 'optimizer="other"'),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line", "count"), FIRES.values(), ids=FIRES)
def test_gradients_that_are_thrown_away(text: str, line: int, count: int) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert len([fact for fact in diagnosis.explains if fact.what == "unmoved"]) == count


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_a_step_before_the_backward() -> None:
    moved = EMPTY.splitlines()
    backward, clear, update = (next(line for line in moved if word in line) for word in ("! backward", "! clear", "! optimizer_step"))
    text = "\n".join({backward: update, clear: backward, update: clear}.get(line, line) for line in moved)
    endings = "\n    ending w changed=false gradient_seen=true\n    ending b changed=false gradient_seen=true"

    (diagnosis,) = said(diagnose, text + endings)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 32
    assert diagnosis.message.startswith("the step comes before the backward")
    assert not said(diagnose, text + endings.replace("changed=false", "changed=true"))


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, EMPTY)

    assert diagnosis.message == "gradients of 2 parameters are cleared between the backward and the step"
    assert (
        diagnosis.evidence[0].statement == "`w` had a gradient after the backward (norm 0.7), and None when the update began; so did 1 more"
    )
    assert diagnosis.help == "move this line before the backward, or after `opt.step()`"
    assert Fact("no-update", "0") in diagnosis.explains


MICRO = """
    x: input f32[2,4]
    y: input f32[2,4]
    w: parameter f32[2,4]
    a = linear x w
    loss = mean a
    b = linear y w
    other = mean b
    ! clear w @ "train.py":24
    ! backward loss @ "train.py":26
    ! clear w @ "train.py":24
    ! backward other @ "train.py":26
    ! optimizer_step opt @ "train.py":28
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="finite" update_norm=0.1
"""

ADDS_UP = {
    "cleared once": MICRO.replace(
        '    ! backward loss @ "train.py":26\n    ! clear w @ "train.py":24\n', '    ! backward loss @ "train.py":26\n'
    ),
    "an update between the backwards": MICRO.replace(
        '    ! clear w @ "train.py":24\n    ! backward other',
        '    ! optimizer_step opt @ "train.py":27\n    ! clear w\n    ! backward other',
    ),
    "a gradient scaler declines in between": MICRO.replace(
        '    ! clear w @ "train.py":24\n    ! backward other', '    ! skipped opt\n    ! clear w @ "train.py":24\n    ! backward other'
    ),
    "sharpness-aware: the parameters are changed by hand in between": MICRO.replace(
        '    ! clear w @ "train.py":24\n    ! backward other', "    ! update w\n    ! clear w\n    ! backward other"
    ),
    "two networks, two lines": MICRO.replace('! backward loss @ "train.py":26', '! backward loss @ "train.py":20'),
    "what another optimizer holds": MICRO.replace('parameter w optimizer="opt"', 'parameter w optimizer="other"'),
    "no update": MICRO.replace('    ! optimizer_step opt @ "train.py":28\n', "").replace('gradient_at_update="finite"', ""),
    "the gradients are read before they go": MICRO.replace("    b = linear y w", "    g: gradient f32[2,4]\n    b = linear y w").replace(
        '    ! clear w @ "train.py":24\n    ! backward loss @ "train.py":26\n    ! clear w @ "train.py":24',
        '    ! backward loss @ "train.py":26\n    kept = copy g\n    ! clear w @ "train.py":24',
    ),
    "moved to a device after the run": MICRO.replace("! optimizer_step opt", "! update w").replace("update_norm=0.1", "update_norm=0.0"),
}


def test_backwards_that_should_add_up() -> None:
    (diagnosis,) = said(diagnose, MICRO, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 24
    assert diagnosis.message == "of 2 backwards before each update only the last counts: gradients are cleared between them"


@pytest.mark.parametrize("text", ADDS_UP.values(), ids=ADDS_UP)
def test_silence_where_backwards_add_up(text: str) -> None:
    assert not said(diagnose, text)


def test_the_clearing_between_two_backwards_moves_behind_the_update() -> None:
    (diagnosis,) = said(diagnose, MICRO, steps=2)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.to and edit.to.line) for edit in diagnosis.remedy.edits] == [("move", 24, 28)]


CALLBACK = EMPTY.replace('@ "train.py":31', '@ "monitor.py":9').replace(
    'opt @ "train.py":32', 'opt @ "train.py":32 text="    self.opt.step()"'
)


def test_a_clearing_in_a_callback_goes_and_the_step_is_followed_by_one() -> None:
    (diagnosis,) = said(diagnose, CALLBACK)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.file, edit.text) for edit in diagnosis.remedy.edits] == [
        ("drop", "monitor.py", ""),
        ("insert", "train.py", "self.opt.zero_grad()"),
    ]


def test_a_clearing_in_a_callback_goes_alone_where_there_is_another() -> None:
    (diagnosis,) = said(diagnose, CALLBACK.replace("    ! backward", '    ! clear w b @ "train.py":29\n    ! backward'))

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == ["drop"]


WRITTEN = """
    optimizer opt native="Adam" steps=60 rates=[0.1,0.1] @ "train.py":3
    group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w tracking=false
    ! assign w @ "train.py":9
    ! clear w @ "train.py":10
    ! optimizer_step opt with={"idle":true} @ "train.py":11
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=2.0 gradient_at_update="none"
    ending w changed=false gradient_seen=true
"""


def test_gradients_that_the_program_wrote_itself() -> None:
    (found,) = said(diagnose, WRITTEN)

    assert found.message == "gradients of 1 parameter are cleared between the assignment and the step"
    assert found.site is not None
    assert found.site.line == 10


def test_written_gradients_that_are_cleared_before_they_are_written_or_after_the_step() -> None:
    first = WRITTEN.replace('    ! assign w @ "train.py":9\n', "").replace(
        "    ! optimizer_step", '    ! assign w @ "train.py":11\n    ! optimizer_step'
    )

    assert not said(diagnose, first.replace('at_update="none"', 'at_update="finite"'))
    assert not said(diagnose, WRITTEN.replace('    ! clear w @ "train.py":10\n', "").replace('at_update="none"', 'at_update="finite"'))
