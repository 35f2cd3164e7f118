"""The JSON report: a contract that other programs read. It may grow; nothing in it is ever renamed."""

import json
from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

import msgspec

from whygrad.diagnosis import Diagnosis, Evidence, Experiment, Fix, Related, Report, Scalar, StepKind, Symptom
from whygrad.ir import Measures, Raised, Site
from whygrad.reports.faults import issue_address
from whygrad.reports.fingerprint import fingerprint

SCHEMA = 1


class JsonFramework(msgspec.Struct):
    """A framework that the program used."""

    name: str
    version: str


class JsonLocation(msgspec.Struct):
    """A place; columns count from 1, `end_column` is the first after the expression, 0 means unknown."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    function: str
    text: str


class JsonException(msgspec.Struct):
    """The exception that ended the program."""

    type: str
    message: str
    location: JsonLocation | None


class JsonOutcome(msgspec.Struct):
    """How the program ended."""

    exit_status: int | None
    exception: JsonException | None
    steps_seen: int
    steps_recorded: list[int]
    stopped: str


class JsonMeasures(msgspec.Struct):
    """The figures of the worst kind of step."""

    label_sensitivity: Scalar
    sensitivity_reason: str | None
    gradient_norm: Scalar
    loss: Scalar
    noise_floor: Scalar
    reproduced: bool | None


class JsonSummary(JsonMeasures):
    """The same with the parameters of the whole run."""

    parameters: int
    parameters_with_gradient: int
    updates: int


class JsonLabels(msgspec.Struct):
    """Which values are the labels, and how they were found."""

    names: list[str]
    how: str
    sites: list[JsonLocation]


class JsonKind(msgspec.Struct):
    """One kind of step: which parameters, from which backward."""

    id: int
    parameters: int
    backward_site: JsonLocation | None
    steps: list[int]
    measures: JsonMeasures


class JsonRelated(msgspec.Struct):
    """Another place."""

    file: str
    line: int
    column: int
    end_column: int
    message: str


class JsonEvidence(msgspec.Struct):
    """One statement, and its figure where it has one."""

    statement: str
    measure: str | None
    value: Scalar


class JsonSymptom(msgspec.Struct):
    """What follows from the diagnosis."""

    rule: str | None
    message: str


class JsonExperiment(msgspec.Struct):
    """What was changed in a replay, and what came of it."""

    intervention: str
    prediction: str
    verdict: str
    figures: dict[str, Scalar]


class JsonFix(msgspec.Struct):
    """A change of the source that `help` speaks of."""

    summary: str
    diff: str | None
    """Unified, against the files as they were when the report was made."""
    reason: str | None
    """Why there is no diff, or why it can't be written."""
    safety: str
    """`safe`, or `unsafe` where it changes more than the fault."""
    changes: str | None
    """What else an unsafe fix changes."""
    verified: bool
    """The patched program was run whole, by `whygrad fix`, its fault is gone, and by one loss on one batch it gets further than the program as it stands."""
    before: dict[str, Scalar]
    after: dict[str, Scalar]
    shown: str | None
    """What was measured of a fix that was tried and is not verified: the fault does not show in the loss of training, or the two runs could not be compared."""
    tried: bool
    """The patched program was run whole, by `whygrad fix`, its fault is gone, and it learns no less; also true of each that is verified."""


class JsonDiagnosis(msgspec.Struct):
    """A fault."""

    rule: str
    name: str
    severity: str
    confidence: str
    root_cause: bool
    message: str
    fingerprint: str
    kind: int | None
    location: JsonLocation | None
    related: list[JsonRelated]
    evidence: list[JsonEvidence]
    symptoms: list[JsonSymptom]
    help: str
    experiment: JsonExperiment | None
    fix: JsonFix | None


class JsonCoverage(msgspec.Struct):
    """Which rules could judge this run."""

    judged: list[str]
    not_applicable: list[str]
    unable: dict[str, str]


class JsonReport(msgspec.Struct):
    """The whole report."""

    schema: int
    whygrad: str
    program: str
    arguments: list[str]
    frameworks: list[JsonFramework]
    outcome: JsonOutcome
    healthy: bool | None
    reason: str | None
    measures: JsonSummary
    labels: JsonLabels | None
    labels_reason: str | None
    """Where no labels were found: what was looked at."""
    kinds: list[JsonKind]
    diagnoses: list[JsonDiagnosis]
    suppressed: list[JsonDiagnosis]
    coverage: JsonCoverage
    limits: list[str]
    faults: list[str]
    issues: str | None
    """Where faults of whygrad are reported."""


def render(report: Report) -> str:
    """The report as indented JSON that ends in a newline."""
    found = contract(report)
    try:
        return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
    except UnicodeEncodeError:  # a file name that is no text: escaped, as Python's own encoder does
        return json.dumps(msgspec.to_builtins(found), indent=2) + "\n"


