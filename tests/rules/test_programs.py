"""The smallest bad and good program of every rule in every framework where its fault can occur, end to end, and the whole report on the bad one.

`bad_torch.txt` is the terminal report, byte for byte but for figures: these may differ by FIGURES, since arithmetic rounds differently on other machines, and
the versions of frameworks are not compared. WHYGRAD_WRITE_GOLDEN=1 writes the files anew; read them as a user would before committing.

A rule whose fault can't occur in a framework says why in `elsewhere.toml` beside its programs, one line for each such framework; the rule's page shows it.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from program_pool import WIDTH, Pool, Pools
from whygrad.diagnosis import Report, Rule
from whygrad.fixes import patch
from whygrad.fixes.sources import Texts
from whygrad.ir.files import read_record
from whygrad.rules import load_rules

HERE = Path(__file__).parent
FRAMEWORKS = ("torch", "tensorflow", "jax")
OPEN: dict[tuple[str, str], str] = {}
"""Bad programs that show more than their own rule, and why; each is a fault to mend."""
FIGURES = 0.02
"""Relative difference between figures up to which two reports are the same: two significant digits."""
ROUNDING = 1e-6
"""Figures below this are what rounding leaves of zero, and differ freely."""
FIGURE = re.compile(r"(?<![\w.])-?(?:\d+\.\d+(?:e[+-]\d+)?|\d+e[+-]\d+)")
RULES_JUDGED = re.compile(r"\d+ rules judged")
"""New rules come in."""
VERSION = re.compile(r"(?<=run: )[^;]*(?=;)")
"""Frameworks and their versions."""
PERCENT = re.compile(r"\b\d+(?= ?%)")
"""Whole percentages are too coarse to be compared."""
GARBAGE = re.compile(r"(?<=reaches from )\S+ to \S+")
"""What uninitialised memory holds."""
REPORT = re.compile(r"^(?:error|warning|note)\[WG|^whygrad: ", re.MULTILINE)


def folder(rule: Rule) -> Path:
    """Where a rule's tests and programs lie."""
    *_, family, name = rule.check.__module__.split(".")
    return HERE / family / name


def elsewhere(rule: Rule) -> dict[str, str]:
    """Why the rule's fault can't occur, for each framework where it can't."""
    reasons = folder(rule) / "elsewhere.toml"
    return tomllib.loads(reasons.read_text(encoding="utf-8")) if reasons.is_file() else {}


CHAOTIC = frozenset((("WG320", "jax"), ("WG320", "tensorflow"), ("WG411", "jax"), ("WG508", "jax"), ("WG508", "tensorflow")))
"""Programs that run away: the last bits decide their numbers, and those differ between processors."""
PAIRS = [(rule, framework) for rule in load_rules() for framework in FRAMEWORKS if (folder(rule) / f"bad_{framework}.py").is_file()]


def marks(rule: Rule, framework: str) -> list[pytest.MarkDecorator]:
    """What pytest has to know of a rule in a framework."""
    return [pytest.mark.xfail(reason=OPEN[rule.code, framework])] if (rule.code, framework) in OPEN else []


EVERY_RULE = pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.code)
EVERYWHERE = pytest.mark.parametrize(("rule", "framework"), PAIRS, ids=lambda value: value if isinstance(value, str) else value.code)
ITS_OWN_ALONE = pytest.mark.parametrize(
    ("rule", "framework"), [pytest.param(*pair, marks=marks(*pair), id=f"{pair[0].code}-{pair[1]}") for pair in PAIRS]
)


def report_of(stderr: str) -> str:
    """The part of stderr that is the report: the program's own traceback comes before it."""
    found = REPORT.search(stderr)
    return stderr[found.start() :] if found else stderr


def compared(text: str) -> str:
    """A report without what differs from one machine to the next; on one line, since line breaks move with the length of a figure."""
    text = RULES_JUDGED.sub("rules judged", " ".join(text.split()))
    return PERCENT.sub("#", GARBAGE.sub("# to #", VERSION.sub("VERSION", text)))


def without_figures(text: str) -> str:
    """A report with a sign in place of each figure."""
    return FIGURE.sub("#", compared(text))


def without_numbers(text: str) -> str:
    """A report with a sign in place of each number, counted ones included."""
    return re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "#", compared(text))


def figures(text: str) -> list[float]:
    """The figures of a report, in order."""
    return [float(found) for found in FIGURE.findall(compared(text))]


def same(one: float, other: float) -> bool:
    """Two figures that only rounding tells apart."""
    return abs(one - other) <= max(FIGURES * max(abs(one), abs(other)), ROUNDING)


@pytest.fixture(scope="module")
def pools() -> Iterator[Pools]:
    """The processes for the tests that this worker runs."""
    started = Pools()
    yield started
    started.close()


