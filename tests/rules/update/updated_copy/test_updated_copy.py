"""WG415 on sketches: fires, is silent, belongs to another rule."""

from textwrap import dedent

import pytest

from sketch import said
from whygrad.flow import Index
from whygrad.ir.text import loads
from whygrad.rules.update.updated_copy import diagnose

REBOUND = """
    outcome steps_seen=2 backwards_seen=20
    ending w changed=false gradient_seen=true
    step 0
      x: input f32[8,4]
      w: parameter f32[2,4]
      g: gradient f32[2,4]
      s: activation f32[2,4]
      p: activation f32[2,4]
      out = linear x w
      loss = mean out
      ! backward loss @ "train.py":9
      s = mul g @ "train.py":11
      p = sub w s @ "train.py":11
      parameter w reached=true gradient="finite" gradient_norm=0.7
"""

NEXT = """
      w2: parameter f32[2,4]
      out2 = linear x w2
      parameter w value=w2 reached=true gradient="finite" gradient_norm=0.7
"""
"""The next forward reads another parameter, which the update was bound to."""

FIRES = {
    "beside a parameter of another shape that is read later": REBOUND
    + NEXT.replace("w2: parameter f32[2,4]", "w2: parameter f32[8]").replace("parameter w value", "parameter b value"),
    "where the next forward reads the old one": REBOUND + "      out2 = linear x w\n",
    "arrays that were taken out": REBOUND.replace(
        '      s = mul g @ "train.py":11\n      p = sub w s', '      p = leave w with={"edited":true}'
    ),
    "bound to a loop variable": REBOUND,
    "through .data": REBOUND.replace("      p = sub w s", "      d: activation f32[2,4]\n      d = detach w\n      p = sub d s"),
}

SILENT = {
    "the result is a leaf of its own that the next forward reads": REBOUND + NEXT,
    "the same under another name": REBOUND + NEXT.replace("parameter w value", "parameter v value"),
    "arrays that were only looked at": REBOUND.replace('      s = mul g @ "train.py":11\n      p = sub w s', "      p = leave w"),
    "the parameter changed": REBOUND.replace("changed=false", "changed=true"),
    "an optimizer is about": REBOUND.replace(
        "    step 0", '    optimizer opt native="SGD" steps=9\n      group rate=0.1 parameters=["w"]\n    step 0'
    ),
    "the result is read": REBOUND.replace("      parameter w reached", "      q = linear x p\n      parameter w reached"),
    "an update in place": REBOUND.replace("      parameter w reached", "      ! update w\n      parameter w reached"),
    "of another shape: a norm": REBOUND.replace("p: activation f32[2,4]", "p: activation f32[]"),
    "one backward alone": REBOUND.replace("backwards_seen=20", "backwards_seen=1"),
    "nothing happened": 'record program="train.py"',
}


def told(text: str) -> list[object]:
    return list(diagnose.check(Index(loads(dedent(text)))))


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_updates_of_copies(text: str) -> None:
    (diagnosis,) = diagnose.check(Index(loads(dedent(text))))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 11
    assert diagnosis.message == "the update of `w` is computed and thrown away: the parameter stays as it is"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(("framework", "action"), [("torch", "augment"), ("jax", "element"), ("tensorflow", "assign")])
def test_the_update_reaches_what_the_forward_reads(framework: str, action: str) -> None:
    (diagnosis,) = diagnose.check(Index(loads(dedent(REBOUND.replace("    outcome", f'    framework {framework} "2"\n    outcome', 1)))))

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == [action]


RESTORED = """
    outcome steps_seen=360 backwards_seen=360
    optimizer opt native="Adam" steps=360
    group rate=0.1 parameters=["w"]
    course steps=360 start=0.7 first=0.6 last=0.54
    step 0
      x: input f32[8,4]
      w: parameter f32[2,4]
      out = linear x w
      loss = mean out
      ! backward loss @ "train.py":9
      ! dropped w with={"what":"restored","times":11,"updates":330} @ "callbacks.py":21
      parameter w reached=true gradient="finite"
"""


def test_weights_that_are_put_back_over_and_over_lose_the_updates_in_between() -> None:
    (diagnosis,) = diagnose.check(Index(loads(dedent(RESTORED))))

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("callbacks.py", 21)
    assert "330 of 360 updates are lost" in diagnosis.message


@pytest.mark.parametrize(
    "text",
    [RESTORED.replace('"times":11', '"times":2'), RESTORED.replace('"updates":330', '"updates":120')],
    ids=["once or twice", "at the end of a run that improved before"],
)
def test_weights_that_are_put_back_now_and_then(text: str) -> None:
    assert not told(text)


ELSEWHERE = """
    optimizer opt native="SGD" steps=80 rates=[0.1,0.1] @ "train.py":3
    group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    ! assign @ "train.py":9
    ! optimizer_step opt with={"idle":true} @ "train.py":10
    parameter w optimizer="opt" reached=true gradient="none"
    ending w changed=false gradient_seen=false
"""


def test_gradients_that_are_written_to_copies() -> None:
    (found,) = said(diagnose, ELSEWHERE)

    assert found.site is not None
    assert (found.site.line, found.severity) == (9, "error")
    assert "80 updates asked for" in found.evidence[0].statement


@pytest.mark.parametrize(
    "text",
    [
        ELSEWHERE.replace("! assign @", "! assign w @"),
        ELSEWHERE.replace('with={"idle":true} ', ""),
        ELSEWHERE.replace("changed=false", "changed=true"),
        ELSEWHERE.replace("    ! assign", "    ! backward out\n    ! assign"),
        ELSEWHERE.replace('    ! assign @ "train.py":9\n', ""),
    ],
    ids=["to the parameters", "the update found gradients", "something moved", "beside a backward", "written nowhere"],
)
def test_silence_about_written_gradients(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("framework", "actions"), [("tensorflow", ["put back"]), ("torch", [])])
def test_changed_copies_go_back_where_keras_has_a_way(framework: str, actions: list[str]) -> None:
    text = REBOUND.replace('      s = mul g @ "train.py":11\n      p = sub w s', '      p = leave w with={"edited":true}')
    (found,) = diagnose.check(Index(loads(f'framework {framework} "2.0"\n' + dedent(text))))

    assert [edit.action for edit in (found.remedy.edits if found.remedy else ())] == actions


AGAIN = RESTORED.replace(
    '"what":"restored","times":11,"updates":330} @ "callbacks.py":21', '"what":"begun again","times":5,"updates":360} @ "train.py":8'
) + ('    origin values=["w"] setting="unkept" @ "train.py":5 in "Trainer.epoch" text="    a, b = self.a, self.b"\n')


def test_parameters_that_are_taken_over_and_never_given_back() -> None:
    (diagnosis,) = diagnose.check(Index(loads(dedent(AGAIN))))

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (5, "error")
    assert diagnosis.remedy is not None
    assert [edit.text for edit in diagnosis.remedy.edits] == ["self.a, self.b = a, b"]


@pytest.mark.parametrize(
    "text",
    [AGAIN.partition("    origin")[0], AGAIN.replace('"times":5', '"times":1'), AGAIN.replace('"updates":360', '"updates":100')],
    ids=["somebody reads them", "a run and another one from the same start", "a part of the run"],
)
def test_parameters_that_training_goes_back_to_on_purpose(text: str) -> None:
    assert not list(diagnose.check(Index(loads(dedent(text)))))
