"""What `whygrad fix` says of its runs: figures before and after, and what became of each fault."""

from collections.abc import Mapping

from whygrad.diagnosis import Diagnosis, Scalar
from whygrad.ir import Course
from whygrad.reports.figures import counted, figure

ROWS = {
    "loss_first": "loss at the start",
    "loss_last": "loss at the end",
    "label_sensitivity": "label sensitivity",
    "gradient_norm": "gradient norm",
    "patched_loss_first": "patched loss, before",
    "patched_loss_last": "patched loss, after",
}
MOST_LEFT = 5
SHARES = (0.25, 0.5, 0.75)
"""Of a run, at which its loss is shown beside those of its start and end."""


def compared(before: Mapping[str, Scalar], after: Mapping[str, Scalar]) -> str:
    """A small table, one measure a line; the patched loss is that on the first recorded batch, by the parameters of each run."""
    lines = [f"{'':22}{'as it stands':>14}{'patched':>14}"]
    known = {name: words for name, words in ROWS.items() if (before.get(name), after.get(name)) != (None, None)}
    lines += [f"  {words:20}{_shown(before.get(name)):>14}{_shown(after.get(name)):>14}" for name, words in known.items()]
    return "\n".join(lines) if known else ""


def row_name(name: str) -> str:
    """A measure in words, as the tables of a repair name it."""
    return ROWS.get(name, name.replace("_", " "))


def side_by_side(before: Course | None, after: Course | None) -> str:
    """Both loss curves, at the same shares of each run; "" where one of them is not known."""
    curves = [course.curve if course is not None else () for course in (before, after)]
    if not any(len(curve) > 1 for curve in curves):
        return ""
    rows = [
        f"  {f'loss at {share:.0%}'.replace('%', ' %'):20}" + "".join(f"{_at(curve, share):>14}" for curve in curves) for share in SHARES
    ]
    return "\n".join(rows)


def _at(curve: tuple[float, ...], share: float) -> str:
    return figure(curve[round(share * (len(curve) - 1))]) if curve else "-"


def _shown(value: Scalar) -> str:
    return figure(value) if isinstance(value, float | int) else "-"


def summary(
    kept: tuple[Diagnosis, ...],
    why: str,
    remaining: Mapping[str, str],
    left: tuple[str, ...],
    alone: Mapping[str, str] | None = None,
    *,
    shown: str = "",
) -> str:
    """Which faults were repaired, whether that is proved, and which remain.

    `alone`: what leaving one fix out showed, by the fault's message. `shown`: what was measured, where the fault is gone and nothing shows that the patched program gets further than the other.
    """
    lines = []
    if kept:
        ran = "the patched program was run whole"
        proved = f"tried: {ran}, the fault is gone, and the program {shown}" if shown else f"verified: {ran}, and learns"
        verdict = f"not verified: {why}" if why else proved
        lines += [f"{counted(len(kept), 'fault')} {'patched' if why else 'repaired'}, {verdict}"]
        lines += [
            f"  {diagnosis.rule} {diagnosis.name}: {diagnosis.remedy.summary if diagnosis.remedy else ''}{_safety(diagnosis)}"
            + (f"\n    {alone[diagnosis.message]}" if alone and diagnosis.message in alone else "")
            for diagnosis in kept
        ]
    else:
        lines += ["no fault was repaired"]
    lines += [f"remains: {message}" + (f"\n  {reason}" if reason else "") for message, reason in remaining.items()]
    if left:
        more = f" and {len(left) - MOST_LEFT} more" if len(left) > MOST_LEFT else ""
        lines.append(f"changed in the folder during the runs, and left as it is: {', '.join(left[:MOST_LEFT])}{more}")
    return "\n".join(lines)


def _safety(diagnosis: Diagnosis) -> str:
    remedy = diagnosis.remedy
    return f" (unsafe: {remedy.changes})" if remedy is not None and not remedy.safe else ""
