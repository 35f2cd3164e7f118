"""Two records side by side: the first difference in structure, then in magnitude."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from programs_run import HEALTHY, playing, whygrad, write
from sketch import sketch
from whygrad.flow.comparing import Figures, compare
from whygrad.reports.comparison import render

NET = """
    x: input f32[8,4]
    w: parameter f32[4,4]
    v: parameter f32[4,4]
    h = matmul x w @ "train.py":3 text="h = x @ w"
    r = relu h @ "train.py":4 text="r = relu(h)"
    p = matmul r v @ "train.py":5 text="p = r @ v"
    loss = mean p @ "train.py":6 text="loss = p.mean()"
"""
CUT = NET.replace("p = matmul r v", 'd = detach r @ "train.py":9 text="d = r.detach()"\n    p = matmul d v')


def compared(one: Any, other: Any) -> Any:
    """The comparison, which there must be."""
    found = compare(one, other)
    assert found is not None
    return found


def records(one: str, other: str) -> Any:
    return sketch(one).record, sketch(other).record


def test_a_record_is_the_same_as_itself():
    found = compared(*records(NET, NET))

    assert not found.structure
    assert found.first is None
    assert "the same in structure and in every figure" in render(found, "a", "b")


def test_the_first_difference_is_the_op_that_one_of_them_has_not():
    found = compared(*records(NET, CUT))
    first = found.structure[0]

    assert (first.one, first.other) == ("", "detach")
    assert first.other_site.line == 9
    assert {item.what for item in found.structure[1:]} == {"parameter `w`"}
    assert "b: detach  --> train.py:9  d = r.detach()" in render(found, "a", "b")


def test_many_ops_of_one_difference_are_counted():
    cuts = "".join(f"    d{at} = detach {f'd{at - 1}' if at else 'r'}\n" for at in range(40))
    longer = NET.replace("    p = matmul r v", f"{cuts}    p = matmul d39 v")
    kinds = ("relu", "tanh", "sigmoid", "exp", "sqrt", "square", "neg", "abs")
    varied = "".join(f"    k{at} = {kind} {f'k{at - 1}' if at else 'r'}\n" for at, kind in enumerate(kinds))

    assert compared(*records(NET, longer)).structure[0].other == "40 times detach"
    assert (
        compared(*records(NET, NET.replace("    p = matmul r v", f"{varied}    p = matmul k7 v"))).structure[0].other.endswith("and 2 more")
    )


def test_a_layer_of_one_framework_is_a_product_and_a_sum_in_another():
    layers = """
        x: input f32[8,4]
        weight: parameter f32[3,4]
        bias: parameter f32[3]
        h = linear x weight bias @ "train.py":3
        d = detach h @ "train.py":4
        loss = mean d @ "train.py":6
    """
    by_hand = """
        x: input f32[8,4]
        kernel: parameter f32[4,3]
        b: parameter f32[3]
        p = matmul x kernel @ "train.py":3
        e = expand b
        h = add p e @ "train.py":3
        loss = mean h @ "train.py":6
    """

    assert [(item.one, item.other) for item in compared(*records(layers, by_hand)).structure if "op" in item.what] == [("detach", "")]


def test_a_sum_with_a_parameter_that_is_no_bias_is_told():
    scaled = NET.replace("loss = mean p", "s = add r w\n    q = matmul s v\n    loss = mean q")

    assert any("add" in item.other for item in compared(*records(NET, scaled)).structure)


def test_the_mean_of_a_loss_is_no_difference_and_neither_is_where_the_data_were_made():
    whole = """
        x: input f32[8,3]
        labels: label i64[8]
        w: parameter f32[3,3]
        h = linear x w
        loss = cross_entropy h labels
    """
    by_example = """
        x: input f32[8,3]
        labels: label i64[8]
        w: parameter f32[3,3]
        y = argmax labels
        h = linear x w
        each = cross_entropy h y
        loss = mean each
    """
    found = compared(*records(whole, by_example)).structure

    assert [(item.one, item.other) for item in found if "op" in item.what] == [("", "argmax")]


def test_layout_is_no_difference_between_frameworks():
    other = NET.replace("loss = mean p", "q = reshape p\n    loss = mean q").replace("w: par", "kernel: par").replace("x w", "x kernel")

    assert [item.what for item in compared(*records(NET, other)).structure if "op" in item.what] == []


def test_optimizers_and_events_are_compared():
    one, other = records(NET, NET)
    slower = replace(other, optimizers=(replace(other.optimizers[0], rates=(0.001, 0.001)),))
    step = one.steps[0]
    eager = replace(other, steps=(replace(step, events=tuple(event for event in step.events if event.kind != "optimizer_step")),))

    assert [(item.what, item.other) for item in compared(one, slower).structure] == [("optimizer", "SGD, rate 0.001")]
    assert [(item.what, item.one, item.other) for item in compared(one, eager).structure] == [("events of the step", "optimizer_step", "")]


def test_the_first_figure_that_differs_and_the_one_that_differs_most():
    def figures(h: float, r: float) -> str:
        return NET.replace(
            "h = matmul x w", f"h: activation f32[8,4] count=32 norm={h}\n    r: activation f32[8,4] count=32 norm={r}\n    h = matmul x w"
        )

    one, other = records(figures(1.0, 2.0), figures(1.01, 200.0))
    found = compared(one, other)

    assert not found.structure
    assert found.first.what == "size of the result of `matmul`"
    assert found.largest.what == "size of the result of `relu`"
    assert found.largest.other_site.line == 4


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0, True), (float("nan"), float("nan"), True), (0.0, 0.0, True), (1.0, float("nan"), False), (0.0, 1.0, False), (1.0, -1.0, False),
        (float("inf"), float("inf"), True), (float("inf"), float("-inf"), False),
    ],
)  # fmt: skip
def test_numbers_that_are_not_finite_are_compared_as_what_they_are(one, other, same):
    assert (Figures("loss", one, other).apart == 0) is same


def test_the_command(tmp_path: Path):
    write(
        tmp_path,
        train=playing(HEALTHY),
        other=playing(HEALTHY.replace("loss = cross_entropy h y", "d = relu h\n      loss = cross_entropy d y")),
    )
    for name in ("train", "other"):
        whygrad(tmp_path, "run", "--record", f"{name}.rec", f"{name}.py")
    write(tmp_path, empty="import tiny")
    whygrad(tmp_path, "run", "--record", "empty.rec", "empty.py")

    same, different, empty = (whygrad(tmp_path, "compare", "train.rec", f"{name}.rec") for name in ("train", "other", "empty"))

    assert (same.returncode, different.returncode, empty.returncode) == (0, 1, 2)
    assert "other.rec: relu" in different.stdout
    assert "there is no training step in `empty.rec`" in empty.stderr


def test_long_lines_of_a_comparison_are_folded_to_the_screen() -> None:
    told = render(compared(*records(NET, CUT)), "a-rather-long-name-of-a-record.whygrad", "another-name-of-a-record.whygrad", 60)

    assert all(len(line) <= 60 for line in told.splitlines())
