"""What holds for every front end's replay: nothing to change changes nothing, and a later step's parameters give its loss."""

from collections.abc import Callable
from pathlib import Path

import pytest

from whygrad.frontends import Recording
from whygrad.ir import Descend, Follow, Intervention, Record, Reshape, Step, Trial
from whygrad.observing import Observing
from whygrad.replay import Replay


def idle(step: Step, empty: Path) -> tuple[Intervention, ...]:
    """Interventions that ask for what is there already."""
    (label,) = step.labels.values
    moved = tuple(p.name for p in step.parameters if p.trainable)
    return (
        Reshape(label, step.graph.values[label].shape or ()),
        Descend(),
        Descend(factor=1.0, standardise=()),
        Descend(joined=moved),
        Follow(str(empty)),
    )


def idle_trials(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object], empty: Path) -> list[tuple[float | None, Trial]]:
    """What comes of them in each recorded step of a run, with the step's loss as it was."""
    empty.mkdir()
    found: list[tuple[float | None, Trial]] = []

    def ask(_: Observing, step: Step, replay: Replay) -> Step:
        loss = replay.baseline().loss
        found.extend((loss, replay.run(intervention)) for intervention in idle(step, empty))
        return step

    monkeypatch.setattr(Observing, "examine", ask)
    run()
    return found


def assert_nothing_changed(trials: list[tuple[float | None, Trial]]) -> None:
    """Bit for bit."""
    assert len(trials) >= len(idle.__annotations__)
    for loss, trial in trials:
        assert not trial.reason, trial
        assert trial.change in (0.0, None)
        assert trial.losses == trial.plain or isinstance(trial.intervention, Follow) or _joined(trial)
        assert (trial.losses[0] if trial.losses else trial.loss) == loss
    assert {type(trial.intervention) for _, trial in trials} == {Reshape, Descend, Follow}
    unchanged = {trial.losses for _, trial in trials if trial.intervention == Descend()}
    for _, trial in (pair for pair in trials if _joined(pair[1])):
        assert trial.losses in unchanged
        assert trial.losses[-1] != trial.losses[0]
        assert set(trial.plain) == {trial.losses[0]}


def _joined(trial: Trial) -> bool:
    """All parameters join, so that the change makes the descent of the program, and none moves without it."""
    return isinstance(trial.intervention, Descend) and bool(trial.intervention.joined)


def kept_and_followed(folder: Path, recorded: Callable[[Path, str, Recording], Record], program: str) -> list[tuple[float, float]]:
    """The first step's loss by the parameters of later ones of a run on one batch, each beside what that run's own loss was there."""
    kept = folder / "kept"
    kept.mkdir()
    course = recorded(folder, program, Recording(trajectory=str(kept))).courses[0]
    (trial,) = [trial for step in recorded(folder, program, Recording(follow=(str(kept),))).steps for trial in step.trials]
    assert not trial.reason
    return [(loss, course.curve[int(moment) - 1]) for moment, loss in trial.figures.items() if int(moment) <= len(course.curve)]
