"""The front end of `tiny`. The environment variable TINY_FAULT names a stage at which it fails."""

import os
from dataclasses import replace

import tiny
from whygrad.frontends import Recording
from whygrad.ir import Birth, Framework, Intervention, Measures, Outcome, Permute, Record, Step, Trial
from whygrad.ir.text import loads
from whygrad.replay import Observer


def fail_at(stage: str) -> None:
    """Fail if the test asked for it."""
    if os.environ.get("TINY_FAULT") == stage:
        raise ZeroDivisionError(f"injected at {stage}")


class TinyReplay:
    """Every label matters a little."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def baseline(self) -> Measures:
        fail_at("baseline")
        return replace(self.step.measures, reproduced=True, noise_floor=0.0)

    def births(self, index: int) -> tuple[Birth, ...]:
        return ()

    def run(self, intervention: Intervention) -> Trial:
        fail_at("replay")
        known = next((trial for trial in self.step.trials if trial.intervention == intervention), None)
        change = self.step.measures.label_sensitivity if isinstance(intervention, Permute) else 0.5
        return known or Trial(intervention, loss=1.0, gradient_norm=0.8, change=change)


class TinyRecorder:
    """Keeps what is played."""

    def __init__(self, observer: Observer, settings: Recording) -> None:
        self.observer = observer
        self.settings = settings
        self.record = Record(frameworks=(Framework("tiny", tiny.__version__),))
        self.seen = 0
        tiny.players.append(self.played)

    def played(self, what: str | int) -> None:
        """Steps by text, or by number."""
        if isinstance(what, int):
            for _ in range(what):
                self.seen += 1
                self.observer.ended(self.seen - 1, complete=True)
            return
        given = loads(what)
        for step in given.steps:
            self.kept(replace(step, index=self.seen), given)

    def kept(self, step: Step, given: Record) -> None:
        """Examine and keep one step."""
        try:
            fail_at("record")
            step = self.observer.examine(step, TinyReplay(step))
            self.record = replace(given, frameworks=self.record.frameworks, steps=(*self.record.steps, step))
            self.seen += 1
            self.observer.keep(step)
            self.observer.draft(self.draft())
        except Exception as problem:
            self.stop()
            self.observer.fault("recording a step failed", problem)
        self.observer.ended(self.seen - 1, complete=True)

    def draft(self) -> Record:
        fail_at("draft")
        return replace(self.record, outcome=Outcome(steps_seen=self.seen, backwards_seen=self.seen))

    def finish(self, outcome: Outcome) -> Record:
        self.stop()
        fail_at("finish")
        return replace(self.record, outcome=replace(outcome, steps_seen=self.seen, backwards_seen=self.seen))

    def stop(self) -> None:
        if self.played in tiny.players:
            tiny.players.remove(self.played)


class TinyFrontEnd:
    """Starts the recorder."""

    name = "tiny"

    def attach(self, observer: Observer, settings: Recording) -> TinyRecorder:
        fail_at("attach")
        return TinyRecorder(observer, settings)


front_end = TinyFrontEnd()
