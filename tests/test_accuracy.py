"""A fixed sample of the accuracy corpus; `make accuracy` runs all of it."""

from pathlib import Path

import pytest
import score

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SAMPLE = (
    "torch/flower-mlp-reassigned-targets",
    "torch/initial-condition-column-vs-vector",
    "torch/star-rating-regressor",
    "torch/wine-running-gradient",
    "torch/gradient-logger-callback",
    "tensorflow/satellite-crops-class-ids",
    "jax/grade-argmax-distance",
)
"""Programs of several files; the smallest ones of each rule run in `rules/test_programs.py`."""
HEALTHY = (
    "torch/gan-ring-two-optimizers",
    "torch/byol-momentum-encoder",
    "torch/masked-lm-progressions",
    "torch/lbfgs-closure-logistic",
    "torch/accumulate-four-microbatches",
    "tensorflow/gesture-three-units-five-kinds",
    "jax/fungus-frozen-backbone",
)

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def outcome(name: str, program: str) -> score.Outcome:
    return score.run(score.load(CORPUS / name), program)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_right_cause_and_line_come_first(name):
    found = outcome(name, "faulty")

    assert found.first, found.said
    assert found.line, found.said


@pytest.mark.parametrize("name", [SAMPLE[0], *HEALTHY])
def test_sound_programs_raise_no_alarm(name):
    case = score.load(CORPUS / name)
    found = outcome(name, case.programs()[-1])

    assert not found.alarm, found.said


def test_every_case_is_complete():
    for path in sorted(CORPUS.glob("*/*/case.toml")):
        case = score.load(path.parent)

        assert all((path.parent / program / "train.py").is_file() for program in case.programs()), case.name
        for line in case.lines:
            file, _, number = line.rpartition(":")
            assert len((path.parent / file).read_text().splitlines()) >= int(number), line
