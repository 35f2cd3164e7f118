"""One run: the program is started and watched, its record judged, and the report delivered."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

import msgspec

from whygrad import __version__
from whygrad.baseline import as_baseline, read_baseline
from whygrad.delivery import Outputs, Screen, outputs_for, screen, stderr, telling, write_text
from whygrad.diagnosis import Coverage, Report, Rule
from whygrad.errors import WhygradError
from whygrad.frontends import FRONT_ENDS, Recording
from whygrad.frontends.raising import raised
from whygrad.frontends.source import Sources
from whygrad.frontends.watching import Watching, watched
from whygrad.imports import hide_shadowed, own_imports
from whygrad.ir import Labels, Measures, Outcome, Record
from whygrad.ir.files import read_record, write_record
from whygrad.judging import Choice, all_rules, fault_line, foreign_rules, judge
from whygrad.mending import with_fixes
from whygrad.observing import Audience, Observing
from whygrad.patched import follow_from, prepare_process, to_follow, trajectory
from whygrad.program import Ended, Program, Target, prepare, run, tell
from whygrad.reports import json_report
from whygrad.reports.faults import fault_text
from whygrad.reports.figures import counted
from whygrad.settings import Settings, chosen
from whygrad.suppressions import idle_comments
from whygrad.waiting import Patience

if TYPE_CHECKING:
    from whygrad.live import Live

GATES: Mapping[str, tuple[str, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


def run_session(target: Target, settings: Settings, front_ends: Mapping[str, str] = FRONT_ENDS) -> int:
    """Run the program, report on stderr and in the files asked for; returns the exit status to end with.

    Raises `WhygradError` before anything runs, for whatever the user can put right.
    """
    if watched():
        return _plain(target)
    choosing = cache(partial(choose, settings))
    if settings.select or settings.ignore or settings.baseline or foreign_rules():
        choosing()  # words that may name no rule, and rules of others that may clash, are told before anything runs
    outputs = outputs_for(settings)
    prepare_process()
    return Session(target, settings, choosing, outputs, front_ends).run(prepared(target))


def prepared(target: Target) -> Program | SyntaxError:
    """The program, or why Python can't compile it, which is shown as Python shows it."""
    try:
        return prepare(target)
    except SyntaxError as problem:
        problem.__traceback__ = None
        return problem


def choose(settings: Settings) -> Choice:
    """The rules, and which of them are to stay silent."""
    rules, faults = all_rules()
    selected = chosen(settings.select, rules) or frozenset(rule.code for rule in rules)
    silent = frozenset(rule.code for rule in rules) - selected | chosen(settings.ignore, rules)
    return Choice(rules, silent, faults, _accepted(settings))


def _accepted(settings: Settings) -> frozenset[str]:
    if not settings.baseline or (settings.update_baseline and not Path(settings.baseline).exists()):
        return frozenset()
    return read_baseline(Path(settings.baseline))


def _plain(target: Target) -> int:
    screen(stderr()).print(f"whygrad: this process already runs under whygrad, so this one only runs `{target.name}`\n")
    program = prepared(target)
    return tell(Ended(1, program) if isinstance(program, SyntaxError) else run(program))


