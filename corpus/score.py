"""Runs the accuracy corpus under whygrad and prints how often it is right. `python corpus/score.py --help`."""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whygrad.ir.files import read_record

CORPUS = Path(__file__).resolve().parent
STORED = CORPUS.parent / "src/whygrad/reports/accuracy.json"
LIMIT = 120
"""Seconds of processor time that one program may take: a busy machine makes none slow."""
PATIENCE = 10 * LIMIT
"""Seconds after which a program that waits for something is ended."""
SHARE = 0.9
"""Part of the repaired twin's fall that a patched program has to reach."""


@dataclass(frozen=True)
class Case:
    """One folder of the corpus."""

    folder: Path
    rules: tuple[str, ...]
    lines: tuple[str, ...]
    second: tuple[str, ...]
    held_out: bool

    @property
    def framework(self) -> str:
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def family(self) -> str:
        return f"{self.rules[0][:3]}xx" if self.rules else "healthy"

    def programs(self) -> list[str]:
        return ["faulty", "repaired"] if self.rules else ["healthy"]


@dataclass(frozen=True)
class Outcome:
    """What whygrad said of one program."""

    case: Case
    program: str
    found: bool = False
    first: bool = False
    line: bool = False
    alarm: bool = False
    said: str = ""
    spoke: tuple[str, ...] = ()
    """Codes of what counts: errors and warnings, and a note where a note is the right answer."""


def load(folder: Path) -> Case:
    """Read a case; raises `KeyError` where `case.toml` lacks something."""
    facts = tomllib.loads((folder / "case.toml").read_text())
    return Case(folder, tuple(facts["rules"]), tuple(facts["lines"]), tuple(facts.get("second", ())), bool(facts.get("held_out")))


def within_limit() -> None:
    """In the new process: its processor time is bounded."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))


def run(case: Case, program: str) -> Outcome:
    """Run one program of a case in a process of its own."""
    folder = case.folder / program
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        command = [sys.executable, "-m", "whygrad", "run", "--json", str(report), "train.py"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                check=False, preexec_fn=within_limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(case, program, alarm=program != "faulty", said="timed out")
        if not report.exists():
            return Outcome(case, program, alarm=program != "faulty", said=f"no report: {done.stderr[-300:]}")
        return judge(case, program, json.loads(report.read_text()))


@dataclass(frozen=True)
class Repair:
    """What `whygrad fix --unsafe` made of a faulty program."""

    case: Case
    confirmed: bool = False
    """An experiment confirmed a root cause: a replay with one thing changed, or the whole program with one thing changed."""
    offered: bool = False
    """A fix with a diff was offered for an accepted rule."""
    tried: bool = False
    """The patched program was run whole, its fault is gone, and it learns no less."""
    verified: bool = False
    """It measurably gets further than the program as it stands, too."""
    healthy: bool = False
    """The patched program, run afresh, is called healthy."""
    fall: float | None = None
    """Share of its size by which its loss falls over that run."""
    twin: float | None = None
    said: str = ""

    @property
    def as_well(self) -> bool:
        """It falls at least SHARE as far as the repaired twin's."""
        return self.fall is not None and (self.twin is None or self.fall >= SHARE * self.twin)


def repair(case: Case) -> Repair:
    """Repair a copy of one faulty program, run what was written afresh, and the repaired twin beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        report, record, copy = Path(scratch, "report.json"), Path(scratch, "record"), Path(scratch, "copy")
        shutil.copytree(case.folder / "faulty", copy)
        said = whygrad(copy, "fix", "--unsafe", "--write", "--limit", str(LIMIT), "--json", str(report))
        if not report.exists():
            return Repair(case, said=said[-300:])
        roots = [item for item in json.loads(report.read_text())["diagnoses"] if item["root_cause"]]
        fixes = [item["fix"] for item in roots if item["fix"] is not None]
        found = Repair(
            case,
            confirmed=any(fix["verified"] for fix in fixes)
            or any((item["experiment"] or {}).get("verdict") == "confirmed" for item in roots),
            offered=any(fix["diff"] for fix in fixes),
            tried=any(fix["tried"] for fix in fixes),
            verified=any(fix["verified"] for fix in fixes),
            said=said[-300:],
        )
        if not found.tried:
            return found
        whygrad(case.folder / "repaired", "run", "--experiments", "off", "--record", str(record))
        twin = fall_of(record)
        said = whygrad(copy, "run", "--json", str(report), "--record", str(record))
        healthy = json.loads(report.read_text())["healthy"] is True
        return replace(found, healthy=healthy, fall=fall_of(record), twin=twin, said=found.said if healthy else said[:600])


def whygrad(folder: Path, *words: str) -> str:
    """Run a subcommand on the program in a folder; what it printed on stderr."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "whygrad", *words, "train.py"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return "timed out"
    return done.stderr


