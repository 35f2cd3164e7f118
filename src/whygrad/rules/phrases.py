"""Words that several rules put into their messages, in one manner."""

from collections.abc import Iterable, Iterator
from math import isfinite

from whygrad.diagnosis import Diagnosis, Related
from whygrad.ir import Site, Value


def listed(names: Iterable[str], *, shown: int = 2, what: str = "") -> str:
    """Names in backticks, the first few in full: `a`, `b` and 3 more."""
    unique = list(dict.fromkeys(names))
    if len(unique) > shown + 1:
        return f"{', '.join(f'`{name}`' for name in unique[:shown])} and {len(unique) - shown:,} more{what and ' ' + what}"
    quoted = [f"`{name}`" for name in unique]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def figure(number: float | None) -> str:
    """A measured number as a reader wants it: three digits, no more."""
    return "unknown" if number is None else f"{number:.3g}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share as reports write it: `84 %`."""
    return "unknown" if share is None else f"{100 * share:.{digits}f} %"


def typed(value: Value) -> str:
    """A value by its name and type: `prediction` (f32[64,1]); by its type alone where it has no name."""
    return f"`{value.shown}` ({value.type})" if value.shown != value.type else f"`{value.type}`"


def plural(count: int, noun: str) -> str:
    """`1 parameter`, `3 parameters`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s" if not noun.endswith("ch") else f"{count:,} {noun}es"


def places(*pairs: tuple[Site | None, str]) -> tuple[Related, ...]:
    """The places that are known, each line once."""
    known = {(site.file, site.line): Related(site, message) for site, message in reversed(pairs) if site}
    return tuple(reversed(known.values()))


def finite(number: float | None) -> bool:
    """It was measured, and is neither NaN nor infinite."""
    return number is not None and isfinite(number)


def distinct(diagnoses: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """One diagnosis for each place and set of names: the same line seen in several steps, or kinds of step, is one fault."""
    seen = set()
    for diagnosis in diagnoses:
        place = (diagnosis.site.file, diagnosis.site.line) if diagnosis.site else None
        key = (place, diagnosis.names if place is None else ())
        if key not in seen:
            seen.add(key)
            yield diagnosis
