"""Reading the text form."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, cast, get_args

from whygrad.ir.births import Birth, Course
from whygrad.ir.fits import Collation, Fit, Turning
from whygrad.ir.kinds import KINDS
from whygrad.ir.loadings import Loading, Redraw
from whygrad.ir.ops import Graph, Op
from whygrad.ir.origins import Origin
from whygrad.ir.record import Batches, Ending, Framework, Group, Optimizer, Outcome, Plateau, Raised, Record
from whygrad.ir.steps import Event, EventKind, Labels, Measures, Parameter, Scope, Step
from whygrad.ir.text_fields import read
from whygrad.ir.text_scan import Line, NotThisError, Word, fail, scan
from whygrad.ir.text_write import RECORD_PARTS, STATISTICS, STEP_PARTS, mentioned
from whygrad.ir.trials import Trial
from whygrad.ir.turns import Emptied
from whygrad.ir.values import ROLES, Role, Statistics, Value

_TYPE = re.compile(r"(\?|[A-Za-z_]\w*)(?:\[((?:\d+(?:,\d+)*)?)\])?")


@dataclass(slots=True)
class _Draft:
    """What has been read so far."""

    record: Record = field(default_factory=Record)
    steps: list["_StepDraft"] = field(default_factory=list)

    @property
    def step(self) -> "_StepDraft":
        """The step that is being read; lines before the first `step` belong to step 0."""
        if not self.steps:
            self.steps.append(_StepDraft(Step(0)))
        return self.steps[-1]

    def add(self, **parts: Any) -> None:
        """Append to tuples of the record."""
        longer: dict[str, Any] = {key: (*getattr(self.record, key), value) for key, value in parts.items()}
        self.record = replace(self.record, **longer)


@dataclass(slots=True)
class _StepDraft:
    """What has been read of one step: lists, for a step may hold many ops."""

    step: Step
    values: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    lists: dict[str, list[Any]] = field(default_factory=lambda: {"events": [], "parameters": [], "scopes": [], "trials": [], "births": []})

    def finished(self) -> Step:
        """The step, with the values declared that were only mentioned."""
        graph = Graph(tuple(self.ops))
        values = self.values | {name: Value(name) for name in mentioned(graph, self.lists["events"]) if name not in self.values}
        parts: dict[str, Any] = {key: tuple(entries) for key, entries in self.lists.items()}
        return replace(self.step, graph=replace(graph, values=values), **parts)


def loads(text: str) -> Record:
    """The record that `text` describes; raises `WhygradError` with the line's number for text that is none."""
    draft = _Draft()
    for number, content in enumerate(text.split("\n"), start=1):
        if content.strip() and not content.lstrip().startswith("#"):
            try:
                _take(scan(content), draft)
            except NotThisError as problem:
                raise fail(number, problem) from None
    return replace(draft.record, steps=tuple(step.finished() for step in draft.steps))


def _take(line: Line, draft: _Draft) -> None:
    words = line.words
    if not words:
        raise NotThisError("a line that begins with a setting or a place", "a word first, such as `record`, or `name = kind inputs`")
    if words[0].is_mark("!"):
        _event(line, draft)
    elif len(words) > 1 and words[1].is_mark(":"):
        _value(line, draft)
    elif any(word.is_mark("=") for word in words):
        _op(line, draft)
    else:
        _keyword(line, draft)


def _keyword(line: Line, draft: _Draft) -> None:
    word = line.words[0]
    if word.quoted or word.text not in _LINES:
        raise NotThisError(f"`{word.text}`", f"`name: role`, `name = kind inputs`, `! event`, or one of {', '.join(_LINES)}")
    _LINES[word.text](line, draft)


def _head(line: Line, what: str) -> str:
    """The one name behind the keyword."""
    if len(line.words) != 2 or not line.words[1].is_name:  # noqa: PLR2004 - the keyword and its name
        came = " ".join(word.text for word in line.words[1:]) or "nothing"
        raise NotThisError(f"`{came}` behind `{line.words[0].text}`", f"{what} (in double quotes where it holds blanks or signs)")
    return line.words[1].text


def _no_head(line: Line) -> None:
    if len(line.words) > 1:
        raise NotThisError(f"`{line.words[1].text}` behind `{line.words[0].text}`", "`key=value` settings alone")


def _names(words: list[Word]) -> tuple[str, ...]:
    for word in words:
        if not word.is_name:
            raise NotThisError(
                f"`{word.text}`", "the name of a value (in double quotes where it holds other signs than letters, digits, `_ . % [ ]`)"
            )
    return tuple(word.text for word in words)


