"""The report for a terminal, in the form of compilers: the fault, the line, the figures, the remedy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from shlex import join

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from whygrad.diagnosis import Diagnosis, Evidence, Fix, Related, Report
from whygrad.flow.failures import gist
from whygrad.ir import Site
from whygrad.reports.excerpts import Excerpt, excerpt, place, tame
from whygrad.reports.faults import fault_text
from whygrad.reports.figures import (
    counted,
    figure,
    first_line,
    gradient_sentence,
    labels_sentence,
    run_sentence,
    sensitivity_sentence,
)
from whygrad.suppressions import reason_of

STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
SUSPECTED = "a pattern that is usually a mistake; nothing measured here settles it"
ASCII = str.maketrans(
    {"…": "...", "·": "-", "–": "-", "—": "-", "→": "->", "×": "x", "≤": "<=", "≥": ">=", "≠": "!=", "’": "'", "“": '"', "”": '"'}
)
MOST_RELATED = 3
MOST_SYMPTOMS = 6
MOST_CHANGED = 8
"""Lines of a fix that are shown."""
ROOMY = 40
"""Columns from which on the summary's sentences stand in a column of their own."""
QUOTED = 60
"""Characters of an exception's message that tell it from others."""


def render(report: Report, *, width: int = 100, color: bool = False, unicode: bool = True) -> str:
    """The whole report as text that ends in a newline."""
    page = Page(width, unicode)
    for diagnosis in report.diagnoses:
        if diagnosis.root_cause:
            page.lines += [*page.diagnosis(diagnosis), Text()]
    page.lines += [*page.summary(report), *page.next_commands(report)]
    return page.printed(color=color)


