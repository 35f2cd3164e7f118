"""Comments in the user's source that silence a diagnosis, `# whygrad: ignore[WG301] why`, and those that silence nothing."""

import re
import tokenize
from collections.abc import Collection, Iterator

from whygrad.diagnosis import Diagnosis, Report
from whygrad.ir import Record

COMMENT = re.compile(r"#\s*whygrad:\s*ignore(?:\[([^\]]*)\])?(.*)")


def suppressed(diagnosis: Diagnosis) -> bool:
    """Whether the line that it is on carries `# whygrad: ignore[…]` with its code or name, or with nothing in particular."""
    found = COMMENT.search(diagnosis.site.text) if diagnosis.site is not None else None
    if found is None:
        return False
    words = _words(found)
    return not words or diagnosis.rule.lower() in words or diagnosis.name in words


def reason_of(diagnosis: Diagnosis) -> str | None:
    """What the comment that silences a diagnosis gives as its reason, maybe nothing; None where no comment does."""
    found = COMMENT.search(diagnosis.site.text) if diagnosis.site is not None and suppressed(diagnosis) else None
    return _reason(found) if found is not None else None


def _reason(found: re.Match[str]) -> str:
    return found[2].strip(" \t\r\n:-—")


def _words(found: re.Match[str]) -> list[str]:
    return [word.strip().lower() for word in (found[1] or "").split(",") if word.strip()]


def idle_comments(record: Record, report: Report, silent: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each such comment, in a file that the record names, that silenced nothing in this run, or that gives no reason.

    Where nothing was judged, or where a rule that the comment names did not judge, nobody can tell whether it is idle.
    """
    if report.healthy is None and not report.diagnoses and not report.suppressed:
        return
    used = {(item.site.text, item.site.line) for item in report.suppressed if item.site is not None}
    judged = {code.lower() for code in report.coverage.judged} - {code.lower() for code in silent}
    for file in sorted(_files(record)):
        for line, text, found in _comments(file):
            codes = [word for word in _words(found) if re.fullmatch(r"wg\d+", word)]
            if (text.rstrip("\r\n"), line) not in used and all(code in judged for code in codes):
                yield f"the comment `{_named(found)}` at {file}:{line} silences nothing in this run: take it out, or give it the code of a diagnosis on its line"
            elif not _reason(found):
                yield f"the comment `{_named(found)}` at {file}:{line} gives no reason: say behind it why the line is right as it is"


def _named(found: re.Match[str]) -> str:
    """The comment without its reason."""
    return found[0][: found.end(0) - found.start(0) - len(found[2])]


def _files(record: Record) -> set[str]:
    """The user's own files in which something was recorded."""
    ops = {op.site.file for step in record.steps for op in step.graph.ops if op.site is not None}
    return ops | {event.site.file for step in record.steps for event in step.events if event.site is not None}


def _comments(file: str) -> Iterator[tuple[int, str, re.Match[str]]]:
    """Line number, text of the line, and match, for each comment of ours; nothing of a file that can't be read."""
    try:
        with tokenize.open(file) as source:
            tokens = [token for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT]
    except (OSError, SyntaxError, ValueError, tokenize.TokenError):
        return
    for token in tokens:
        found = COMMENT.search(token.string)
        if found is not None:
            yield token.start[0], token.line, found
