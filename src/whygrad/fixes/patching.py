"""A remedy over the source that it speaks of: the patched text, and the difference as a diff."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from whygrad.diagnosis import Edit, Remedy
from whygrad.fixes.editing import apply
from whygrad.fixes.finding import Tree
from whygrad.fixes.names import names_of, with_imports
from whygrad.fixes.refusals import Refused
from whygrad.fixes.sources import CHANGED, Texts, unchanged

CONTEXT = 2
"""Lines shown around a change."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What a remedy makes of the source."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """Absolute path to the new text of each file that changes."""
    diff: str = ""
    reason: str = ""
    """Why there is no patch, where there is none."""


def patch(remedy: Remedy, texts: Texts) -> Patch:
    """The patch for a remedy; one without texts, but with the reason, where an edit can't be made."""
    first = _made(remedy.edits, texts)
    if first.texts or not remedy.otherwise or first.reason.endswith(CHANGED):
        return first
    second = _made(remedy.otherwise, texts)
    return second if second.texts else first


def _made(wanted: tuple[Edit, ...], texts: Texts) -> Patch:
    changed: dict[str, str] = {}
    diffs = []
    try:
        for file, edits in _by_file(wanted).items():
            before = texts.read(file)
            after = edited(before, edits, file)
            if after != before:
                changed[texts.path(file)] = after
                diffs.append(unified(before, after, file))
    except Refused as refusal:
        return Patch(reason=refusal.reason)
    return Patch(changed, "".join(diffs), "" if changed else "the source is as the fix would have it")


def _by_file(edits: tuple[Edit, ...]) -> dict[str, tuple[Edit, ...]]:
    files = dict.fromkeys(edit.site.file for edit in edits)
    return {file: tuple(edit for edit in edits if edit.site.file == file) for file in files}


def edited(text: str, edits: tuple[Edit, ...], file: str) -> str:
    """The text of a file with the edits made; raises `Refused`."""
    for edit in edits:
        unchanged(text, edit, file)
        if edit.to is not None and edit.to.file != edit.site.file:
            raise Refused("the two places stand in different files")
    tree = Tree.of(text, file)
    names = names_of(tree.module)
    after = with_imports(apply(tree, edits, names), names).code
    try:
        compile(after, file, "exec", dont_inherit=True)
    except SyntaxError:
        raise Refused("the changed source would not compile") from None
    return after


def unified(before: str, after: str, file: str) -> str:
    """The difference as `diff -u` shows it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, n=CONTEXT, lineterm="")
    return "".join(f"{line}\n" for line in lines)
