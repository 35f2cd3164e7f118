"""Looking up what an experiment gave, and reading it as a verdict."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Literal

from whygrad.diagnosis import Experiment, Scalar, Test
from whygrad.ir import (
    Bypass,
    Descend,
    Differentiate,
    Follow,
    Intervention,
    Lift,
    Measures,
    Permute,
    Perturb,
    Reseed,
    Reshape,
    Reword,
    Standardise,
    Step,
    Trial,
    Unhook,
    Vary,
)

SHOWN = 3
"""Names that are written out."""

FELL = 0.02
"""Share of its size by which a loss must fall to have fallen: rounding and a lucky step stay below."""
STEADILY = 0.005
"""The same where the loss falls at every update with the change, and rises without, or jumps on its way at a larger rate."""
CALMED = 1e-5
"""The same where the loss without the change runs away within these very updates: a rate that suits neither scale may move it no further. Rounding stays a hundred times below."""
RAN_AWAY = 10.0
"""How many times its start a loss may reach on the way without having run away."""
JUMP = 2.0
"""
How many times its value the loss of the same batch must reach within a few updates to have jumped. Of 55 replays of 24 sound programs 51 rise by 2 % at most, two to
1.2 and 1.6 times, and two of one program to 1.6 and 2.9, from where they fall by 60 %; the largest of each of 7 programs with too large a rate are 2.0, 4.1, 5.3, 11, 157, 1,400
and more.
"""
FURTHER = 2.0
"""How many times further it must fall with the change than without; a mere matter of taste in settings stays below."""

GAIN = 0.2
"""Share by which a loss must end lower than without the change, where a control says what is learnt by heart, or the change is a decay left out."""

ENTRIES = 3
"""Entries that must have been compared to contradict a derivative."""

SHIFTED = 0.99
"""Share of the targets that must be the next entries of the sequence: text ends and the like may differ."""
SAME = 0.9
"""Share of them up to which they may be the same entries as well: with constant sequences nothing is known."""
LEAKS = 1e-3
"""Relative change of a prediction that a later entry causes: rounding is at 1e-6, in half precision at 1e-3 of single entries."""
CONTRAST = 4.0
"""How many times more the changed rows must change than the others, which batch normalisation changes as well: by 1 to 2 times as measured, a leak by 9."""
REACHES = 1e-3
"""Relative change of a prediction that other words must make at all: rounding is at 1e-6."""
FORGOTTEN = 0.01
"""Share of it up to which nothing is left behind the padding: a mean over ten times as much padding leaves 0.1, a state after a few padded steps 0.1 to 0.5."""
UNRELATED = 0.2
"""Mean cosine of gradients up to which they have little in common."""

Verdict = Literal["confirmed", "refuted", "inconclusive"]
_OPPOSITE: Mapping[Verdict, Verdict] = {"confirmed": "refuted", "refuted": "confirmed", "inconclusive": "inconclusive"}


def trial_of(step: Step, intervention: Intervention) -> Trial | None:
    """The trial of this very intervention on this step; None if it was not made."""
    return next((trial for trial in step.trials if trial.intervention == intervention), None)


def judged(test: Test, trial: Trial, baseline: Measures) -> Experiment:
    """What `trial` says about the prediction of `test`, given the unchanged replay."""
    return Experiment(described(test.intervention), test.prediction, _verdict(test, trial, baseline), _figures(test, trial, baseline))


def described(intervention: Intervention) -> str:
    """An intervention in words."""
    match intervention:
        case Permute(values):
            said = f"permute {_listed(values)} along the batch axis"
        case Lift(ops):
            said = f"let the gradient pass at {_listed(ops)}"
        case Bypass(ops):
            said = f"leave out {_listed(ops)}"
        case Reshape(value, shape):
            said = f"give `{value}` the shape [{','.join(map(str, shape))}]"
        case Standardise(values):
            said = f"standardise {_listed(values)}"
        case Vary(values, classes):
            said = f"draw {_listed(values)} anew from 0 to {classes - 1}"
        case Descend():
            said = f"{intervention.steps} updates on copies, {_changes(intervention)}"
        case Unhook(values):
            said = f"calculate the gradient of {_listed(values)} without its hooks"
        case _:
            said = _described_probe(intervention)
    return said


def _described_probe(intervention: Differentiate | Perturb | Reseed | Reword | Follow) -> str:
    """An intervention that has a measure of its own, in words."""
    match intervention:
        case Differentiate(ops):
            return f"compare the derivative of {_listed(ops)} with finite differences"
        case Perturb(value, op):
            return f"change the later half of `{value}` and compare the earlier half of `{op}`"
        case Reword(value, op):
            return f"change the words of `{value}` before much padding and compare `{op}`"
        case Reseed(ops):
            return f"draw the numbers of {_listed(ops)} anew"
        case Follow():
            return "put in the parameters that a run kept"


def _changes(descent: Descend) -> str:
    """What a descent does otherwise than the program."""
    parts = [f"with {_listed(descent.standardise)} standardised"] if descent.standardise else []
    parts += [f"at {descent.factor:g} times the learning rate"] if descent.factor != 1 else []
    parts += [f"with epsilon {descent.epsilon:g}"] if descent.epsilon is not None else []
    parts += [f"with a ReLU behind {_listed(descent.activate)}"] if descent.activate else []
    parts += [f"with {_listed(descent.thaw)} trained as well"] if descent.thaw else []
    parts += [f"with {_listed(descent.joined)} moved as well"] if descent.joined else []
    parts += [f"with a weight decay of {descent.decay:g}"] if descent.decay is not None else []
    parts += ["without the limit on whole updates"] if descent.unlimited else []
    return " and ".join(parts) or "unchanged"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _verdict(test: Test, trial: Trial, baseline: Measures) -> Verdict:
    if trial.reason or baseline.reproduced is False:
        return "inconclusive"
    own = _READINGS.get(type(test.intervention))
    if own is not None:
        alone = (test.same_unit and lies_below(trial)) or _says_nothing(test, trial)
        return "confirmed" if alone else own(trial)
    if test.raises_gradient_of:
        norms = [trial.gradients.get(name, 0.0) for name in test.raises_gradient_of]
        if any(math.isnan(norm) for norm in norms):
            return "inconclusive"
        return "confirmed" if all(norm > 0 for norm in norms) else "refuted"
    verdict = _changed(trial.change, baseline.noise_floor)
    return _OPPOSITE[verdict] if test.stays else verdict


def fall(losses: tuple[float, ...]) -> float | None:
    """By what share of its size the loss fell over a descent, at most 1 where it stays above 0; minus infinity where it ran away; None for none."""
    if not losses or not math.isfinite(losses[0]) or losses[0] == 0:
        return None
    # a likelihood near 0 may fall by many times its size, which is no running away
    if not all(math.isfinite(loss) and loss <= RAN_AWAY * abs(losses[0]) for loss in losses):
        return -math.inf
    return (losses[0] - losses[-1]) / abs(losses[0])


def _fell_further(trial: Trial) -> Verdict:
    """Whether the loss falls with the change, and clearly further than without."""
    changed, plain = fall(trial.losses), fall(trial.plain)
    if changed is None:
        return "inconclusive"
    before = -math.inf if plain is None else plain
    # timid: a rate whose loss jumps and then ends lower than at the smaller one learns: Adam's first updates in bfloat16, say
    failed = before < 0 or (_slower(trial) and jumped(trial.plain) and changed >= before) or (_faster(trial) and before < CALMED)
    least = CALMED if before == -math.inf and _scales(trial) else STEADILY
    steady = failed and all(later < earlier for earlier, later in pairwise(trial.losses)) and changed >= least
    return "confirmed" if steady or (changed >= FELL and changed >= FURTHER * max(before, 0.0)) else "refuted"


def lies_below(trial: Trial) -> bool:
    """The loss falls with the change, and the whole of its descent lies far below what it reaches without."""
    fell = fall(trial.losses)
    if fell is None or fell < FELL or not trial.plain or not all(map(math.isfinite, trial.plain)):
        return False
    return 0 < RAN_AWAY * max(trial.losses) <= min(trial.plain)


def jumped(losses: Sequence[float]) -> bool:
    """Within a few updates the loss of the very same batch went to twice what it had been, and to half of where it began and more, or became no number."""
    began, lowest = losses[0] if losses else 0.0, accumulate(losses, min)
    return any(before > 0 and not later < max(JUMP * before, began / JUMP) for before, later in zip(lowest, losses[1:], strict=False))


def outran(trial: Trial) -> bool:
    """An experiment at a smaller rate whose loss jumped or rose all the same: that rate is still too large."""
    return _slower(trial) and (jumped(trial.losses) or (bool(trial.losses) and trial.losses[-1] > trial.losses[0]))


def _scales(trial: Trial) -> bool:
    return isinstance(trial.intervention, Descend) and bool(trial.intervention.standardise)


def _slower(trial: Trial) -> bool:
    return isinstance(trial.intervention, Descend) and trial.intervention.factor < 1


def _faster(trial: Trial) -> bool:
    return isinstance(trial.intervention, Descend) and trial.intervention.factor > 1


def _descended(trial: Trial) -> Verdict:
    """Whether the change helps; where a control was made, more than it helps to learn permuted labels by heart."""
    if isinstance(trial.intervention, Descend) and trial.intervention.joined:
        return _joined(trial)
    if isinstance(trial.intervention, Descend) and trial.intervention.decay is not None and (gain(trial) or 0.0) >= GAIN:
        return "confirmed"  # a decay takes a loss that begins above chance down to that, which is a fall as well
    return _fell_further(trial) if "permuted" not in trial.figures else _bends(trial)


def _joined(trial: Trial) -> Verdict:
    """Whether the loss of this very batch ends lower where more parameters move; the replays are the same but for that, so that any gain beyond rounding counts."""
    changed, plain = fall(trial.losses), fall(trial.plain)
    if changed is None or plain is None or not math.isfinite(changed) or not math.isfinite(plain):
        return "inconclusive"
    if abs(changed - plain) < STEADILY:
        return "inconclusive"
    return "confirmed" if changed > plain else "refuted"


def _bends(trial: Trial) -> Verdict:
    """Whether the loss ends clearly lower with the change, and not by heart alone."""
    true, by_heart = gain(trial), _gained(trial.figures["permuted"], trial.figures.get("permuted_plain", math.nan))
    if true is None or by_heart is None:
        return "inconclusive"
    return "confirmed" if true >= GAIN and true >= FURTHER * max(by_heart, 0.0) else "refuted"


def gain(trial: Trial) -> float | None:
    """The share by which the loss ends lower after a descent with the change; None where that has no meaning."""
    fell = fall(trial.losses)
    return _gained(trial.losses[-1], trial.plain[-1]) if trial.losses and trial.plain and fell is not None and fell >= FELL else None


def _gained(changed: float, plain: float) -> float | None:
    return 1 - changed / plain if math.isfinite(changed) and math.isfinite(plain) and plain > 0 else None


def _says_nothing(test: Test, trial: Trial) -> bool:
    """Every entry that was compared moves the output, and the backward, which is known to return nothing, says zero for it."""
    zero = trial.figures.get("zero", 0.0)
    return isinstance(test.intervention, Differentiate) and not test.required and 0 < zero == trial.figures.get("checked")


def _contradicted(trial: Trial) -> Verdict:
    """Whether finite differences contradict a custom derivative at most of the entries where they say anything."""
    checked, wrong = trial.figures.get("checked", 0.0), trial.figures.get("wrong", 0.0)
    if checked < ENTRIES:
        return "inconclusive"
    return "confirmed" if wrong > checked / 2 else "refuted"


def _leaked(trial: Trial) -> Verdict:
    """Whether what a sequence holds later changes what is predicted earlier, where that is the label."""
    shifted, same = trial.figures.get("shifted", 0.0), trial.figures.get("same", 1.0)
    leak, control = trial.figures.get("leak", math.nan), trial.figures.get("control", math.nan)
    if not (shifted >= SHIFTED and same <= SAME) or math.isnan(leak) or math.isnan(control):
        return "inconclusive"
    return "confirmed" if leak > LEAKS and leak > CONTRAST * control else "refuted"


def _forgotten(trial: Trial) -> Verdict:
    """Whether next to nothing of the words reaches the prediction through the padding behind them, and much does where that stands in front."""
    behind, before = trial.figures.get("behind", math.nan), trial.figures.get("before", math.nan)
    if math.isnan(behind) or math.isnan(before) or before < REACHES:
        return "inconclusive"
    return "confirmed" if behind <= FORGOTTEN * before else "refuted"


def _unrelated(trial: Trial) -> Verdict:
    """Whether gradients under other random numbers have little in common."""
    cosine = trial.figures.get("cosine", math.nan)
    if math.isnan(cosine):
        return "inconclusive"
    return "confirmed" if cosine <= UNRELATED else "refuted"


_READINGS: Mapping[type[Intervention], Callable[[Trial], Verdict]] = {
    Descend: _descended,
    Differentiate: _contradicted,
    Perturb: _leaked,
    Reseed: _unrelated,
    Reword: _forgotten,
}
"""Interventions with a measure of their own, and how it is read."""


def _changed(change: float | None, noise: float | None) -> Verdict:
    """Whether the gradient as a whole changed beyond what two unchanged replays differ by."""
    if change is None or math.isnan(change):
        return "inconclusive"
    floor = 0.0 if noise is None or math.isnan(noise) else noise
    return "confirmed" if change > floor else "refuted"


def _figures(test: Test, trial: Trial, baseline: Measures) -> dict[str, Scalar]:
    figures: dict[str, Scalar] = {
        "gradient_norm_before": baseline.gradient_norm,
        "gradient_norm": trial.gradient_norm,
        "change": trial.change,
    }
    figures |= {name: trial.gradients.get(name) for name in test.raises_gradient_of[:SHOWN]}
    figures |= {"fall_before": fall(trial.plain), "fall": fall(trial.losses), **trial.figures}
    return {key: value for key, value in figures.items() if value is not None}
