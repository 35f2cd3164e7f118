"""From a judged report to one that offers fixes: remedies are made into patches of the source as it stands now."""

from dataclasses import replace
from pathlib import Path

from whygrad.diagnosis import Diagnosis, Fix, Report
from whygrad.ir import Descend


def with_fixes(report: Report, folder: Path) -> Report:
    """The report with a fix for each root cause that has a remedy."""
    if not any(diagnosis.remedy is not None and diagnosis.root_cause for diagnosis in report.diagnoses):
        return report
    return replace(report, diagnoses=tuple(_with_fix(diagnosis, folder) for diagnosis in report.diagnoses))


def _with_fix(diagnosis: Diagnosis, folder: Path) -> Diagnosis:
    from whygrad.fixes.patching import Patch, patch  # noqa: PLC0415 - libcst is not imported before there is something to mend
    from whygrad.fixes.sources import Texts, writable  # noqa: PLC0415

    remedy = diagnosis.remedy
    if remedy is None or not diagnosis.root_cause:
        return diagnosis
    made = patch(remedy, Texts(folder)) if stands(diagnosis) else Patch(reason="the experiment with this change did not confirm it")
    locked = next((why for path in made.texts if (why := writable(path))), "")
    return replace(diagnosis, fix=Fix(remedy.summary, made.diff, made.reason or locked, safe=remedy.safe, changes=remedy.changes))


def stands(diagnosis: Diagnosis) -> bool:
    """Where the change was tried on a replay, it did what was predicted; parameters that are to move are moved whatever the rate does to one batch."""
    if diagnosis.test is not None and isinstance(diagnosis.test.intervention, Descend) and diagnosis.test.intervention.joined:
        return True
    return diagnosis.experiment is None or diagnosis.experiment.verdict != "refuted"