def fall_of(record: Path) -> float | None:
    """The share of its size by which the loss of a recorded program falls over the run."""
    courses = read_record(record).record.courses if record.exists() else ()
    course = max(courses, key=lambda course: course.steps, default=None)
    if course is None or course.start is None or course.last is None or not course.start:
        return None
    return (course.start - course.last) / abs(course.start)


def fixes_table(repairs: list[Repair]) -> str:
    """Confirmed by experiment, offered, verified, tried, and of the last healthy and as good as the twin, by framework."""
    rows = [f"{'':12}{'faulty':>8}{'confirmed':>11}{'offered':>9}{'verified':>10}{'tried':>7}{'healthy':>9}{'as twin':>9}"]
    for group in [*sorted({repair.case.framework for repair in repairs}), "all"]:
        mine = [repair for repair in repairs if group in (repair.case.framework, "all")]
        tried = [repair for repair in mine if repair.tried]
        said = (sum(r.confirmed for r in mine), sum(r.offered for r in mine), sum(r.verified for r in mine))
        counts = (len(mine), *said, len(tried), sum(r.healthy for r in tried), sum(r.as_well for r in tried))
        widths = (8, 11, 9, 10, 7, 9, 9)
        rows.append(f"{group:12}" + "".join(f"{count:{width}}" for count, width in zip(counts, widths, strict=True)))
    return "\n".join(rows)


def score_fixes(cases: list[Case], jobs: int) -> int:
    """Repair the faulty programs; exit status 1 if a fix that was tried does not hold."""
    repairs = []
    with ThreadPoolExecutor(jobs) as pool:
        for made in pool.map(repair, [case for case in cases if case.rules]):
            repairs.append(made)
            if not (made.verified and made.healthy and made.as_well):
                facts = f"confirmed={made.confirmed} offered={made.offered} tried={made.tried} verified={made.verified} healthy={made.healthy} fall={made.fall} twin={made.twin}"
                print(f"{made.case.name}: {' '.join(made.case.rules)}: {facts}: {made.said.strip()}\n", flush=True)
    print(fixes_table(repairs))
    return int(any(made.tried and not (made.healthy and made.as_well) for made in repairs))


def judge(case: Case, program: str, report: dict[str, Any]) -> Outcome:
    """Compare a report with what the case accepts."""
    loud = [item for item in report["diagnoses"] if item["severity"] != "note"]
    said = "; ".join(f"{item['rule']} {place(item)} {item['severity']}" for item in loud) or (
        "faults: " + report["faults"][0][:200] if report["faults"] else f"healthy={report['healthy']}"
    )
    if program != "faulty":
        codes = tuple(dict.fromkeys(item["rule"] for item in loud))
        return Outcome(case, program, alarm=bool(loud) or bool(report["faults"]), said=said, spoke=codes)
    accepted = {*case.rules, *case.second}
    counted = [item["rule"] for item in report["diagnoses"] if item["severity"] != "note" or item["rule"] in accepted]
    found = any(item["rule"] in accepted for item in report["diagnoses"])
    leader = report["diagnoses"][0] if report["diagnoses"] else {"rule": ""}
    first = leader["rule"] in accepted
    wanted = {line.removeprefix("faulty/") for line in case.lines}
    return Outcome(case, program, found, first, first and place(leader) in wanted, False, said, tuple(dict.fromkeys(counted)))