@dataclass(slots=True)
class Page:
    """Lines of a fixed width."""

    width: int
    unicode: bool
    lines: list[Text] = field(default_factory=list)

    def printed(self, *, color: bool) -> str:
        """All lines, with colours or without."""
        out = StringIO()
        console = Console(
            file=out, width=self.width, force_terminal=color, color_system="standard" if color else None, no_color=not color,
            highlight=False, markup=False, emoji=False, legacy_windows=False, force_jupyter=False,
        )  # fmt: skip
        for line in self.lines:
            line.rstrip()
            console.print(line, soft_wrap=True)
        return out.getvalue()

    def text(self, words: str, style: str = "") -> Text:
        """Words of ours or of the user's, safe to print."""
        tamed = tame(" ".join(words.splitlines()))
        return Text(tamed if self.unicode else tamed.translate(ASCII), style)

    def wrapped(self, words: str, indent: int, first: Text, style: str = "") -> Iterator[Text]:
        """`first` and then the words, in lines of the page's width; further lines start at `indent`."""
        rows = wrap(self.text(words).plain, self.width - first.cell_len, max(12, self.width - indent))
        for number, row in enumerate(rows):
            yield (first if number == 0 else Text(" " * indent)) + Text(row, style)

    def diagnosis(self, diagnosis: Diagnosis) -> Iterator[Text]:
        """One root cause."""
        style = STYLES[diagnosis.severity]
        code, name = self.text(f"{diagnosis.severity}[{diagnosis.rule}]", style), self.text(f" {diagnosis.name}: ", "bold")
        if code.cell_len + name.cell_len > self.width:
            yield code
            yield from self.wrapped(diagnosis.message, 2, Text(" ") + name)
        else:
            yield from self.wrapped(diagnosis.message, 2, code + name)
        gutter = _gutter(diagnosis)
        if diagnosis.site is not None:
            yield from self.marked(diagnosis.site, diagnosis.label, gutter, ("-->", "^", style))
        yield from self.related(tuple(other for other in diagnosis.related if not _marked_already(other, diagnosis)), gutter)
        for word, statement in self.statements(diagnosis):
            yield from self.note(word, statement, gutter)
        if diagnosis.fix is not None and diagnosis.fix.diff:
            yield from self.fix(diagnosis.fix, gutter)

    def related(self, places: tuple[Related, ...], gutter: int) -> Iterator[Text]:
        """Other places that a reader wants to see."""
        for other in places[:MOST_RELATED]:
            yield from self.marked(other.site, other.message, gutter, (":::", "-", "blue"))
        if len(places) > MOST_RELATED:
            yield Text(" " * gutter) + Text("::: ", "blue") + self.text(f"and {counted(len(places) - MOST_RELATED, 'more place')}")

    def marked(self, site: Site, label: str, gutter: int, look: tuple[str, str, str]) -> Iterator[Text]:
        """A place: its address, its line, and the mark with a few words below."""
        arrow, mark, style = look
        address = Text(" " * gutter) + Text(f"{arrow} ", "blue") + self.text(place(site))
        found = excerpt(site, self.width - gutter - 3)
        if found is None:
            yield from self.wrapped(label, gutter + 4, address + Text(": ")) if label else [address]
            return
        yield address
        yield Text(f"{site.line:>{gutter}} | ", "blue") + self.text(found.text)
        yield from self.underlined(found, label, gutter, mark, style)

    def underlined(self, found: Excerpt, label: str, gutter: int, mark: str, style: str) -> Iterator[Text]:
        """The mark, with its words beside it, or below where there is no room."""
        bar = Text(" " * (gutter + 1)) + Text("| ", "blue")
        line = bar + Text(" " * found.start) + Text(mark * found.length, style)
        words = self.text(label).plain
        if not label or line.cell_len + 1 + cell_len(words) <= self.width:
            yield line + Text(f" {words}" if label else "", style)
            return
        yield line
        indent = min(found.start, max(0, self.width - gutter - 3 - 40))
        room = self.width - gutter - 3 - indent
        for row in wrap(words, room, room):
            yield bar + Text(" " * indent) + Text(row, style)

    def statements(self, diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
        """What stands behind the equals signs: figures, how sure that is, what it explains, what to do."""
        shown = [evidence for evidence in diagnosis.evidence if not _repeated(evidence, diagnosis)]
        words = [_word(evidence, diagnosis) for evidence in shown]
        yield from zip(words, (evidence.statement for evidence in shown), strict=True)
        if diagnosis.confidence == "suspected" and "suspected" not in words:
            yield "suspected", SUSPECTED
        for symptom in diagnosis.symptoms[:MOST_SYMPTOMS]:
            yield "explains", f"{symptom.message}{f' ({symptom.rule})' if symptom.rule else ''}"
        if len(diagnosis.symptoms) > MOST_SYMPTOMS:
            yield "explains", f"{len(diagnosis.symptoms) - MOST_SYMPTOMS} more symptoms"
        if diagnosis.help:
            yield "help", diagnosis.help

    def fix(self, fix: Fix, gutter: int) -> Iterator[Text]:
        """The fix in one line, and the lines that it changes."""
        yield from self.note("fix", fix_sentence(fix), gutter)
        changed = [line for line in fix.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        for line in changed[:MOST_CHANGED]:
            shown, room = self.text(line.expandtabs(4)).plain, self.width - gutter - 5
            for row in (shown[at : at + room] for at in range(0, len(shown), room)):
                yield Text(" " * (gutter + 5)) + Text(row, "green" if line[0] == "+" else "red")
        if len(changed) > MOST_CHANGED:
            yield Text(" " * (gutter + 5)) + self.text(f"… and {counted(len(changed) - MOST_CHANGED, 'more line')}")

    def note(self, word: str, statement: str, gutter: int) -> Iterator[Text]:
        """One line behind an equals sign."""
        first = Text(" " * (gutter + 1)) + Text("= ", "blue") + self.text(f"{word}: ", "green" if word == "help" else "bold")
        yield from self.wrapped(statement, gutter + 5, first)

    def summary(self, report: Report) -> Iterator[Text]:
        """What ran, and the figures that make one believe the verdict."""
        yield from self.wrapped(_verdict(report), 2, Text("whygrad: ", "bold"), "bold")
        facts = [*_facts(report)]
        longest = max(len(name) for name, _ in facts) + 2
        for name, sentence in facts:
            first = f"  {name + ':':<{longest}}" if self.width >= ROOMY else f"  {name}: "
            yield from self.wrapped(sentence, longest + 2 if self.width >= ROOMY else 4, Text(first))
        for line in fault_text(report.faults).splitlines():
            indent = len(line) - len(line.lstrip())
            yield from self.wrapped(line.lstrip(), indent + 2, Text(" " * indent), "" if indent else "bold red")

    def next_commands(self, report: Report) -> Iterator[Text]:
        """What to type next."""
        codes = dict.fromkeys(diagnosis.rule for diagnosis in report.diagnoses if diagnosis.root_cause)
        commands = [f"whygrad explain {code}" for code in [*codes][:3]]
        offered = [each for each in report.diagnoses if each.root_cause and each.fix is not None and each.fix.diff]
        if offered and report.repeatable:
            # of faults that are equally grave, one with a safe fix may not be enough
            gravest = [each.fix for each in offered if each.fix is not None and each.severity == offered[0].severity]
            option = () if all(fix.safe for fix in gravest) else ("--unsafe",)
            commands.append(join(("whygrad", "fix", *option, report.program, *report.arguments)))
        if not codes:
            commands = ["whygrad rules"] if report.healthy else ["whygrad run --help"]
        for number, command in enumerate(commands):
            yield Text("next: " if number == 0 else "      ") + Text(command, "bold")


def wrap(words: str, first: int, rest: int) -> list[str]:
    """Words in rows of at most `first` cells, then `rest` cells; a word that is longer than a row is broken."""
    rows: list[str] = []
    row = ""
    for word in words.split(" "):
        room = first if not rows else rest
        longer = f"{row} {word}" if row else word
        if cell_len(longer) <= room or not word:
            row = longer
            continue
        if row or room < rest:
            rows.append(row)
        pieces = [word[at : at + rest] for at in range(0, len(word), rest)]
        rows += pieces[:-1]
        row = pieces[-1]
    return [*rows, row]


def in_ascii(line: str) -> str:
    """A source line with a question mark for each cell that ASCII has no sign for, so that marks below it stay in place."""
    return "".join(sign if sign.isascii() else "?" * cell_len(sign) for sign in line)


def _gutter(diagnosis: Diagnosis) -> int:
    """Digits of the largest line number, at least two."""
    sites: Iterable[Site | None] = (diagnosis.site, *(other.site for other in diagnosis.related[:MOST_RELATED]))
    return max(2, *(len(str(site.line)) for site in sites if site is not None)) if diagnosis.site or diagnosis.related else 2


def _word(evidence: Evidence, diagnosis: Diagnosis) -> str:
    """A statement with a figure was measured; one without rests on what the diagnosis rests on."""
    return "measured" if evidence.measure else diagnosis.confidence


def _marked_already(other: Related, diagnosis: Diagnosis) -> bool:
    """The very expression that the diagnosis marks: showing it twice says nothing."""
    here, there = diagnosis.site, other.site
    if here is None or (here.file, here.line) != (there.file, there.line):
        return False
    return (here.column, here.end_column) == (there.column, there.end_column)


def _repeated(evidence: Evidence, diagnosis: Diagnosis) -> bool:
    """It quotes the exception that a symptom quotes as well: "the call raised: …" beside "the program stopped with …"."""
    quoted = evidence.statement.partition(": ")[2][:QUOTED]
    told = (symptom.message for symptom in diagnosis.symptoms if symptom.message.startswith("the program stopped with"))
    return not evidence.measure and bool(quoted) and any(quoted in message for message in told)


def fix_sentence(fix: Fix) -> str:
    """What the fix does, whether it was tried, and what else it changes."""
    learns = f"the fault is gone, and the patched program {fix.shown}" if fix.shown else "the patched program learns"
    tried = f"{'verified' if fix.verified else 'tried'}: {learns}" if fix.tried else "not tried yet"
    return f"{fix.summary} ({tried}{'' if fix.safe else f'; unsafe: {fix.changes}'})"


def _verdict(report: Report) -> str:
    program = " ".join((report.program, *report.arguments))
    roots = [diagnosis.severity for diagnosis in report.diagnoses if diagnosis.root_cause]
    counts = [counted(roots.count(severity), severity) for severity in STYLES if severity in roots]
    if report.healthy is None:
        return f"nothing was judged in {program}: {report.reason or 'there is no training step in the record'}"
    if report.healthy and any(diagnosis.root_cause and diagnosis.severity != "note" for diagnosis in report.suppressed):
        return f"nothing new in {program}: {counted(sum(diagnosis.root_cause for diagnosis in report.suppressed), 'diagnosis', 'diagnoses')} silenced"
    if report.healthy:
        return f"no fault found in {program}" + (f" ({', '.join(counts)})" if counts else "")
    return f"{', '.join(counts)} in {program}"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """The lines of the summary, name by name."""
    yield "run", run_sentence(report)
    raised = report.outcome.exception
    if raised is not None and not _explained(report):
        at = f" ({place(raised.site)})" if raised.site is not None else ""
        yield "exception", f"{raised.type}: {first_line(gist(raised.message))}{at}; no rule explains it"
    if report.steps_recorded:
        yield "labels", labels_sentence(report)
        if report.labels.values:
            yield "sensitivity", sensitivity_sentence(report.measures)
        yield "gradient", gradient_sentence(report)
        yield "updates", _updates(report)
    if len(report.kinds) > 1:
        yield "kinds", "; ".join(f"step {kind.steps[0]}: label sensitivity {figure(kind.measures.label_sensitivity)}, "
                                 f"gradient norm {figure(kind.measures.gradient_norm)}" for kind in report.kinds[:4])  # fmt: skip
    if report.coverage.judged and report.healthy:
        more = " new" if report.suppressed else ""
        yield "rules", f"{counted(len(report.coverage.judged), 'rule')} judged this run and found nothing{more}"
    if report.suppressed:
        yield "silenced", "; ".join(sorted({_silenced(diagnosis) for diagnosis in report.suppressed}))
    for limit in report.limits:
        yield "limit", limit


def _silenced(diagnosis: Diagnosis) -> str:
    """The code, its place, and what silenced it; the reason that a comment gives."""
    at = f" at {place(diagnosis.site)}" if diagnosis.site is not None else ""
    reason = reason_of(diagnosis)
    return f"{diagnosis.rule}{at}, by your {'settings or baseline' if reason is None else 'comment'}{f' ({reason})' if reason else ''}"


def _updates(report: Report) -> str:
    loss = f"; loss {figure(report.measures.loss)} at the judged step" if report.measures.loss is not None else ""
    if not report.updates:
        return f"by the program itself, without an optimizer{loss}" if report.updated_by_hand else f"none by an optimizer{loss}"
    steps = counted(report.outcome.steps_seen, "step")
    if report.parameters and not report.parameters_with_gradient:
        return f"{report.updates} asked for in {steps}, and no parameter had a gradient{loss}"
    return f"{report.updates} in {steps}{loss}"


def _explained(report: Report) -> bool:
    """Whether a root cause names the exception as its symptom."""
    kind = report.outcome.exception.type if report.outcome.exception is not None else ""
    return any(f"stopped with {kind}" in symptom.message for diagnosis in report.diagnoses for symptom in diagnosis.symptoms)
