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
    same_unit: bool = False
    """The loss is in the same unit with the change as without, so that one that begins far below what the program's reaches confirms it as well."""
    stays: bool = False
    """The overall gradient must stay the same, to within what two unchanged replays differ by."""


Action = Literal[
    "unwrap",
    "wrap",
    "swap",
    "argument",
    "callee",
    "replace",
    "drop",
    "insert",
    "move",
    "dissolve",
    "augment",
    "translate",
    "divide",
    "narrow",
    "reach",
    "redecorate",
    "hoist",
    "element",
    "part",
    "assign",
    "keep",
    "repeat",
    "alike",
    "own",
    "carry",
    "inward",
    "decorate",
    "uncache",
    "enlist",
    "return",
    "derive",
    "beside",
    "mistake",
    "group",
    "put back",
    "always",
    "postpone",
    "take in",
    "lead",
    "thaw",
    "exchange",
]
"""`unwrap`: a call is replaced by what it was given, a quotient by what is divided, a product by one of its factors (the first one, or by `position`), and a layer in a list of layers is left out. `wrap`: `text` with `{x}` for what stood there.
`swap`: the same around what a call was given. `argument`: an argument of a call is set to `text`, in which `{name}` is what the line at `to` hands on as `written`, or left out where that is empty.
`callee`: another function is called with the same arguments. `replace`: `text` stands there instead. `drop`: the statement goes. `insert`: `text`
is a statement before this one, or after it. `move`: the statement goes before or after the one at `to`. `dissolve`: the `with` or the decorator
goes, what it held stays. `augment`: `a = a - b` becomes `a -= b`. `translate`: what the function at the place reckons with NumPy, up to `to`, is written with the
library `text`. `divide`: the only `//` of the line becomes `/`. `reach`: the condition around the statement, on every so many turns of a loop, holds at the last
turn too. `narrow`: `stop(a + (b - a))` becomes `a + stop(b - a)`.
`redecorate`: the function around the place is decorated by `text` in the place of one of `calls`. `hoist`: what the statement makes is made once, in `__init__` or
before the loop that calls its function, and handed in; with a `text`, that is kept by the object as `written`, and the call reads it. `element`: what is assigned to the variable of a loop goes into what the loop goes through. `part`: `a += b` becomes
`a = a + b`. `assign`: `a = a - b` becomes `a.assign_sub(b)`. `keep`: what a call hands
out and the line drops is kept under the name of what the call was given. `repeat`: the only statement of the file that calls one of `calls`, once more behind this one. `alike`: everything
in the function that is `written` so is wrapped. `own`: the function reads its first argument for what it takes from around it. `inward`: `P(a) * b` becomes `P(a * b)`,
for one of `calls`. `carry`: the state that an update of optax' makes anew goes out of its function and in again at the next call. `decorate`: the function
is decorated by `text`, and the statement goes. `uncache`: what is made once and kept is made at each call. `enlist`: `text` is one more layer of the list, behind the one at the place or in front of it.
`return`: the function ends by returning what the statement assigns. `derive`: a function whose derivative is written at the place goes without it. `beside`: `x = x[order]`, once more for what belongs
to `x`. `mistake`: the layer that is `written`, or the forgotten method that reads it, is called where another one of its sort is called in its place.
`group`: the optimizer that the statement makes is handed another group, of the parameters whose names begin so. `put back`: what the statement copies out of a model goes back into it
behind the last statement that reads the copies. `always`: the `if` around the statement goes, and what it held stays. `postpone`: the statement goes behind the one at `to`, and with it what reads
what it makes on the way. `take in`: what the statement makes is made at the start of the function around `to`. `lead`: the argument at the place comes first in its call. `thaw`: `text` stands behind the loop around
the place, with the model that this goes through for `{x}`. `exchange`: the prediction and the labels of the call at
the place change places."""

