"""What rules say: plain, frozen data. Nothing here computes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from whygrad.ir import Framework, Intervention, Labels, Measures, Outcome, Site

if TYPE_CHECKING:
    from whygrad.flow import Index

Severity = Literal["error", "warning", "note"]
Confidence = Literal["proved", "measured", "suspected"]
Scalar = float | int | str | None


class Fact(NamedTuple):
    """A symptom that can be seen in the record, for instance `("no-gradient", "encoder.weight")`.

    The kinds of fact, and their subjects: `no-gradient` (parameter), `unmoved` (parameter), `unused` (parameter), `unheld` (parameter in no
    optimizer), `insensitive` (kind of step: S is 0), `constant-loss` (kind of step: the loss depends on no trainable parameter),
    `exception` (type of the exception that ended the program), `non-finite` (value), `no-update` (kind of step), `unread` (label value),
    `odd-shape` (value: broadcast or mismatch at a loss), `stale-gradient` (optimizer), `odd-input` (value: of another form than its loss
    expects), `constant` (label value), `cleared` (parameter: its gradient was gone when the update began), `orphans` (optimizer: it holds
    tensors that no model has), `no-rate` (optimizer).
    """

    what: str
    subject: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured or proved statement."""

    statement: str
    measure: str = ""
    value: Scalar = None


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a reader wants to see."""

    site: Site
    message: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """A diagnosis or a fact that the root cause explains."""

    message: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was changed in a replay, what was predicted, and what came of it."""

    intervention: str
    prediction: str
    verdict: Literal["confirmed", "refuted", "inconclusive"]
    figures: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """An experiment that a rule asks for, and how to read its result."""

    intervention: Intervention
    prediction: str
    raises_gradient_of: tuple[str, ...] = ()
    """Parameters that must get a gradient for the prediction to hold; empty: the overall gradient must change."""
    required: bool = False
    """The diagnosis is spoken only when this is confirmed."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A fault: what, where, how that is known, and what to do."""

    rule: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    """The fault in one sentence: the user's names in backticks, lower-case start, no full stop."""
    site: Site | None = None
    label: str = ""
    """What is written beside the caret: a few words on the marked expression."""
    related: tuple[Related, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    help: str = ""
    facts: frozenset[Fact] = frozenset()
    """What this diagnosis itself says is the case."""
    explains: frozenset[Fact] = frozenset()
    """Symptoms that follow from it."""
    kind: int | None = None
    """The kind of step that it was seen in; None for the whole run."""
    step: int | None = None
    names: tuple[str, ...] = ()
    """The user's names that it is about, for the fingerprint."""
    test: Test | None = None
    experiment: Experiment | None = None
    symptoms: tuple[Symptom, ...] = ()
    root_cause: bool = True


Check = Callable[["Index"], Iterator[Diagnosis]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named fault and the function that finds it."""

    code: str
    name: str
    severity: Severity
    """The gravest that it may speak with."""
    documentation: str
    check: Check
    needs_values: bool = False
    """It reads statistics, so that it can't work without computing."""

    @property
    def summary(self) -> str:
        """The first sentence of the documentation."""
        return self.documentation.split("\n\n", 1)[0].replace("\n", " ").strip()


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step of the program, as reports list it."""

    id: int
    parameters: int
    steps: tuple[int, ...]
    measures: Measures
    backward_site: Site | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which rules could judge this run."""

    judged: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    unable: Mapping[str, str] = field(default_factory=dict)
    """Rule code to the reason why it could not judge."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a reader may be shown; renderers are functions of this alone."""

    whygrad: str
    program: str
    frameworks: tuple[Framework, ...]
    outcome: Outcome
    steps_recorded: tuple[int, ...]
    healthy: bool | None
    """None if nothing was judged."""
    reason: str
    """Why nothing was judged, where nothing was."""
    measures: Measures
    parameters: int
    parameters_with_gradient: int
    labels: Labels
    label_names: tuple[str, ...]
    label_sites: tuple[Site, ...]
    kinds: tuple[StepKind, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    """Root causes first, the surest and gravest at the top."""
    suppressed: tuple[Diagnosis, ...] = ()
    """Ignored by the user's settings or a comment: kept, not shown, and they gate nothing."""
    coverage: Coverage = field(default_factory=Coverage)
    limits: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Faults of whygrad itself: a sentence, then the traceback in further lines."""
    updates: int = 0
    """Updates of all optimizers over the whole run."""
    updated_by_hand: bool = False
    """The program changes parameters itself, without an optimizer."""
    arguments: tuple[str, ...] = ()
    """What the program was given on its command line."""