def _with(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a line whose attributes stand under `with=`."""
    return {("attributes" if key == "with" else key): value for key, value in settings.items()}


def _near(word: str, choices: tuple[str, ...]) -> str:
    near = get_close_matches(word, choices, n=1)
    return f"`{near[0]}`" if near else f"one of {', '.join(choices)}"


def _record(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.record = replace(draft.record, **read(Record, line.settings, RECORD_PARTS))


def _framework(line: Line, draft: _Draft) -> None:
    if len(line.words) != 3:  # noqa: PLR2004 - keyword, name, version
        raise NotThisError(f"{len(line.words) - 1} words behind `framework`", '`framework torch "2.13.0"`')
    draft.add(frameworks=Framework(line.words[1].text, line.words[2].text))


def _outcome(line: Line, draft: _Draft) -> None:
    _no_head(line)
    exception = draft.record.outcome.exception
    draft.record = replace(draft.record, outcome=Outcome(**read(Outcome, line.settings, ("exception",)), exception=exception))


def _raised(line: Line, draft: _Draft) -> None:
    _no_head(line)
    raised = Raised(**read(Raised, line.settings), site=line.sites.get("@"), made=line.sites.get("^"))
    draft.record = replace(draft.record, outcome=replace(draft.record.outcome, exception=raised))


def _optimizer(line: Line, draft: _Draft) -> None:
    settings = read(Optimizer, line.settings, ("name", "groups", "plateau"))
    name = _head(line, "the optimizer's name")
    draft.add(
        optimizers=Optimizer(
            name,
            **settings,
            site=line.sites.get("@"),
            rate_site=line.sites.get("^"),
            schedule_site=line.sites.get("&"),
            given_site=line.sites.get("~"),
        )
    )


def _group(line: Line, draft: _Draft) -> None:
    last = _last_optimizer(line, draft)
    _put_back(draft, replace(last, groups=(*last.groups, Group(**read(Group, line.settings)))))


def _plateau(line: Line, draft: _Draft) -> None:
    _put_back(draft, replace(_last_optimizer(line, draft), plateau=Plateau(**read(Plateau, line.settings))))


def _last_optimizer(line: Line, draft: _Draft) -> Optimizer:
    _no_head(line)
    if not draft.record.optimizers:
        raise NotThisError(f"a `{line.words[0].text}` before any optimizer", "`optimizer NAME …` above it")
    return draft.record.optimizers[-1]


def _put_back(draft: _Draft, optimizer: Optimizer) -> None:
    draft.record = replace(draft.record, optimizers=(*draft.record.optimizers[:-1], optimizer))


def _ending(line: Line, draft: _Draft) -> None:
    ending = Ending(**read(Ending, line.settings))
    draft.record = replace(draft.record, endings={**draft.record.endings, _head(line, "a parameter's name"): ending})


def _batches(line: Line, draft: _Draft) -> None:
    _no_head(line)
    site, order, rows = (line.sites.get(mark) for mark in "@^&")
    draft.add(batches=Batches(**read(Batches, line.settings), site=site, order_site=order, rows_site=rows))


def _course(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(courses=Course(**read(Course, line.settings), site=line.sites.get("@")))


def _fit(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(fits=Fit(**read(Fit, line.settings)))


def _collation(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(collations=Collation(**read(Collation, line.settings), site=line.sites.get("@")))


def _turning(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(turnings=Turning(**read(Turning, line.settings), site=line.sites.get("@")))


def _origin(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(origins=Origin(**read(Origin, line.settings), site=line.sites.get("@")))


def _loading(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(loadings=Loading(**read(Loading, line.settings), site=line.sites.get("@")))


def _redraw(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.add(redraws=Redraw(**read(Redraw, line.settings), site=line.sites.get("@")))


def _emptied(line: Line, draft: _Draft) -> None:
    site, loop, body, read_at = (line.sites.get(mark) for mark in "@^&~")
    settings = read(Emptied, line.settings, ("name",))
    draft.add(emptied=Emptied(_head(line, "the variable's name"), **settings, site=site, loop=loop, body=body, read=read_at))


def _evaluated(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.record = replace(draft.record, evaluated=line.sites.get("@"))


def _limit(line: Line, draft: _Draft) -> None:
    draft.add(limits=_head(line, "a sentence in double quotes"))


def _fault(line: Line, draft: _Draft) -> None:
    draft.add(faults=_head(line, "a sentence in double quotes"))


def _step(line: Line, draft: _Draft) -> None:
    words = line.words[1:]
    if len(words) != 1 or words[0].quoted or not words[0].text.lstrip("-").isdigit():
        raise NotThisError(
            f"`{' '.join(word.text for word in words) or 'nothing'}` behind `step`", "the number of the step, such as `step 0`"
        )
    draft.steps.append(_StepDraft(Step(int(words[0].text), **read(Step, line.settings, STEP_PARTS))))


def _value(line: Line, draft: _Draft) -> None:
    (name,) = _names(line.words[:1])
    values = draft.step.values
    if name in values:
        raise NotThisError(f"`{name}` declared a second time", "one declaration of each value in a step")
    values[name] = _declared(name, line.words[2:], line.settings)


def _declared(name: str, words: list[Word], settings: Mapping[str, Any]) -> Value:
    role = words[0].text if words else ""
    if role not in ROLES:
        raise NotThisError(f"the role `{role}`", _near(role, ROLES))
    typed = _typed(words[1:])
    of_value = {key: value for key, value in settings.items() if key not in STATISTICS}
    parts = typed | read(Value, of_value, ("name", "role", "statistics", *typed))
    statistics = _statistics({key: value for key, value in settings.items() if key in STATISTICS}, parts.get("shape"))
    return Value(name, cast("Role", role), statistics=statistics, **parts)


def _typed(words: list[Word]) -> dict[str, Any]:
    if not words:
        return {}
    found = _TYPE.fullmatch(words[0].text)
    if len(words) > 1 or not found:
        raise NotThisError(f"`{' '.join(word.text for word in words)}`", "one type such as `f32[64,10]`, then settings")
    dtype, shape = found.groups()
    sizes = None if shape is None else tuple(int(size) for size in shape.split(",") if size)
    return {"dtype": dtype.replace("?", ""), "shape": sizes}


def _statistics(settings: dict[str, Any], shape: tuple[int, ...] | None) -> Statistics | None:
    if settings and shape is not None:
        settings.setdefault("count", math.prod(shape))
    return Statistics(**read(Statistics, settings)) if settings else None


def _op(line: Line, draft: _Draft) -> None:
    at = next(position for position, word in enumerate(line.words) if word.is_mark("="))
    outputs, rest = line.words[:at], line.words[at + 1 :]
    kind = rest[0].text if rest else ""
    if kind not in KINDS:
        raise NotThisError(f"the kind of op `{kind}`", _near(kind, tuple(KINDS)))
    settings = read(Op, _with(line.settings), ("kind", "inputs", "outputs"))
    draft.step.ops.append(Op(kind, _names(rest[1:]), _outputs(outputs), **settings, site=line.sites.get("@"), made=line.sites.get("^")))


def _outputs(words: list[Word]) -> tuple[str, ...]:
    """Names with a comma between them."""
    commas = words[1::2]
    if words and (len(words) % 2 == 0 or not all(word.is_mark(",") for word in commas)):
        raise NotThisError(f"`{' '.join(word.text for word in words)} =`", "names with commas between them before the `=`")
    return _names(words[::2])


def _event(line: Line, draft: _Draft) -> None:
    kind = line.words[1].text if len(line.words) > 1 else ""
    if kind not in get_args(EventKind):
        raise NotThisError(f"the event `{kind}`", _near(kind, get_args(EventKind)))
    settings = {"at": len(draft.step.ops)} | read(Event, {"at": len(draft.step.ops)} | _with(line.settings), ("kind", "targets"))
    draft.step.lists["events"].append(Event(cast("EventKind", kind), targets=_names(line.words[2:]), site=line.sites.get("@"), **settings))


def _parameter(line: Line, draft: _Draft) -> None:
    name = _head(line, "the parameter's name")
    settings = read(Parameter, {"value": name} | line.settings, ("name",))
    draft.step.lists["parameters"].append(Parameter(name, **settings, site=line.sites.get("@")))


def _scope(line: Line, draft: _Draft) -> None:
    settings = read(Scope, line.settings, ("function",))
    scope = Scope(_head(line, "the function's name"), **settings, site=line.sites.get("@"), caller=line.sites.get("^"))
    draft.step.lists["scopes"].append(scope)


def _labels(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.step.step = replace(draft.step.step, labels=Labels(**read(Labels, line.settings)))


def _measures(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.step.step = replace(draft.step.step, measures=Measures(**read(Measures, line.settings)))


def _trial(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.step.lists["trials"].append(Trial(**read(Trial, line.settings)))


def _birth(line: Line, draft: _Draft) -> None:
    _no_head(line)
    draft.step.lists["births"].append(Birth(**read(Birth, line.settings)))


_LINES: Mapping[str, Callable[[Line, _Draft], None]] = {
    "record": _record,
    "framework": _framework,
    "outcome": _outcome,
    "raised": _raised,
    "optimizer": _optimizer,
    "group": _group,
    "plateau": _plateau,
    "ending": _ending,
    "batches": _batches,
    "course": _course,
    "fit": _fit,
    "collation": _collation,
    "origin": _origin,
    "emptied": _emptied,
    "loading": _loading,
    "redraw": _redraw,
    "turning": _turning,
    "evaluated": _evaluated,
    "limit": _limit,
    "fault": _fault,
    "step": _step,
    "parameter": _parameter,
    "scope": _scope,
    "labels": _labels,
    "measures": _measures,
    "trial": _trial,
    "birth": _birth,
}
"""First word to what reads the rest of the line."""