Around = Literal["", "value", "container", "loop", "body", "epoch", "file", "alone", "once"]
"""What is meant around a place: the statement or expression itself; the whole value that the statement assigns, or the list
or dictionary that it fills, where that is made; the outermost loop of the
function; the start of the innermost loop's or function's body, and for what moves, of the outermost loop's; the innermost loop,
where that is run again and again; the whole file, where one call of it alone has the argument; a statement without what reads it; a place
in a function that is called once in its file, so that nothing else comes by."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the source. Code in `text` names functions in full (`torch.nn.functional.one_hot`); the patch uses the file's own imports."""

    action: Action
    site: Site
    text: str = ""
    """`{x}` is what stands there, `{name}` what the statement assigns to, `{0}` an argument of a call by its position, where one is added. For `callee` and `swap`: the function, and behind a bar the class
    that is made in its place where the program makes one. For `unwrap`: what stands in the place of a layer that can't be left out."""
    calls: tuple[str, ...] = ()
    """Last names of the call that is meant, where the site may hold several, or holds a variable that was made by it."""
    keyword: str = ""
    """The argument that is meant, by its name in the call."""
    position: int | None = None
    """The same by position, of a call or of an operator; behind a keyword that is not there. -1: the first
    whole number among the positional ones; -2: what the call was given, the tensor of a method or else the first argument."""
    written: str = ""
    """What the argument or operand that is meant looks like, where that is known: it is looked for before the position is."""
    to: Site | None = None
    after: bool = True
    around: Around = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to change in the program, as data: where, how, and what else that changes."""

    summary: str
    """In the imperative, as `help` says it."""
    edits: tuple[Edit, ...]
    otherwise: tuple[Edit, ...] = ()
    """Another way to the same end, where the source is not written as the first one expects."""
    safe: bool = True
    """It changes only the fault."""
    changes: str = ""
    """What else it changes, where it is not safe."""
    proof: Intervention | None = None
    """The change of a replay that does the same."""
    later: bool = False
    """The fault kept other batches from the program, so that the first one shows nothing: runs are compared on the one after it."""
    beside: bool = False
    """The loss of training need not show the fault, as where evaluation suffers, or single updates: that it is gone and the program learns no worse is proof."""
    closes: bool = False
    """The fault is a way for the loss to fall which the fix closes, as where the target moves towards the prediction: that it is gone and the loss falls all the same is proof."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy made into a patch, and what trying it showed."""

    summary: str
    diff: str = ""
    """Unified; "" where no patch could be made."""
    reason: str = ""
    """Why no patch could be made, or why it can't be kept."""
    safe: bool = True
    changes: str = ""
    verified: bool = False
    """The patched program was run whole, its fault is gone, and by one loss on one batch it gets further than the program as it stands."""
    before: Mapping[str, Scalar] = field(default_factory=dict)
    after: Mapping[str, Scalar] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    """The patched program's finite losses over its run, as means over `curve_width` steps each."""
    curve_width: int = 1
    shown: str = ""
    """What was measured, where the fix was tried and is not verified: the loss of training does not show the fault, or the two runs could not be compared."""
    tried: bool = False
    """The patched program was run whole, its fault is gone, and it learns no less; also of each that is verified."""


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
    remedy: Remedy | None = None
    """The edit that `help` speaks of, where one is sound."""
    fix: Fix | None = None
    """What became of the remedy when the source was read."""


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

    @property
    def package(self) -> str:
        """The package that it comes from: ours, or another one that is installed."""
        return getattr(self.check, "__module__", "").partition(".")[0]


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
class Row:
    """One op of a block, as the picture lists it."""

    what: str
    """Kind of op, and the user's name for what it makes."""
    type: str
    """`f32[64,10]`."""
    file: str
    line: int
    flows: bool
    """A gradient of the loss comes back to here."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the judged step: a module, a line, a batch element, the loss."""

    name: str
    sort: Literal["input", "label", "module", "line", "loss"]
    type: str = ""
    parameters: int = 0
    starved: int = 0
    """Trainable parameters among them without a gradient, or with one that is zero."""
    gradient_norm: float | None = None
    """L2 norm over its parameters; None where it has none with a gradient."""
    flows: bool = False
    marked: bool = False
    """The place of the leading diagnosis lies in it."""
    rows: tuple[Row, ...] = ()
    more: int = 0
    """Ops that are not listed."""


class Arrow(NamedTuple):
    """Values go from one block, by number, to another; `flows`: a gradient comes back that way."""

    source: int
    target: int
    flows: bool


@dataclass(frozen=True, slots=True)
class Gauge:
    """One parameter's gradient and update in the judged step."""

    name: str
    type: str
    trainable: bool
    gradient: str
    gradient_norm: float | None = None
    ratio: float | None = None
    """L2 norm of the update over that of the parameter."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The way of the gradient through the judged step, for people who would rather look than read."""

    blocks: tuple[Block, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    path: tuple[Row, ...] = ()
    """From the place of the leading diagnosis to the loss."""
    curve: tuple[float, ...] = ()
    """The finite losses over the run, as means over `curve_width` steps each."""
    curve_width: int = 1


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
    picture: Picture = field(default_factory=Picture)
    repeatable: bool = True
    """The program is a file or a module that a command can run again; not so one step of a model, a notebook's cell or a single test."""