def run(pool: Pool, program: Path, tmp_path: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What came of a program, and its JSON report."""
    answer = pool.run(program, tmp_path / "report.json", *options)
    assert (tmp_path / "report.json").exists(), answer["stderr"]
    return answer, json.loads((tmp_path / "report.json").read_text())


@EVERY_RULE
def test_every_rule_has_its_programs_or_a_reason_why_not(rule: Rule):
    programs = {
        framework: [(folder(rule) / name).is_file() for name in (f"bad_{framework}.py", f"good_{framework}.py", f"bad_{framework}.txt")]
        for framework in FRAMEWORKS
    }
    reasons = elsewhere(rule)

    assert {framework: [framework not in reasons] * 3 for framework in FRAMEWORKS} == programs
    assert all(reason.endswith(".") for reason in reasons.values())
    assert len(reasons) < len(FRAMEWORKS)


def healed(report: Path, program: Path, pool: Pool, tmp_path: Path) -> tuple[str, str]:
    """The program with the fix of its root cause, run unless it is the good program: what a second application of the fix makes of it, and what it is."""
    judged = msgspec.msgpack.decode(read_record(report).report_bytes or b"", type=Report)
    (remedy,) = [diagnosis.remedy for diagnosis in judged.diagnoses if diagnosis.root_cause]
    assert remedy is not None
    made = patch(remedy, Texts(program.parent))
    again = patch(remedy, Texts(program.parent, made.texts))
    if made.texts != {str(program): program.with_name(program.name.replace("bad_", "good_")).read_text()}:  # that one is run in any case
        patched = tmp_path / program.name
        patched.write_text(made.texts[str(program)])
        answer, after = run(pool, patched, tmp_path)

        assert [item["rule"] for item in after["diagnoses"] if item["severity"] != "note"] == []
        assert (after["healthy"], answer["status"]) == (True, 0)
    return again.texts.get(str(program), made.texts[str(program)]), made.texts[str(program)]


@pytest.mark.torch
@ITS_OWN_ALONE
def test_the_bad_program_shows_its_own_rule_alone_and_its_fix_heals_it(rule: Rule, framework: str, pools: Pools, tmp_path: Path):
    program, record = folder(rule) / f"bad_{framework}.py", tmp_path / "record"
    answer, report = run(pools[framework], program, tmp_path, "--record", str(record))
    text, golden = report_of(answer["stderr"]), folder(rule) / f"bad_{framework}.txt"
    if os.environ.get("WHYGRAD_WRITE_GOLDEN"):
        golden.write_text(text)

    assert [item["rule"] for item in report["diagnoses"] if item["root_cause"]] == [rule.code]
    assert report["faults"] == []
    if (rule.code, framework) in CHAOTIC:
        assert without_numbers(text) == without_numbers(golden.read_text())
    else:
        assert without_figures(text) == without_figures(golden.read_text())
        assert all(same(*pair) for pair in zip(figures(text), figures(golden.read_text()), strict=True))
    if "= fix:" in text:
        twice, once = healed(record, program, pools[framework], tmp_path)
        assert twice == once


@pytest.mark.torch
@EVERYWHERE
def test_the_good_program_shows_nothing(rule: Rule, framework: str, pools: Pools, tmp_path: Path):
    answer, report = run(pools[framework], folder(rule) / f"good_{framework}.py", tmp_path)

    assert report["diagnoses"] == []
    assert (report["healthy"], answer["status"], report["faults"]) == (True, 0, [])


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_pool_reports_what_the_command_reports(framework: str, pools: Pools, tmp_path: Path):
    program = HERE / f"graph/detached/bad_{framework}.py"
    command = [sys.executable, "-m", "whygrad", "run", program.name]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parents[1] / "src"),
        "COLUMNS": str(WIDTH),
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    alone = subprocess.run(command, cwd=program.parent, env=environment, capture_output=True, text=True, check=True)

    assert report_of(run(pools[framework], program, tmp_path)[0]["stderr"]) == report_of(alone.stderr)


def test_figures_are_told_from_shapes_and_lines():
    text = "bad_torch.py:12:18 f32[60,4] 3 steps, norm 0.867 of 1.17, about 2e-09, by 144 %, 15%; run: torch 2.13.0+cpu; `0.weight`, 1e-3.5"

    assert figures(text)[:3] == [0.867, 1.17, 2e-09]
    assert "f32[60,4] 3 steps, norm # of #, about #, by # %, #%; run: VERSION; `0.weight`" in without_figures(text)
    assert same(0.8449, 0.8451)
    assert same(2.5e-9, 0)
    assert not same(0.83, 0.93)
