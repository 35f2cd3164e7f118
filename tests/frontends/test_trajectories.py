"""Parameters are kept at a few moments of a run, and put into a recorded step again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from whygrad.frontends.trajectories import Trajectory, fitting, followed, kept
from whygrad.ir import Follow


def loss_with(given: Mapping[str, Any]) -> float:
    """Of a model with one weight that began at 8."""
    return float(given["w"].sum()) if given else 8.0


def run(folder: Path, losses: int) -> Trajectory:
    """A run whose weight is the number of losses that are still to come."""
    way = Trajectory(str(folder))
    for left in range(losses, 0, -1):
        weights = {"w": np.array([left], np.float32), "key": np.array([object()])[:0]}
        way.loss_seen(weights.copy)
    way.ended(lambda: {"w": np.zeros(1, np.float32)})
    return way


def test_parameters_are_kept_ever_more_seldom_and_at_the_end(tmp_path: Path):
    run(tmp_path, 9)

    assert [(moment, float(found["w"][0])) for moment, found in kept(tmp_path)] == [(2, 8.0), (4, 6.0), (8, 2.0), (10, 0.0)]


def test_nothing_is_kept_where_no_folder_is_named():
    way = Trajectory("")
    for _ in range(5):
        way.loss_seen(lambda: 1 / 0)  # type: ignore[arg-type, return-value]  # never asked
    way.ended(lambda: 1 / 0)  # type: ignore[arg-type, return-value]

    assert way.seen == 5


def test_a_step_is_looked_at_with_what_was_kept(tmp_path: Path):
    run(tmp_path, 4)
    trial = followed(Follow(str(tmp_path)), {"w": (1,)}, loss_with)

    assert (trial.loss, dict(trial.figures)) == (8.0, {"2": 3.0, "4": 1.0, "5": 0.0})


def test_what_has_another_shape_or_name_is_not_put_in(tmp_path: Path):
    run(tmp_path, 4)

    assert followed(Follow(str(tmp_path)), {"w": (2,)}, loss_with).figures == {}
    assert followed(Follow(str(tmp_path)), {"v": (1,)}, loss_with).figures == {}


def test_a_run_that_kept_nothing_changes_nothing(tmp_path: Path):
    trial = followed(Follow(str(tmp_path)), {"w": (1,)}, loss_with)

    assert (trial.loss, trial.losses, trial.figures) == (8.0, (8.0,), {})


def test_names_may_lack_the_models_where_one_alone_was_seen():
    arrays = {"w": np.zeros(3), "net.v": np.ones(1), "net.u": np.ones(2)}
    alike = {"v": (1,), "u": (2,)}

    assert fitting(arrays, alike) == {"v": arrays["net.v"], "u": arrays["net.u"]}
    assert fitting(arrays, {**alike, "w": (3,)}) == {"w": arrays["w"]}
    assert fitting(arrays, {"v": (2,), "u": (2,)}) == {}
    assert fitting({**arrays, "other.v": np.ones(1)}, alike) == {}