def place(item: dict[str, Any]) -> str:
    """`train.py:12`."""
    location = item.get("location")
    return f"{location['file']}:{location['line']}" if location else "-"


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases asked for."""
    cases = [load(path.parent) for path in sorted(CORPUS.glob("*/*/case.toml"))]
    cases = [case for case in cases if not arguments.only or any(part in case.name or part in case.rules for part in arguments.only)]
    cases = [case for case in cases if not arguments.framework or case.framework in arguments.framework]
    cases = [case for case in cases if not arguments.family or case.family.startswith(tuple(arguments.family))]
    cases = [case for case in cases if not (arguments.tuning and case.held_out)]
    return random.Random(arguments.seed).sample(cases, min(arguments.sample, len(cases))) if arguments.sample else cases


def table(outcomes: list[Outcome]) -> str:
    """Found, right cause first, right line, false alarms, by family."""
    rows = [f"{'':10}{'faulty':>8}{'found':>8}{'first':>8}{'line':>8}{'sound':>8}{'alarms':>8}"]
    groups = sorted({outcome.case.family for outcome in outcomes}), sorted({outcome.case.framework for outcome in outcomes})
    for group in [*groups[0], *groups[1], "all", "held out"]:
        mine = [o for o in outcomes if group in (o.case.family, o.case.framework, "all") or (group == "held out" and o.case.held_out)]
        faulty = [outcome for outcome in mine if outcome.program == "faulty"]
        sound = [outcome for outcome in mine if outcome.program != "faulty"]
        count = Counter(name for outcome in mine for name in ("found", "first", "line", "alarm") if getattr(outcome, name))
        rows.append(f"{group:10}{len(faulty):8}{count['found']:8}{count['first']:8}{count['line']:8}{len(sound):8}{count['alarm']:8}")
    return "\n".join(rows)


def store(outcomes: list[Outcome]) -> None:
    """Keep the figures for `whygrad explain`, of each framework that was run; the others' stay."""
    known = json.loads(STORED.read_text()) if STORED.exists() else {}
    for framework in {outcome.case.framework for outcome in outcomes}:
        known[framework] = figures([outcome for outcome in outcomes if outcome.case.framework == framework])
    STORED.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """The counts of one framework, as `whygrad.reports.accuracy` reads them."""
    rules: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        case, faulty = outcome.case, outcome.program == "faulty"
        right = {*case.rules, *case.second} if faulty else set()
        for code in {*outcome.spoke, *case.rules[: int(faulty)]}:
            score = rules.setdefault(code, dict.fromkeys(("faulty", "found", "spoke", "right"), 0))
            score["spoke"] += code in outcome.spoke
            score["right"] += code in outcome.spoke and code in right
            score["faulty"] += faulty and code == case.rules[0]
            score["found"] += faulty and code == case.rules[0] and outcome.found
    sound = [outcome for outcome in outcomes if outcome.program != "faulty"]
    return {
        "programs": len(outcomes), "sound": len(sound), "alarms": sum(o.alarm for o in sound), "rules": dict(sorted(rules.items()))
    }  # fmt: skip


def tell(outcome: Outcome) -> None:
    """Print a miss as soon as it is known: a whole run takes long."""
    if outcome.alarm or (outcome.program == "faulty" and not outcome.line):
        case = outcome.case
        print(
            f"{case.name} {outcome.program}: wanted {' '.join(case.rules) or 'silence'} at {' '.join(case.lines)}; said {outcome.said}",
            flush=True,
        )


def main() -> int:
    """Run and print; exit status 1 if a program gave a false alarm or was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of case names, or rule codes")
    parser.add_argument("--family", action="append", help="WG3, healthy, …")
    parser.add_argument("--framework", action="append", help="torch, tensorflow, jax")
    parser.add_argument("--tuning", action="store_true", help="leave out the cases that are held out of tuning")
    parser.add_argument("--sample", type=int, default=0, help="so many cases, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--store",
        action="store_true",
        help="keep the figures of this run for `whygrad explain`; a sample is told as such by its number of programs",
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--fixes",
        action="store_true",
        help="repair copies of the faulty programs by `whygrad fix --unsafe --write`, run them afresh, and score that",
    )
    arguments = parser.parse_args()
    if arguments.fixes:
        return score_fixes(chosen(arguments), arguments.jobs)
    work = [(case, program) for case in chosen(arguments) for program in case.programs()]
    outcomes = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for outcome in pool.map(lambda item: run(*item), work):
            outcomes.append(outcome)
            tell(outcome)
    print(table(outcomes))
    if arguments.store:
        store(outcomes)
    return int(any(outcome.alarm or (outcome.program == "faulty" and not outcome.found) for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