@dataclass(slots=True)
class Session:
    """The parts of one run, while it lasts."""

    target: Target
    settings: Settings
    choosing: Callable[[], Choice]
    """The rules, loaded when they are first needed: a program that takes no step starts without them."""
    outputs: Outputs
    front_ends: Mapping[str, str]
    folder: Path = field(default_factory=Path.cwd)
    path: list[str] = field(default_factory=lambda: list(sys.path))
    process: int = field(default_factory=os.getpid)
    sources: Sources = field(default_factory=lambda: Sources(time.time()))
    screen: Screen = field(default_factory=lambda: screen(stderr()))
    hidden: dict[str, ModuleType] = field(default_factory=dict)
    concluded: bool = False
    live: "Live | None" = None

    def run(self, program: Program | SyntaxError) -> int:
        """Run it and conclude; in a forked child that comes out here, only the program's own end counts."""
        observing = Observing(self.target, self.recording(), self.rules, self.front_ends, self.outputs.record)
        observing.audience = self.audience(observing)
        ended = Ended(1, program) if isinstance(program, SyntaxError) else self.watch(program, observing)
        status = tell(ended)
        if os.getpid() != self.process:
            return status
        status = self.conclude(ended, status, observing)
        return _end_by_interrupt() if ended.interrupted else status

    def rules(self) -> tuple[Rule, ...]:
        """All rules. The program may be running, so imports have to find ours."""
        with self.own_imports():
            return self.choosing().rules

    def audience(self, observing: Observing) -> Audience:
        """Who is told how it goes: the live display, else a person who waits at a terminal."""
        if self.outputs.rank or not (self.settings.live or self.screen.terminal):
            return Audience()
        if not self.settings.live:
            return Audience(measuring=Patience(self.screen).measuring)
        from whygrad.live import Live  # noqa: PLC0415 - rich is imported for nobody else before the program has run

        self.live = live = Live(self.screen, self.target.name, observing.so_far, lambda record: judge(record, self.choosing(), self.folder))
        live.begin()
        return Audience(live.kept, live.passed, live.measuring)

    def recording(self) -> Recording:
        """The settings, as front ends read them."""
        own = self.settings
        asked = own.steps, own.at_step, own.experiments, own.check
        return Recording(*asked, trajectory=trajectory(), follow=to_follow(), follow_from=follow_from())

    def watch(self, program: Program, observing: Observing) -> Ended:
        """Run the program with everything in place that sees its frameworks and its sudden ends."""
        watching = Watching(self.front_ends, observing.attach, patient=True)
        os.register_at_fork(after_in_child=observing.abandon)
        self.hidden = hide_shadowed(program.path0)
        observing.own_imports = self.own_imports
        with sudden_exit(lambda status: self.leave(status, observing)):
            watching.install()
            observing.children.install()
            try:
                return run(program)
            finally:
                observing.children.remove()
                watching.remove()

    def own_imports(self) -> AbstractContextManager[None]:
        """Where imports find what is ours, whatever the program has on its path."""
        return own_imports(self.path, self.hidden)

    def leave(self, status: int, observing: Observing) -> None:
        """The program calls `os._exit`: the report comes first. Its own buffers stay unflushed, as without us."""
        if os.getpid() == self.process:
            self.conclude(Ended(status & 0xFF), status & 0xFF, observing)

    def conclude(self, ended: Ended, status: int, observing: Observing) -> int:
        """Judge, print, write; whatever fails in here is told and changes nothing for the program. Returns the exit status."""
        if self.concluded:
            return status
        self.concluded = True
        try:
            if self.live is not None:
                self.live.end()
            with self.own_imports():
                observing.problem = ended.problem
                record = observing.finish(self.outcome(ended, status))
                report = self.judged(record)
                self.deliver(record, report)
            return exit_status(self.settings, report, 0 if observing.stopped else status, accepted=self.outputs.baseline is not None)
        except Exception as problem:  # noqa: BLE001 - the last guard: the program's own exit status stands
            self.screen.print(failure_text((fault_line("the report failed", problem),), full=True))
            return status

    def outcome(self, ended: Ended, status: int) -> Outcome:
        """How the program ended, as the record keeps it."""
        problem = ended.problem if not isinstance(ended.problem, SystemExit) else None
        return Outcome(status, raised(problem, self.sources) if problem is not None else None)

    def judged(self, record: Record) -> Report:
        """The report; one that says what failed if judging itself does."""
        try:
            choice = (
                self.choosing() if record.frameworks or self.settings.baseline else Choice(())
            )  # no rule is about a program without one
            report = judge(record, choice, self.folder)
            report = replace(report, limits=(*report.limits, *nearer_words(idle_comments(record, report, choice.silent), self.folder)))
        except Exception as problem:  # noqa: BLE001 - told in the report
            return failed_report(record, fault_line("judging the record failed", problem))
        try:
            return with_fixes(report, self.folder)
        except Exception as problem:  # noqa: BLE001 - what was found stands without a fix
            return replace(report, faults=(*report.faults, fault_line("making a fix failed", problem)))

    def deliver(self, record: Record, report: Report) -> None:
        """Print the report and write the files, each on its own."""
        problems = [*self.written(record, report)]
        if not self.outputs.rank:
            self.screen.print("\n" + shown(report, self.screen))
            self.screen.print(announced(report, self.settings))
            self.screen.print(taken_in(report, self.outputs.baseline) if not problems else "")
        for problem in problems:
            self.screen.print(problem)

    def renderers(self) -> Iterator[tuple[str, Path | None, Callable[[Report], str]]]:
        """The files that hold the report, and what makes their text."""
        return renderers(self.outputs, lambda: self.choosing().rules)

    def written(self, record: Record, report: Report) -> Iterator[str]:
        """Write the files; yields what went wrong."""
        writers: dict[str, tuple[Path | None, Callable[[Path], None]]] = {
            **{option: (path, partial(write_report, report=report, render=render)) for option, path, render in self.renderers()},
            "--record": (self.outputs.record, lambda path: write_record(path, record, packed(report))),
            "--baseline": (self.outputs.baseline, lambda path: write_text(path, as_baseline(report, self.choosing().accepted))),
        }
        for option, (path, write) in writers.items():
            try:
                if path is not None:
                    write(path)
            except OSError as problem:
                yield f"whygrad: {option} `{path}` could not be written: {problem.strerror or problem}\n"
            except Exception as problem:  # noqa: BLE001 - told below the report
                yield failure_text((fault_line(f"writing {option} failed", problem),), full=True)


