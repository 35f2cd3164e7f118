"""A fixed sample of the accuracy corpus; `make accuracy` runs all of it."""

from pathlib import Path

import pytest
import score

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SAMPLE = (
    "flower-mlp-reassigned-targets",
    "mean-error-objective",
    "initial-condition-column-vs-vector",
    "movie-tags-sigmoid-in-head",
    "point-cloud-nll-on-scores",
    "review-encoder-probe",
    "energy-load-numpy-loss",
    "star-rating-regressor",
    "flowers-new-head",
    "churn-embedding-dict",
    "face-margin-head",
    "scan-head-swap",
    "wine-running-gradient",
    "gradient-logger-callback",
)
HEALTHY = (
    "gan-ring-two-optimizers",
    "byol-momentum-encoder",
    "vqvae-codebook-ste",
    "reinforce-corridor",
    "masked-lm-progressions",
    "lbfgs-closure-logistic",
    "moe-top2-routing",
    "frozen-trunk-new-head",
    "simclr-ntxent-arange",
    "accumulate-four-microbatches",
)

OTHERS = (
    "tensorflow/satellite-crops-class-ids",
    "tensorflow/gesture-three-units-five-kinds",
    "jax/sketch-features-stopped",
    "jax/grade-argmax-distance",
)
"""The same of the other frameworks: fewer, since these start slowly."""
OTHERS_HEALTHY = ("jax/fungus-frozen-backbone", "jax/relay-straight-through")

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def outcome(name: str, program: str) -> score.Outcome:
    return score.run(score.load(CORPUS / name), program)


def of_torch(*names: str) -> list[str]:
    return [f"torch/{name}" for name in names]


@pytest.mark.parametrize("name", [*of_torch(*SAMPLE), *OTHERS])
def test_the_right_cause_and_line_come_first(name):
    found = outcome(name, "faulty")

    assert found.first, found.said
    assert found.line, found.said


@pytest.mark.parametrize("name", [*of_torch(*SAMPLE[::3], *HEALTHY), *OTHERS[::2], *OTHERS_HEALTHY])
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
