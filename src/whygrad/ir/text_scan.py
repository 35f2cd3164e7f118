"""One line of the text form, taken apart: words, settings and sites. Knows nothing of what a line means."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from whygrad.errors import WhygradError
from whygrad.ir.sites import Frame, Site

NAME = re.compile(r"[A-Za-z_%][\w.%\[\]]*")
"""Names that need no quotes."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PAIR = re.compile(r"([A-Za-z_]\w*)=(?=\S)")
_TYPE = re.compile(r"[A-Za-z_]\w*\[\d+(?:,\d+)+\]|\?(?:\[[\d,]*\])?")
_NUMBER = re.compile(r"-?\d+")
_SITE = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|[^\s":]+):(\d+)(?:-(\d+))?(?::(\d+)(?:-(\d+))?)?(?:\s+in\s+("(?:[^"\\]|\\.)*"|[^\s"]+))?(?=\s|$)'
)
_SITE_SETTINGS = ("text", "callers", "library")
_JSON_WORDS = ("true", "false", "null", "NaN", "Infinity")


class NotThisError(Exception):
    """What came, and what was due, before the number of the line is known."""

    def __init__(self, came: str, due: str) -> None:
        super().__init__(f"{came}: expected {due}")
        self.came = came
        self.due = due


@dataclass(frozen=True, slots=True)
class Word:
    """A name, a type, a number or a mark; what stood in quotes is never a mark."""

    text: str
    quoted: bool = False

    @property
    def is_name(self) -> bool:
        """It may name a value."""
        return self.quoted or NAME.fullmatch(self.text) is not None

    def is_mark(self, mark: str) -> bool:
        """It is this mark, not a quoted name that looks like it."""
        return not self.quoted and self.text == mark


@dataclass(slots=True)
class Line:
    """The parts of one line."""

    words: list[Word] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    """By the mark in front of it: `@`, `^` or `&`."""


def scan(text: str) -> Line:
    """The parts of one line; raises `NotThisError`."""
    line, at = Line(), 0
    last_site: dict[str, dict[str, Any]] = {}
    while at < len(text):
        at = at + 1 if text[at].isspace() else _part(text, at, line, last_site)
    for mark, parts in last_site.items():
        line.sites[mark] = _site(parts)
    return line


def _part(text: str, at: int, line: Line, sites: dict[str, dict[str, Any]]) -> int:
    """Take one part off `text` at `at`; returns where it ends."""
    if pair := _PAIR.match(text, at):
        value, end = _value(text, pair.end(), pair[1])
        _place(line, sites, pair[1], value)
        return end
    if text[at] in "@^&~":
        return _site_at(text, at, sites)
    word, end = _word(text, at)
    if line.settings or sites:
        raise NotThisError(f"`{word.text}` behind the settings", "names before `key=value`, and `key=value` to the end of the line")
    line.words.append(word)
    return end


def _word(text: str, at: int) -> tuple[Word, int]:
    if found := _STRING.match(text, at):
        return Word(_json_string(found[0]), quoted=True), found.end()
    for pattern in (_TYPE, NAME, _NUMBER):
        if found := pattern.match(text, at):
            return Word(found[0]), found.end()
    if text[at] in ":,=!":
        return Word(text[at]), at + 1
    raise NotThisError(f"`{text[at:].split(maxsplit=1)[0]}`", 'a name, a name in double quotes, `key=value`, or `@ "file":line`')


def _json_string(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError as problem:
        raise NotThisError(f"`{quoted}`", "a JSON string") from problem


def _value(text: str, at: int, key: str) -> tuple[Any, int]:
    """The JSON value (or bare word, meant as a string) behind `key=`, and where it ends."""
    bare = NAME.match(text, at)
    try:
        if bare and bare[0] not in _JSON_WORDS:
            value, end = bare[0], bare.end()
        else:
            value, end = json.JSONDecoder(parse_constant=_no_constant).raw_decode(text, at)
    except (ValueError, RecursionError) as problem:
        raise NotThisError(f"`{key}={text[at : at + 40]}`", f"a JSON value behind `{key}=`") from problem
    if end < len(text) and not text[end].isspace():
        raise NotThisError(f"`{text[end:].split(maxsplit=1)[0]}` behind the value of `{key}=`", "a blank there")
    return value, end


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _place(line: Line, sites: dict[str, dict[str, Any]], key: str, value: Any) -> None:
    """A setting belongs to the site before it where it is one of a site's, else to the line."""
    of_site = bool(sites) and key in _SITE_SETTINGS and not isinstance(value, bool)
    home = next(reversed(sites.values())) if of_site else line.settings
    if key in home:
        raise NotThisError(f"`{key}=` twice", "each setting once")
    home[key] = value


def _site_at(text: str, at: int, sites: dict[str, dict[str, Any]]) -> int:
    found = _SITE.match(text, at + 1)
    if not found or text[at] in sites:
        raise NotThisError(f"`{text[at : at + 40]}`", f'one place such as `{text[at]} "train.py":20:13-50 in "main"`')
    file, line, end_line, column, end_column, function = found.groups()
    numbers = {"line": line, "end_line": end_line, "column": column, "end_column": end_column}
    sites[text[at]] = {key: int(number or 0) for key, number in numbers.items()}
    sites[text[at]] |= {"file": _unquoted(file), "function": _unquoted(function or "")}
    return found.end()


def _unquoted(text: str) -> str:
    return _json_string(text) if text.startswith('"') else text


def _site(parts: dict[str, Any]) -> Site:
    if not isinstance(parts.get("text", ""), str):
        raise NotThisError("`text=` of a place that is no string", "the source line in double quotes")
    for key in ("callers", "library"):
        parts[key] = tuple(_frame(frame) for frame in _listed(parts.get(key, []), key))
    return Site(**parts)


def _listed(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotThisError(f"`{key}=` of a place that is no list", '`[["file", line, "function"], …]`')
    return value


def _frame(entry: Any) -> Frame:
    match entry:
        case [str(file), int(line), str(function)]:
            return Frame(file, line, function)
        case [str(file), int(line), str(function), str(text)]:
            return Frame(file, line, function, text)
    raise NotThisError(f"a frame `{json.dumps(entry)}`", '`["file", line, "function"]`, perhaps with the text of the line')


def fail(number: int, problem: NotThisError) -> WhygradError:
    """The same complaint with its line."""
    return WhygradError(f"line {number} of the text form: {problem.came}", help=f"expected {problem.due}")
