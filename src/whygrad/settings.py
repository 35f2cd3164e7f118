"""What the user asked for: options of the command line over `[tool.whygrad]` in `pyproject.toml` over the defaults."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from whygrad.diagnosis import Rule
from whygrad.errors import WhygradError
from whygrad.frontends import Experiments

FailOn = Literal["error", "warning", "never"]
Format = Literal["text", "github"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set for one run."""

    check: bool = False
    """End the program after the recorded steps (`check`), instead of running it to its end (`run`)."""
    json: str = ""
    html: str = ""
    sarif: str = ""
    junit: str = ""
    format: Format = "text"
    record: str = ""
    steps: int = 2
    at_step: int | None = None
    experiments: Experiments = "default"
    fail_on: FailOn = "never"
    select: tuple[str, ...] = ()
    """Rule codes, names or families (`WG3`) that may speak; empty: all."""
    ignore: tuple[str, ...] = ()
    baseline: str = ""
    """A file of accepted diagnoses: they are not shown and gate nothing."""
    update_baseline: bool = False
    """Accept all that this run shows."""
    live: bool = False
    """Show how it goes while the program runs."""


def settings_for(options: Mapping[str, Any], *, check: bool, folder: Path) -> Settings:
    """The settings of one run: what was given on the command line wins over the project's file, key by key."""
    given = {key: value for key, value in options.items() if value not in (None, ())}
    named: dict[str, Any] = {"fail_on": "error" if check else "never", **from_project(folder), **given}
    return replace(Settings(check=check), **named)


def from_project(folder: Path) -> dict[str, Any]:
    """`[tool.whygrad]` of the nearest `pyproject.toml` that has it, at `folder` or above."""
    for above in (folder, *folder.parents):
        table = _table(above / "pyproject.toml")
        if table is not None:
            return {_key(name, above): _checked(name, value, above / "pyproject.toml") for name, value in table.items()}
    return {}


def _table(path: Path) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if b"tool.whygrad" not in content:
        return None
    import tomllib  # noqa: PLC0415 - most projects have no such table

    try:
        table = tomllib.loads(content.decode()).get("tool", {}).get("whygrad")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise WhygradError(
            f"`{path}` is not valid TOML: {problem}", help="put the file right, or run from a folder outside the project"
        ) from None
    return table if isinstance(table, dict) else None


def _key(name: str, folder: Path) -> str:
    known = [field.name.replace("_", "-") for field in fields(Settings) if field.name not in ("check", "update_baseline")]
    if name in known:
        return name.replace("-", "_")
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean `{near[0]}`?" if near else f"known settings: {', '.join(known)}"
    raise WhygradError(f"`{folder / 'pyproject.toml'}`: [tool.whygrad] has no setting `{name}`", help=remedy)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


EXPECTED: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "select": ("a list of rule codes or names", _is_list),
    "ignore": ("a list of rule codes or names", _is_list),
    "steps": ("a whole number from 1", lambda value: _is_count(value) and value != 0),
    "at-step": ("a whole number from 0", _is_count),
    "fail-on": (f"one of {', '.join(get_args(FailOn))}", lambda value: value in get_args(FailOn)),
    "experiments": (f"one of {', '.join(get_args(Experiments))}", lambda value: value in get_args(Experiments)),
    "format": (f"one of {', '.join(get_args(Format))}", lambda value: value in get_args(Format)),
    "live": ("true or false", lambda value: isinstance(value, bool)),
    **{name: ("a path", lambda value: isinstance(value, str)) for name in ("json", "html", "sarif", "junit", "record", "baseline")},
}


def _checked(name: str, value: object, path: Path) -> object:
    expected, fits = EXPECTED[name]
    if not fits(value):
        raise WhygradError(f"`{path}`: [tool.whygrad] `{name}` is {value!r}", help=f"it has to be {expected}")
    return tuple(value) if isinstance(value, list) else value


def chosen(words: Iterable[str], rules: Iterable[Rule]) -> frozenset[str]:
    """Rule codes for codes, names or families; raises `WhygradError` naming the nearest for a word that is none of them."""
    rules = tuple(rules)
    return frozenset(code for word in words for code in _codes(word.strip(), rules))


def _codes(word: str, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    found = tuple(rule.code for rule in rules if word.lower() == rule.name or word.upper() == rule.code)
    if not found and word.upper().startswith("WG"):
        found = tuple(rule.code for rule in rules if rule.code.startswith(word.upper()))
    if not found:
        raise WhygradError(f"no rule is called `{word}`", help=nearest_rule(word, rules))
    return found


def nearest_rule(word: str, rules: Iterable[Rule]) -> str:
    """What to try instead of a word that names no rule."""
    known = {name.lower(): f"{rule.code} {rule.name}" for rule in rules for name in (rule.code, rule.name)}
    # two digits of three that agree are no likeness: all codes begin alike
    near = get_close_matches(word.lower(), list(known), 1, 0.7 if word[2:].isdecimal() else 0.6)
    return f"did you mean `{known[near[0]]}`?" if near else "run `whygrad rules` to list them all"


def named(word: str, rules: Iterable[Rule]) -> Rule:
    """The rule of this code or name; raises `WhygradError` naming the nearest."""
    known = tuple(rules)
    for rule in known:
        if word.strip().lower() in (rule.code.lower(), rule.name):
            return rule
    raise WhygradError(f"no rule is called `{word}`", help=nearest_rule(word, known))
