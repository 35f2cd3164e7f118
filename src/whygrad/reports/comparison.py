"""The comparison of two records, as text."""

from collections.abc import Iterator
from textwrap import fill

from whygrad.flow.comparing import Comparison, Difference, Figures
from whygrad.ir import Site
from whygrad.reports.excerpts import place, tame
from whygrad.reports.figures import counted, figure

MOST = 6
"""Differences in structure that are shown: what comes after the first mostly follows from it."""


def render(found: Comparison, one: str, other: str, width: int = 200) -> str:
    """Both records under these names, in lines of at most so many columns."""
    lines = [_verdict(found, one, other), *(line for item in found.structure[:MOST] for line in _difference(item, one, other))]
    if len(found.structure) > MOST:
        lines.append(f"  and {counted(len(found.structure) - MOST, 'more difference')} in structure")
    lines += _magnitude(found, one, other)
    return "\n".join(_folded(line, width) for line in lines) + "\n"


def _folded(line: str, width: int) -> str:
    """One line as several, each further one set in."""
    indent = len(line) - len(line.lstrip())
    return (
        fill(line, width, subsequent_indent=" " * (indent + 4), break_long_words=True, break_on_hyphens=False)
        if len(line) > width
        else line
    )


def _verdict(found: Comparison, one: str, other: str) -> str:
    steps = f"step {found.steps[0]} of {one} and step {found.steps[1]} of {other}"
    if found.structure:
        return f"whygrad: {steps} differ in structure, first in {found.structure[0].what}"
    if found.first is not None:
        return f"whygrad: {steps} have the same structure; figures differ, first the {found.first.what}"
    return f"whygrad: {steps} are the same in structure and in every figure"


def _difference(item: Difference, one: str, other: str) -> Iterator[str]:
    yield f"  {tame(item.what)}"
    for name, told, site in ((one, item.one, item.one_site), (other, item.other, item.other_site)):
        yield f"    {name}: {tame(told) or 'nothing'}{_at(site)}"


def _at(site: Site | None) -> str:
    if site is None:
        return ""
    return f"  --> {place(site)}{f'  {tame(site.text.strip())}' if site.text.strip() else ''}"


def _magnitude(found: Comparison, one: str, other: str) -> Iterator[str]:
    first, largest = found.first, found.largest
    if first is not None:
        yield from _figures("first figure that differs", first, one, other)
    if largest is not None and largest is not first:
        yield from _figures("figure that differs most", largest, one, other)


def _figures(word: str, item: Figures, one: str, other: str) -> Iterator[str]:
    yield f"  {word}: the {tame(item.what)}"
    yield f"    {one}: {figure(item.one)}{_at(item.one_site)}"
    yield f"    {other}: {figure(item.other)}{_at(item.other_site)}"