def nearer_words(sentences: Iterable[str], folder: Path) -> Iterator[str]:
    """Sentences with places below the folder given relative to it."""
    return (sentence.replace(f"{folder}/", "") for sentence in sentences)


def shown(report: Report, at: Screen) -> str:
    """The terminal report; where its renderer fails, the bare facts."""
    try:
        from whygrad.reports.terminal import render  # noqa: PLC0415 - rich is not imported before the program has run

        return render(report, width=at.width, color=at.color, unicode=at.unicode)
    except Exception as problem:  # noqa: BLE001 - a report without form is better than none
        lines = [f"{item.severity}[{item.rule}] {item.name}: {item.message}" for item in report.diagnoses]
        return "\n".join(lines) + ("\n" if lines else "") + failure_text((fault_line("rendering the report failed", problem),), full=True)


def as_json(report: Report) -> str:
    """The JSON report."""
    return json_report.render(report)


def as_html(report: Report) -> str:
    """The page."""
    from whygrad.reports.html import render  # noqa: PLC0415 - jinja2 is loaded only for those who ask

    return render(report)


def as_sarif(report: Report, rules: tuple[Rule, ...]) -> str:
    """The SARIF log."""
    from whygrad.reports.sarif import render  # noqa: PLC0415 - loaded only for those who ask

    return render(report, rules)


def as_junit(report: Report) -> str:
    """The JUnit file."""
    from whygrad.reports.pipelines import junit  # noqa: PLC0415 - loaded only for those who ask

    return junit(report)


def renderers(outputs: Outputs, rules: Callable[[], tuple[Rule, ...]]) -> Iterator[tuple[str, Path | None, Callable[[Report], str]]]:
    """Every option that names a file for the report, with the file and what makes its text. Rules are loaded for the form that lists them."""
    yield "--json", outputs.json, as_json
    yield "--html", outputs.html, as_html
    yield "--sarif", outputs.sarif, lambda report: as_sarif(report, rules=rules())
    yield "--junit", outputs.junit, as_junit


def write_report(path: Path, report: Report, render: Callable[[Report], str]) -> None:
    """Write the report in one form."""
    write_text(path, render(report))


def announced(report: Report, settings: Settings) -> str:
    """Annotations for a pipeline, where they were asked for."""
    if settings.format != "github":
        return ""
    from whygrad.reports.pipelines import annotations  # noqa: PLC0415 - loaded only for those who ask

    return annotations(report)


