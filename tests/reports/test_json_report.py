"""The JSON contract."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from reports.samples import DETACHED, ENDED, FAULTY_SELF, HEALTHY, NO_LABELS, ONE_ERROR, SAMPLES, UNEXPLAINED, UNUSED_LABELS
from whygrad.diagnosis import Evidence, Fix, Report
from whygrad.ir import Measures
from whygrad.reports.fingerprint import fingerprint
from whygrad.reports.json_report import JsonReport, render


def shown(report: Report) -> Any:
    """The report as another program reads it."""
    return json.loads(render(report))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_report_is_valid_json_of_the_schema(name: str) -> None:
    assert msgspec.json.decode(render(SAMPLES[name]), type=JsonReport).schema == 1


def test_the_words_of_the_contract() -> None:
    found = shown(ONE_ERROR)

    assert set(found) >= {
        "schema",
        "whygrad",
        "program",
        "frameworks",
        "outcome",
        "healthy",
        "measures",
        "diagnoses",
        "kinds",
        "labels",
        "coverage",
        "limits",
    }
    assert found["frameworks"] == [{"name": "torch", "version": "2.13.0"}]
    assert found["outcome"] == {"exit_status": 0, "exception": None, "steps_seen": 10, "steps_recorded": [0, 1], "stopped": ""}
    assert (
        found["measures"].items()
        >= {"label_sensitivity": 0.0, "gradient_norm": 0.7113, "parameters": 2, "parameters_with_gradient": 2}.items()
    )
    assert found["labels"] == {"names": ["labels"], "how": "argument", "sites": []}
    diagnosis = found["diagnoses"][0]
    assert set(diagnosis) >= {
        "rule",
        "name",
        "severity",
        "confidence",
        "root_cause",
        "message",
        "location",
        "related",
        "evidence",
        "symptoms",
        "fix",
    }
    assert set(diagnosis) >= {"fingerprint", "help", "experiment", "kind"}
    assert diagnosis["location"] == {
        "file": "train.py", "line": 10, "end_line": 10, "column": 10, "end_column": 28, "function": "incorrect_loss",
        "text": "  return torch.mean(output) # Ignores labels",
    }  # fmt: skip
    assert diagnosis["related"][0].items() >= {"file": "train.py", "line": 23, "message": "called here, with `labels`"}.items()
    assert diagnosis["evidence"][0]["value"] == 0.0


def test_figures_that_json_has_no_number_for_are_strings() -> None:
    odd = Measures(loss=float("nan"), gradient_norm=float("inf"), label_sensitivity=float("-inf"))
    diagnosis = replace(DETACHED, evidence=(Evidence("x", "y", float("nan")),))

    found = shown(replace(HEALTHY, measures=odd, diagnoses=(diagnosis,)))

    assert [found["measures"][name] for name in ("loss", "gradient_norm", "label_sensitivity")] == ["nan", "inf", "-inf"]
    assert found["diagnoses"][0]["evidence"][0]["value"] == "nan"


def test_the_exception_that_ended_the_program() -> None:
    found = shown(UNEXPLAINED)

    assert found["healthy"] is None
    assert found["reason"].startswith("the program ended with RuntimeError")
    assert found["outcome"]["exception"]["type"] == "RuntimeError"
    assert found["outcome"]["exception"]["location"]["line"] == 24


def test_symptoms_carry_their_rule_where_they_have_one() -> None:
    assert [symptom["rule"] for symptom in shown(ENDED)["diagnoses"][0]["symptoms"]] == [None, "WG311"]


def test_no_labels_are_null_with_a_reason() -> None:
    found = shown(NO_LABELS)

    assert found["labels"] is None
    assert found["labels_reason"] == "looked at 2 batches of `loader` and 1 loss"


def test_faults_of_ours_keep_their_traceback() -> None:
    assert "Traceback" in shown(FAULTY_SELF)["faults"][0]
    assert shown(FAULTY_SELF)["suppressed"][0]["rule"] == "WG401"


def test_text_that_is_no_unicode_is_escaped() -> None:
    assert json.loads(render(replace(HEALTHY, program="\udcff.py")))["program"] == "\udcff.py"


def test_the_fingerprint_does_not_move_with_lines() -> None:
    assert DETACHED.site is not None
    moved = replace(DETACHED, site=replace(DETACHED.site, line=99, end_line=99))
    other = replace(DETACHED, names=("decoder.weight",))

    assert fingerprint(moved) == fingerprint(DETACHED)
    assert fingerprint(other) != fingerprint(DETACHED)


def test_a_fix_is_told_with_what_else_it_changes() -> None:
    fix = Fix("leave it out", "-a\n+b\n", safe=False, changes="everything", verified=True, tried=True, after={"loss_last": float("nan")})
    found = shown(replace(HEALTHY, diagnoses=(replace(DETACHED, fix=fix), UNUSED_LABELS)))["diagnoses"]

    assert found[0]["fix"] == {
        "summary": "leave it out", "diff": "-a\n+b\n", "reason": None, "safety": "unsafe", "changes": "everything", "verified": True,
        "before": {}, "after": {"loss_last": "nan"}, "shown": None, "tried": True,
    }  # fmt: skip
    assert found[1]["fix"] is None
