"""The lines of the live display, and the sentences that stand for it where nothing can be drawn."""

from dataclasses import replace
from math import inf, nan

import pytest

from reports.samples import UNUSED_LABELS
from whygrad.ir import Measures, Parameter
from whygrad.reports.live import Layer, View, frame, layers_of, sparkline, told

LAYERS = (Layer("encoder.0", None), Layer("encoder.2", 1e-5), Layer("head", 0.31))
VIEW = View("train.py", 162, 29.4, "watching", (1.07, 0.8, 0.59), LAYERS, Measures(loss=0.59, gradient_norm=0.219, label_sensitivity=0.9))


def test_a_display_of_a_program_at_work():
    assert frame(VIEW, 72, 8) == [
        "── whygrad · train.py · 162 steps in 29 s · watching ───────────────────",
        "loss      1.07 → 0.59  █▄▁",
        "measured  label sensitivity 0.9 (of 0 to 2), gradient norm 0.219",
        "so far    no fault found",
        "  encoder.0   no gradient  ",
        "  encoder.2         1e-05  ███",
        "  head               0.31  ██████████",
        "",
    ]


def test_what_is_found_has_its_rule_and_its_place():
    found = frame(replace(VIEW, diagnoses=(UNUSED_LABELS,)), 72, 8)[3]

    assert found.startswith("so far    error[WG101] train.py:10:10: `labels` never reach the loss")


def test_nothing_is_claimed_before_anything_was_measured():
    assert frame(View("train.py"), 60, 4)[1:] == ["loss      not known yet", "measured  nothing yet", "so far    nothing judged"]


@pytest.mark.parametrize("width", [20, 40, 200])
@pytest.mark.parametrize("height", [4, 5, 12])
def test_every_picture_fits(width: int, height: int):
    many = replace(VIEW, layers=tuple(Layer(f"block.{at}.attention", 10.0**-at) for at in range(60)), diagnoses=(UNUSED_LABELS,) * 9)
    lines = frame(many, width, height, unicode=False)

    assert len(lines) == height
    assert max(len(line) for line in lines) <= width
    assert all(line.isascii() for line in lines)


def test_of_many_layers_those_with_the_least_gradient_are_named():
    many = replace(VIEW, layers=(*LAYERS, *(Layer(f"block.{at}", 0.1) for at in range(30)), Layer("broken", nan)))
    lines = frame(many, 100, 9)

    assert "33 layers, those with the least below" not in lines[4]
    assert "34 layers, those with the least below" in lines[4]
    assert [line.split()[0] for line in lines[5:8]] == ["encoder.0", "broken", "encoder.2"]


def test_names_and_text_of_users_stay_one_line():
    hostile = replace(VIEW, program="a\nb\x1b[31m", layers=(Layer("x\ny\x1b]0;z", 1.0),))

    assert all("\n" not in line and "\x1b" not in line for line in frame(hostile, 80, 6))


def test_parameters_are_joined_by_module_and_frozen_ones_left_out():
    parameters = [
        Parameter("fc.weight", "w", gradient="finite", gradient_norm=3.0),
        Parameter("fc.bias", "b", gradient="finite", gradient_norm=4.0),
        Parameter("old.weight", "o", trainable=False, gradient="finite", gradient_norm=9.0),
        Parameter("cut.weight", "c", gradient="none"),
        Parameter("scale", "s", gradient="non-finite", gradient_norm=nan),
    ]
    found = layers_of(parameters)

    assert found[:2] == (Layer("fc", 5.0), Layer("cut", None))
    assert str(found[2]) == str(Layer("scale", nan))


def test_a_curve_of_any_numbers_has_bars_and_fits():
    assert sparkline([1.0]) == "▁"
    assert sparkline([3.0, 1.0]) == "█▁"
    assert len(sparkline([float(at) for at in range(128)])) <= 40
    assert len(sparkline([-1.7e308, 1.7e308])) == 2
    assert frame(replace(VIEW, curve=(inf, nan)), 80, 4)[1] == "loss      not known yet"


def test_sentences_say_only_what_is_new():
    now = replace(VIEW, state="step 0 recorded", diagnoses=(UNUSED_LABELS,))

    assert [line[:60] for line in told(View("train.py"), now)] == [
        "step 0 recorded: loss 0.59, label sensitivity 0.9 (of 0 to 2",
        "so far    error[WG101] train.py:10:10: `labels` never reach ",
    ]
    assert list(told(now, replace(now, steps=200))) == []