def taken_in(report: Report, baseline: Path | None) -> str:
    """What `--update-baseline` took into its file."""
    count = sum(item.root_cause for item in report.diagnoses)
    return (
        f"whygrad: accepted {counted(count, 'diagnosis', 'diagnoses')} in `{baseline}`: later checks show others alone\n"
        if baseline
        else ""
    )


def packed(report: Report) -> bytes | None:
    """The report as the record file carries it: MessagePack, since that keeps NaN and infinities; its sets in an order that no hash seed changes."""
    plain = msgspec.to_builtins(report)
    for diagnosis in (*plain["diagnoses"], *plain["suppressed"]):
        diagnosis.update({name: sorted(diagnosis[name]) for name in ("facts", "explains")})
    try:
        return msgspec.msgpack.encode(plain)
    except (UnicodeEncodeError, OverflowError):
        return None


def failure_text(faults: tuple[str, ...], *, full: bool = False) -> str:
    """What is said of our own faults; `full`: with tracebacks, where no record can keep them."""
    return fault_text(faults, full=full)


def failed_report(record: Record, fault: str) -> Report:
    """A report that judges nothing, because judging failed."""
    return Report(
        whygrad=__version__, program=record.program, arguments=record.arguments, frameworks=record.frameworks, outcome=record.outcome,
        steps_recorded=tuple(step.index for step in record.steps), healthy=None, reason="whygrad itself failed, so silence means nothing",
        measures=Measures(), parameters=0, parameters_with_gradient=0, labels=Labels(), label_names=(), label_sites=(),
        coverage=Coverage(), limits=record.limits, faults=(*record.faults, fault),
    )  # fmt: skip


def exit_status(settings: Settings, report: Report, own: int, *, accepted: bool = False) -> int:
    """1 for a diagnosis that gates, else the program's own failure, else, for `check`, 3 where nothing could be judged.

    `accepted`: the baseline has just taken in all that is shown.
    """
    gates = GATES[settings.fail_on] if not accepted else ()
    if any(diagnosis.severity in gates for diagnosis in report.diagnoses):
        return 1
    if own or not settings.check:
        return own
    return 3 if report.healthy is None else 0


@contextmanager
def sudden_exit(before: Callable[[int], None]) -> Iterator[None]:
    """Within this block `os._exit` calls `before` first, whatever that does."""
    really = os._exit

    def _exit(status: int) -> NoReturn:
        with suppress(BaseException):
            before(status)
        really(status)

    os._exit = _exit
    try:
        yield
    finally:
        os._exit = really


def _end_by_interrupt() -> NoReturn:
    """End as Python ends at Ctrl-C, by the signal itself; its traceback was printed before."""
    sys.excepthook = lambda *_: None
    raise KeyboardInterrupt


def show_record(path: str, settings: Settings) -> int:
    """Print a saved record's report again, as it was; raises `WhygradError` for a file that is none."""
    outputs = outputs_for(settings)
    file = read_record(path)
    if file.report_bytes is None:
        report = judged_once(file.record)
    else:
        try:
            report = msgspec.msgpack.decode(file.report_bytes, type=Report)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise WhygradError(f"the report in `{path}` is damaged: {problem}", help="record the program again with `--record`") from None
    for option, file_asked, render in renderers(outputs, lambda: all_rules()[0]):
        if file_asked is not None:
            with telling(f"{option} `{file_asked}`"):
                write_report(file_asked, report, render)
    at = screen(sys.stdout)
    at.print(shown(report, at))
    at.print(announced(report, settings))
    return 0


def judged_once(record: Record) -> Report:
    """The report on a draft that a killed program left."""
    note = "the program was killed before its report: this is judged now, from what was recorded until then"
    try:
        report = judge(record, choose(Settings()), Path.cwd())
    except Exception as problem:  # noqa: BLE001 - told in the report
        report = failed_report(record, "".join(traceback.format_exception_only(problem)).strip())
    return replace(report, limits=(*report.limits, note))
