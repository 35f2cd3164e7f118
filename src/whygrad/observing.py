"""What whygrad does while the program runs: starts the recorders, measures each recorded step, keeps drafts, and ends `check` in time."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from whygrad import __version__
from whygrad.diagnosis import Rule
from whygrad.experiments import examine
from whygrad.frontends import Recorder, Recording
from whygrad.frontends.children import Children
from whygrad.frontends.origins import origins_of
from whygrad.frontends.source import Sources
from whygrad.ir import Birth, Follow, Intervention, Measures, Origin, Outcome, Record, Step, Trial
from whygrad.ir.files import write_record
from whygrad.judging import fault_line, tests_wanted
from whygrad.patched import announce_writes, seed_framework
from whygrad.program import Stop, Target
from whygrad.replay import Replay

QUIET_STEPS = 8
"""`check` ends the program after this many steps that brought no new kind."""
MOST_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told how it goes, on the program's own thread. What they raise is a fault of ours, and the program goes on."""

    kept: Callable[[Step], None] = lambda _: None
    """A recorded step is over."""
    passed: Callable[[int], None] = lambda _: None
    """A step is over, recorded or not: its number in the run."""
    measuring: Callable[[Step, int], None] = lambda *_: None
    """A recorded step is about to be run again, and how often it was before."""


