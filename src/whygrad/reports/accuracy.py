"""How often each rule was right over the accuracy corpus, as `make accuracy` measured it last."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

MEASURED = "accuracy.json"


class Score(msgspec.Struct, frozen=True):
    """One rule's count over the programs of the corpus."""

    faulty: int
    """Programs that have the rule's fault."""
    found: int
    """Those of them for which the rule, or another that is accepted for them, spoke."""
    spoke: int
    """Programs, faulty or sound, of which the rule said something that counts."""
    right: int
    """Those of them in which that was the fault."""


class Accuracy(msgspec.Struct, frozen=True):
    """A run of one framework's corpus, or of a sample of it."""

    programs: int
    sound: int
    """Programs without a fault among them: repaired twins and healthy look-alikes."""
    alarms: int
    rules: Mapping[str, Score]


@cache
def accuracy() -> tuple[Accuracy, ...]:
    """The stored figures of the last runs, one for each framework."""
    stored = msgspec.json.decode(files(__package__).joinpath(MEASURED).read_bytes(), type=dict[str, Accuracy])
    return tuple(stored.values())


def sentence(code: str, measured: tuple[Accuracy, ...] | None = None) -> str:
    """The rule's own figures in words: `Measured on 397 programs of the accuracy corpus, 248 of them sound: …`."""
    known = accuracy() if measured is None else measured
    where = f"Measured on {sum(a.programs for a in known)} programs of the accuracy corpus, {sum(a.sound for a in known)} of them sound"
    scores = [a.rules[code] for a in known if code in a.rules]
    if not scores:
        return f"{where}: it did not speak, and none of them has this fault."
    score = Score(*(sum(getattr(one, name) for one in scores) for name in Score.__struct_fields__))
    precision = f"it spoke {_times(score.spoke)}, rightly {_times(score.right)}{_share(score.right, score.spoke)}"
    if not score.faulty:
        return f"{where}: {precision}; none of them has this fault alone."
    return f"{where}: {precision}; of {score.faulty} with this fault it found {score.found}."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _share(part: int, whole: int) -> str:
    return f" (precision {100 * part / whole:.0f} %)" if whole else ""