def contract(report: Report) -> JsonReport:
    """The report in the words of the contract."""
    return JsonReport(
        schema=SCHEMA,
        whygrad=report.whygrad,
        program=report.program,
        arguments=list(report.arguments),
        frameworks=[JsonFramework(framework.name, framework.version) for framework in report.frameworks],
        outcome=_outcome(report),
        healthy=report.healthy,
        reason=report.reason or None,
        measures=_summary(report),
        labels=_labels(report),
        labels_reason=report.labels.reason or None,
        kinds=[_kind(kind) for kind in report.kinds],
        diagnoses=[_diagnosis(diagnosis) for diagnosis in report.diagnoses],
        suppressed=[_diagnosis(diagnosis) for diagnosis in report.suppressed],
        coverage=JsonCoverage(list(report.coverage.judged), list(report.coverage.not_applicable), dict(report.coverage.unable)),
        limits=list(report.limits),
        faults=list(report.faults),
        issues=(issue_address() or None) if report.faults else None,
    )


def schema() -> dict[str, Any]:
    """The JSON schema of the report, made from its types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "whygrad report", **msgspec.json.schema(JsonReport)}


def _scalar(value: Scalar) -> Scalar:
    """A figure as JSON can hold it."""
    if isinstance(value, float) and not isfinite(value):
        return "nan" if isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _figures(figures: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: _scalar(value) for name, value in figures.items()}


def _location(site: Site | None) -> JsonLocation | None:
    if site is None:
        return None
    return JsonLocation(site.file, site.line, site.end_line or site.line, site.column, site.end_column, site.function, site.text)


def _exception(raised: Raised | None) -> JsonException | None:
    return JsonException(raised.type, raised.message, _location(raised.site)) if raised is not None else None


def _outcome(report: Report) -> JsonOutcome:
    outcome = report.outcome
    return JsonOutcome(outcome.exit_status, _exception(outcome.exception), outcome.steps_seen, list(report.steps_recorded), outcome.stopped)


def _plain(measures: Measures) -> JsonMeasures:
    return JsonMeasures(
        label_sensitivity=_scalar(measures.label_sensitivity),
        sensitivity_reason=measures.sensitivity_reason or None,
        gradient_norm=_scalar(measures.gradient_norm),
        loss=_scalar(measures.loss),
        noise_floor=_scalar(measures.noise_floor),
        reproduced=measures.reproduced,
    )


def _summary(report: Report) -> JsonSummary:
    return JsonSummary(
        **msgspec.structs.asdict(_plain(report.measures)),
        parameters=report.parameters,
        parameters_with_gradient=report.parameters_with_gradient,
        updates=report.updates,
    )


def _labels(report: Report) -> JsonLabels | None:
    if not report.labels.values:
        return None
    return JsonLabels(
        list(report.label_names), report.labels.how, [place for site in report.label_sites if (place := _location(site)) is not None]
    )


def _kind(kind: StepKind) -> JsonKind:
    return JsonKind(kind.id, kind.parameters, _location(kind.backward_site), list(kind.steps), _plain(kind.measures))


def _related(other: Related) -> JsonRelated:
    return JsonRelated(other.site.file, other.site.line, other.site.column, other.site.end_column, other.message)


def _evidence(evidence: Evidence) -> JsonEvidence:
    return JsonEvidence(evidence.statement, evidence.measure or None, _scalar(evidence.value))


def _symptom(symptom: Symptom) -> JsonSymptom:
    return JsonSymptom(symptom.rule or None, symptom.message)


def _experiment(experiment: Experiment | None) -> JsonExperiment | None:
    if experiment is None:
        return None
    return JsonExperiment(experiment.intervention, experiment.prediction, experiment.verdict, _figures(experiment.figures))


def _fix(fix: Fix | None) -> JsonFix | None:
    if fix is None:
        return None
    return JsonFix(
        summary=fix.summary,
        diff=fix.diff or None,
        reason=fix.reason or None,
        safety="safe" if fix.safe else "unsafe",
        changes=fix.changes or None,
        verified=fix.verified,
        before=_figures(fix.before),
        after=_figures(fix.after),
        shown=fix.shown or None,
        tried=fix.tried,
    )


def _diagnosis(diagnosis: Diagnosis) -> JsonDiagnosis:
    return JsonDiagnosis(
        rule=diagnosis.rule,
        name=diagnosis.name,
        severity=diagnosis.severity,
        confidence=diagnosis.confidence,
        root_cause=diagnosis.root_cause,
        message=diagnosis.message,
        fingerprint=fingerprint(diagnosis),
        kind=diagnosis.kind,
        location=_location(diagnosis.site),
        related=[_related(other) for other in diagnosis.related],
        evidence=[_evidence(evidence) for evidence in diagnosis.evidence],
        symptoms=[_symptom(symptom) for symptom in diagnosis.symptoms],
        help=diagnosis.help,
        experiment=_experiment(diagnosis.experiment),
        fix=_fix(diagnosis.fix),
    )
