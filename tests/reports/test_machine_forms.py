"""SARIF, annotations, JUnit and the schema of the JSON report."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from pydantic import ValidationError
from sarif_pydantic import Sarif

from reports.samples import DETACHED, HEALTHY, UNUSED_LABELS
from whygrad.diagnosis import Fix, Report
from whygrad.reports import json_report, pipelines, sarif
from whygrad.rules import load_rules

SICK = replace(HEALTHY, healthy=False, diagnoses=(UNUSED_LABELS, replace(DETACHED, root_cause=False)), suppressed=(DETACHED,))
GOLDEN = Path(__file__).parent / "golden/schema.json"
DIFF = """--- a/train.py
+++ b/train.py
@@ -40,3 +40,3 @@
     x = x.flatten(1)
-        codes = self.encoder(x).detach()
+        codes = self.encoder(x)
     return codes
"""


def log(report: Report) -> dict[str, Any]:
    """The only run of the SARIF log."""
    found: dict[str, Any] = json.loads(sarif.render(report, load_rules()))["runs"][0]
    return found


def test_root_causes_and_silenced_ones_are_results():
    results = log(SICK)["results"]

    assert [(item["ruleId"], "suppressions" in item) for item in results] == [("WG101", False), ("WG301", True)]


def test_a_result_names_its_rule_and_its_place():
    run = log(SICK)
    result = run["results"][0]

    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "WG101"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "train.py", "uriBaseId": "SRCROOT"}
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 10
    assert result["message"]["text"].startswith("`labels` never reach the loss\n")


def test_every_rule_brings_its_documentation():
    assert all(rule["help"]["markdown"] for rule in log(HEALTHY)["tool"]["driver"]["rules"])


def test_a_patch_is_a_replacement_of_lines():
    report = replace(SICK, diagnoses=(replace(DETACHED, fix=Fix("remove `.detach()`", DIFF)),))
    (change,) = log(report)["results"][0]["fixes"][0]["artifactChanges"]

    assert change["artifactLocation"]["uri"] == "train.py"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 40, "startColumn": 1, "endLine": 43, "endColumn": 1},
            "insertedContent": {"text": "    x = x.flatten(1)\n        codes = self.encoder(x)\n    return codes\n"},
        }
    ]


def through_the_standard(text: str) -> Any:
    """A log after a reading by the standard's published types, which leave out what they do not know."""
    return Sarif.model_validate_json(text).model_dump(mode="json", by_alias=True, exclude_unset=True)


@pytest.mark.parametrize("report", [SICK, HEALTHY, replace(SICK, diagnoses=(replace(DETACHED, fix=Fix("remove `.detach()`", DIFF)),))])
def test_the_log_has_the_fields_and_types_of_the_standard_alone(report: Report):
    text = sarif.render(report, load_rules())
    misspelt = text.replace('"driver"', '"drivers"')

    assert through_the_standard(text) == json.loads(text)
    with pytest.raises(ValidationError):
        through_the_standard(misspelt)


def test_absolute_paths_and_odd_names_are_addresses():
    assert sarif.artifact("/data/my train.py") == {"uri": "file:///data/my%20train.py"}


@pytest.mark.parametrize("path", ["a:b,c.py", "100%.py"])
def test_annotations_escape_what_would_end_them(path: str):
    site = replace(UNUSED_LABELS.site, file=path)  # type: ignore[type-var]  # it has one
    line = pipelines.annotation(replace(UNUSED_LABELS, site=site, message="two\nlines"))

    assert line.startswith("::error file=" + path.replace("%", "%25").replace(":", "%3A").replace(",", "%2C"))
    assert "::two%0Alines%0A" in line
    assert "\n" not in line


def test_annotations_are_for_root_causes_alone():
    assert pipelines.annotations(SICK).count("::error ") == 1
    assert pipelines.annotations(HEALTHY) == ""


def test_junit_counts_failures_and_is_read_back():
    (suite,) = ET.fromstring(pipelines.junit(SICK))

    assert (suite.get("failures"), suite.get("errors")) == ("1", "0")
    assert suite.find("testcase[@name='WG101']/failure") is not None


def test_a_failure_in_junit_shows_the_place_and_its_line():
    failure = ET.fromstring(pipelines.junit(SICK)).find(".//failure")

    site = UNUSED_LABELS.site
    assert site is not None
    assert failure is not None
    assert (failure.text or "").split("\n")[:2] == [f"{site.file}:{site.line}", f"  {site.text.strip()}"]


def test_junit_of_a_run_that_was_not_judged_is_an_error():
    (suite,) = ET.fromstring(pipelines.junit(replace(HEALTHY, healthy=None, reason="no step\x00")))

    assert suite.get("errors") == "1"
    assert suite.find(".//error").get("message") == "no step?"  # type: ignore[union-attr]  # it is there, or the test fails


@pytest.mark.parametrize("report", [HEALTHY, SICK, replace(SICK, diagnoses=(replace(DETACHED, fix=Fix("s", DIFF)),))])
def test_json_reports_fit_their_schema(report: Report):
    misfits = jsonschema.Draft202012Validator(json_report.schema()).iter_errors(json.loads(json_report.render(report)))

    assert [misfit.message for misfit in misfits] == []


def test_the_schema_only_grows():
    """What is in the golden schema stays: `WHYGRAD_WRITE_GOLDEN` has no power here; add to the file by hand."""
    kept, now = json.loads(GOLDEN.read_text())["$defs"], json_report.schema()["$defs"]
    lost = [
        f"{name}.{key}"
        for name, shape in kept.items()
        for key in shape.get("properties", {})
        if key not in now.get(name, {}).get("properties", {})
    ]

    assert lost == []


def test_a_report_of_another_shape_does_not_fit():
    plain = json.loads(json_report.render(HEALTHY))
    plain["diagnoses"] = [{"rule": 3}]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, json_report.schema())
