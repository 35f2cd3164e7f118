"""Fields of the record's dataclasses as settings of the text form, and back, guided by their declared types."""

import dataclasses
import json
import math
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from whygrad.ir.ops import Attribute
from whygrad.ir.sites import Site
from whygrad.ir.text_scan import NAME, NotThisError
from whygrad.ir.trials import Intervention

_ATTRIBUTES = Mapping[str, Attribute]
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_REQUIRED = object()
_SCALARS = (bool, int, float, str)


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field that is written as a setting."""

    name: str
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        """It has no default, so that it is always written and must always be there."""
        return self.default is _REQUIRED


@cache
def settings_of(cls: type) -> Mapping[str, Field]:
    """The fields of a dataclass that are written as settings: not its sites."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    return {f.name: Field(f.name, hints[f.name], _default(f)) for f in fields if hints[f.name] != Site | None}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _REQUIRED if field.default is dataclasses.MISSING else field.default


def read(cls: type, settings: Mapping[str, Any], given: tuple[str, ...] = ()) -> dict[str, Any]:
    """Constructor arguments from settings; `given` fields come from elsewhere on the line. Raises `NotThisError`."""
    fields = {name: field for name, field in settings_of(cls).items() if name not in given}
    for key in settings:
        if key not in fields:
            raise NotThisError(f"`{key}=`", f"one of {', '.join(f'`{_key(name)}=`' for name in fields)}")
    for name, field in fields.items():
        if field.required and name not in settings:
            raise NotThisError(f"no `{name}=`", f"`{name}=` on this line")
    return {key: value_in(value, fields[key]) for key, value in settings.items()}


def value_in(value: Any, field: Field) -> Any:
    """A JSON value as the field's type."""
    try:
        if field.hint == _ATTRIBUTES:
            return {key: attribute_in(entry) for key, entry in msgspec.convert(value, dict[str, Any]).items()}
        if _is_number(field.hint):
            value = _numbers_in(value)
        return msgspec.convert(value, field.hint)
    except msgspec.ValidationError as problem:
        raise NotThisError(f"`{field.name}={shown(value)}`", f"what fits `{field.name}=` ({problem})") from problem


def _is_number(hint: Any) -> bool:
    """Numbers are due here and no strings, so that "nan" means the number."""
    words = str(hint)
    return "float" in words and "Permute" not in words


def _numbers_in(value: Any) -> Any:
    match value:
        case str():
            return _NOT_FINITE.get(value, value)
        case list():
            return [_numbers_in(entry) for entry in value]
        case dict():
            return {key: _numbers_in(entry) for key, entry in value.items()}
    return value


def attribute_in(value: Any) -> Attribute:
    """An attribute from JSON; `{"float":"nan"}` is the number, since "nan" may be a string here."""
    match value:
        case {"float": str(word)} if word in _NOT_FINITE and len(value) == 1:
            return _NOT_FINITE[word]
        case list() if all(isinstance(entry, _SCALARS) for entry in value):
            return tuple(value)
        case None | bool() | int() | float() | str():
            return value
    raise NotThisError(f"the attribute `{shown(value)}`", "a number, a string, true, false, null, or a list of numbers or of strings")


def written(instance: Any, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """`key=value` for each field of a dataclass that is not at its default."""
    for name, field in settings_of(instance.__class__).items():
        value = getattr(instance, name)
        if name not in skip and not _is_default(value, field):
            yield f"{_key(name)}={shown(value_out(value, field))}"


def _key(name: str) -> str:
    """A field's name in the text: attributes stand under `with=`."""
    return "with" if name == "attributes" else name


def _is_default(value: Any, field: Field) -> bool:
    return type(value) is type(field.default) and bool(value == field.default)


def value_out(value: Any, field: Field) -> Any:
    """A field's value as JSON takes it."""
    if field.hint == _ATTRIBUTES:
        return {key: attribute_out(entry) for key, entry in value.items()}
    return _numbers_out(msgspec.to_builtins(value) if isinstance(value, Intervention) else value)


def attribute_out(value: Attribute) -> Any:
    """An attribute as JSON takes it."""
    return {"float": _numbers_out(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _numbers_out(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(float(value))
        case tuple() | list():
            return [_numbers_out(entry) for entry in value]
        case Mapping():
            return {key: _numbers_out(entry) for key, entry in value.items()}
    return value


def shown(value: Any) -> str:
    """JSON without blanks; only what can't be encoded is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if any("\ud800" <= character <= "\udfff" for character in text) else text


def name_shown(name: str) -> str:
    """A name, in quotes where it needs them."""
    return name if NAME.fullmatch(name) else shown(name)