@dataclass(slots=True)
class Told:
    """A `Replay` that says so before each time it runs the step again."""

    replay: Replay
    tell: Callable[[int], None]
    done: int = 0

    def baseline(self) -> Measures:
        """The step unchanged."""
        self._again()
        return self.replay.baseline()

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed."""
        self._again()
        return self.replay.run(intervention)

    def births(self, index: int) -> tuple[Birth, ...]:
        """Where numbers that are not finite are born."""
        self._again()
        return self.replay.births(index)

    def _again(self) -> None:
        self.tell(self.done)
        self.done += 1


class Observing:
    """The session's side of the protocol `Observer`. Nothing in here may stop the program but `Stop`."""

    def __init__(
        self,
        target: Target,
        recording: Recording,
        rules: Callable[[], tuple[Rule, ...]],
        front_ends: Mapping[str, str],
        record_to: Path | None,
        audience: Audience | None = None,
    ) -> None:
        self.target = target
        self.recording = recording
        self.rules = rules
        self.front_ends = front_ends
        self.record_to = record_to
        self.recorders: list[Recorder] = []
        self.latest: Record = Record()
        self.faults: list[str] = []
        self.limits: list[str] = []
        self.last_kept = -1
        self.problem: BaseException | None = None
        self.audience = audience or Audience()
        self.settled = False
        """Every kind of step seen has its recorded steps, and for `QUIET_STEPS` steps nothing new came."""
        self.children = Children()
        self.stopped = False
        self.followed = False
        self.process = os.getpid()
        self.sources = Sources(time.time())
        self.own_imports: Callable[[], AbstractContextManager[None]] = nullcontext
        """Where imports find what is ours, whatever the program has on its path."""

    def attach(self, framework: str) -> None:
        """Start the recorder of a framework that has just been imported."""
        if os.getpid() != self.process:
            return
        try:
            announce_writes(framework)
            seed_framework(framework)
            with self.own_imports():
                front_end = import_module(self.front_ends[framework]).front_end
            self.recorders.append(front_end.attach(self, self.recording))
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.fault(f"the recorder for {framework} could not start", problem)

    def examine(self, step: Step, replay: Replay) -> Step:
        """The step with its measures and trials."""
        if self.recording.follow:
            return self.follow(step, replay)
        if self.recording.experiments == "off":
            return replace(step, measures=replace(step.measures, sensitivity_reason="experiments are switched off"))
        try:
            bounded = self.recording.experiments != "all"
            rules = self.rules()
            told = Told(replay, lambda done: self.hand_on(self.audience.measuring, step, done))
            return examine(step, told, lambda measured: tests_wanted(rules, self.with_step(measured)), bounded=bounded)
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.fault("an experiment failed", problem)
            self.stop()
            return step

    def follow(self, step: Step, replay: Replay) -> Step:
        """The first step that can be run again, of those that are asked for, with its loss by the parameters that other runs kept."""
        if self.followed or step.index < self.recording.follow_from:
            return step
        trials = tuple(replay.run(Follow(folder)) for folder in self.recording.follow)
        self.followed = any(not trial.reason for trial in trials)
        return replace(step, trials=trials)

    def with_step(self, step: Step) -> Record:
        """All that is known so far, this unfinished step included."""
        drafts = [recorder.draft() for recorder in self.recorders]
        record = together(drafts)
        return replace(record, steps=(*(known for known in record.steps if known.index != step.index), step))

    def so_far(self) -> Record:
        """The whole record, were the program to end now; the recording goes on."""
        return self.named(together([recorder.draft() for recorder in self.recorders] or [Record()]))

    def keep(self, step: Step) -> None:
        """A recorded step is over."""
        self.last_kept = max(self.last_kept, step.index)
        self.hand_on(self.audience.kept, step)

    def ended(self, index: int, complete: bool) -> None:  # noqa: FBT001 - as the protocol has it
        """A step is over; ends the program if that is all there was to record."""
        self.hand_on(self.audience.passed, index)
        last = max(self.last_kept, (self.recording.at_step or 0) - 1)
        self.settled = complete and index - last >= QUIET_STEPS
        if self.recording.stop_after and self.settled:
            self.stopped = True
            raise Stop

    def hand_on(self, told: Callable[..., None], *what: object) -> None:
        """Tell the audience; it is told nothing more once that has failed."""
        try:
            told(*what)
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.audience = Audience()
            self.fault("what was measured could not be handed on", problem)

    def draft(self, record: Record) -> None:
        """Write what is known so far, so that a killed program leaves it."""
        self.latest = record
        if self.record_to is None or os.getpid() != self.process:
            return
        try:
            write_record(self.record_to, self.named(record))
        except OSError as problem:
            self.record_to = None
            self.limits.append(f"the draft of the record could not be written: {problem.strerror or problem}")
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            self.record_to = None
            self.fault("the draft of the record could not be written", problem)

    def fault(self, where: str, problem: BaseException) -> None:
        """Something of ours failed."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault_line(where, problem))

    def stop(self) -> None:
        """Take all hooks out; what is recorded stays."""
        for recorder in self.recorders:
            with suppress(Exception):
                recorder.stop()

    def abandon(self) -> None:
        """In a forked child: nothing is recorded there."""
        if self.recorders:
            self.stop()
            self.recorders = []

    def finish(self, outcome: Outcome) -> Record:
        """The whole record; where a recorder fails at the end, what it last gave as a draft."""
        if self.stopped:
            outcome = replace(
                outcome, exit_status=None, exception=None, stopped="`whygrad check` ended the program after the recorded steps"
            )
        finished = [self.guarded(recorder.finish, outcome) for recorder in self.recorders] or [Record()]
        record = together(finished)
        for step in record.steps:
            if step.index > self.last_kept:  # the program's end ended it
                self.keep(step)
        known = record.outcome if record.outcome != Outcome() else self.latest.outcome
        return self.named(replace(record, outcome=outcome.counting(known), origins=(*record.origins, *self.origins(record))))

    def origins(self, record: Record) -> tuple[Origin, ...]:
        """What the source says of the labels and settings that the record names."""
        try:
            return origins_of(record, self.sources)
        except Exception as problem:  # noqa: BLE001 - the report must still come
            self.fault("the source could not be followed", problem)
            return ()

    def guarded(self, finish: Callable[[Outcome], Record], outcome: Outcome) -> Record:
        """What a recorder gives at the end, or its last draft."""
        try:
            return finish(outcome)
        except Exception as problem:  # noqa: BLE001 - the report must still come
            self.fault("the recorder failed at the program's end", problem)
            self.stop()
            return self.latest

    def named(self, record: Record) -> Record:
        """The record with what only the session knows."""
        return replace(
            record,
            whygrad=__version__,
            program=self.target.name,
            arguments=self.target.arguments,
            faults=tuple(dict.fromkeys((*record.faults, *self.faults))),
            limits=tuple(dict.fromkeys((*record.limits, *self.limits, *self.children.limits()))),
        )


def together(records: list[Record]) -> Record:
    """One record of what several front ends saw; most programs have one. One that a library imported and nobody trained with says nothing."""
    faults = tuple(item for record in records for item in record.faults)
    records = [record for record in records if record.steps or record.outcome.steps_seen] or records
    if len(records) == 1:
        return replace(records[0], faults=faults)
    if not records:
        return Record()
    seen = [record.outcome for record in records]
    return replace(
        records[0],
        frameworks=tuple(item for record in records for item in record.frameworks),
        outcome=replace(
            seen[0],
            steps_seen=sum(o.steps_seen for o in seen),
            backwards_seen=sum(o.backwards_seen for o in seen),
            untracked=max(o.untracked for o in seen),
            updates_seen=sum(o.updates_seen for o in seen),
        ),
        steps=tuple(item for record in records for item in record.steps),
        optimizers=tuple(item for record in records for item in record.optimizers),
        endings={name: ending for record in records for name, ending in record.endings.items()},
        batches=tuple(item for record in records for item in record.batches),
        courses=tuple(item for record in records for item in record.courses),
        fits=tuple(item for record in records for item in record.fits),
        collations=tuple(item for record in records for item in record.collations),
        emptied=tuple(item for record in records for item in record.emptied),
        loadings=tuple(item for record in records for item in record.loadings),
        redraws=tuple(item for record in records for item in record.redraws),
        turnings=tuple(item for record in records for item in record.turnings),
        standing=tuple(item for record in records for item in record.standing),
        evaluated=next((record.evaluated for record in records if record.evaluated is not None), None),
        origins=tuple(item for record in records for item in record.origins),
        limits=tuple(item for record in records for item in record.limits),
        faults=faults,
    )
