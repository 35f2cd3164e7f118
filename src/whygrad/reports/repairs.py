"""What `whygrad fix` says of its runs: figures before and after, and what became of each fault."""

from collections.abc import Mapping

from whygrad.diagnosis import Diagnosis, Scalar
from whygrad.reports.figures import counted, figure

ROWS = {
    "loss_first": "loss at the start",
    "loss_last": "loss at the end",
    "label_sensitivity": "label sensitivity",
    "gradient_norm": "gradient norm",
}
MOST_LEFT = 5


def compared(before: Mapping[str, Scalar], after: Mapping[str, Scalar]) -> str:
    """A small table, one measure a line."""
    lines = [f"{'':22}{'as it stands':>14}{'patched':>14}"]
    lines += [f"  {words:20}{_shown(before.get(name)):>14}{_shown(after.get(name)):>14}" for name, words in ROWS.items()]
    return "\n".join(lines)


def _shown(value: Scalar) -> str:
    return figure(value) if isinstance(value, float | int) else "-"


def summary(kept: tuple[Diagnosis, ...], why: str, remaining: Mapping[str, str], left: tuple[str, ...]) -> str:
    """Which faults were repaired, whether that is proved, and which remain."""
    lines = []
    if kept:
        verdict = f"not verified: {why}" if why else "verified: the patched program was run whole, and learns"
        lines += [f"{counted(len(kept), 'fault')} {'patched' if why else 'repaired'}, {verdict}"]
        lines += [
            f"  {diagnosis.rule} {diagnosis.name}: {diagnosis.remedy.summary if diagnosis.remedy else ''}{_safety(diagnosis)}"
            for diagnosis in kept
        ]
    else:
        lines += ["no fault was repaired"]
    lines += [f"remains: {message}" + (f"\n  {reason}" if reason else "") for message, reason in remaining.items()]
    if left:
        more = f" and {len(left) - MOST_LEFT} more" if len(left) > MOST_LEFT else ""
        lines.append(f"written by the runs and not put back: {', '.join(left[:MOST_LEFT])}{more}")
    return "\n".join(lines)


def _safety(diagnosis: Diagnosis) -> str:
    remedy = diagnosis.remedy
    return f" (unsafe: {remedy.changes})" if remedy is not None and not remedy.safe else ""
