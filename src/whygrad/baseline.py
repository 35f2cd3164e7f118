"""Diagnoses that a project has accepted for now: a file of their fingerprints, so that only new ones fail a check."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from whygrad.diagnosis import Diagnosis, Report
from whygrad.errors import WhygradError
from whygrad.reports.fingerprint import fingerprint

VERSION = 1


class Accepted(msgspec.Struct, frozen=True, order=True):
    """One accepted diagnosis; what stands beside the fingerprint is for people."""

    file: str
    rule: str
    message: str
    fingerprint: str


class Baseline(msgspec.Struct, frozen=True):
    """The file."""

    version: int = VERSION
    accepted: tuple[Accepted, ...] = ()


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints of a baseline; raises `WhygradError` for a file that is none."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except OSError as problem:
        remedy = "make it with `--update-baseline`" if isinstance(problem, FileNotFoundError) else "check the path and its permissions"
        raise WhygradError(f"the baseline `{path}` can't be read: {problem.strerror or problem}", help=remedy) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise WhygradError(f"`{path}` is no baseline: {problem}", help="make a new one with `--update-baseline`") from None
    if found.version != VERSION:
        raise WhygradError(
            f"`{path}` has version {found.version}, and this whygrad reads {VERSION}", help="make a new one with `--update-baseline`"
        )
    return frozenset(item.fingerprint for item in found.accepted)


def as_baseline(report: Report, known: frozenset[str]) -> str:
    """The file that accepts all that this report shows, and what it hid because it was accepted before. Sorted, so that it can be reviewed."""
    kept = (item for item in report.suppressed if fingerprint(item) in known)
    accepted = sorted({_accepted(item) for item in (*report.diagnoses, *kept)})
    return msgspec.json.format(msgspec.json.encode(Baseline(accepted=tuple(accepted))), indent=2).decode() + "\n"


def _accepted(item: Diagnosis) -> Accepted:
    return Accepted(item.site.file if item.site is not None else "", item.rule, item.message, fingerprint(item))


def is_accepted(diagnosis: Diagnosis, accepted: Iterable[str]) -> bool:
    """Whether the baseline has this diagnosis; its place must be given as reports give it, relative to the folder."""
    return fingerprint(diagnosis) in frozenset(accepted)
