"""whygrad from Python: one step of a model, a block of code, or a training loop of any form."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from sys import modules
from types import ModuleType, TracebackType
from typing import Any, Self

from whygrad.embedded import Embedded
from whygrad.errors import WhygradError
from whygrad.flow.gauges import gauges
from whygrad.frontends import FRONT_ENDS, Experiments
from whygrad.ir import Step
from whygrad.loggers import taking
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings

UPDATES = ("WG4",)
"""Families of rules about updates: one step of a model makes none."""

Log = Callable[[Mapping[str, float], int], object]
"""Takes figures by name, and the number of the step."""


class TrainingFault(Exception):  # noqa: N818 - the fault is the program's
    """Raised where it was asked for: the training can't work as it is. `report` says why."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"\n{report}")
        self.report = report


def diagnose(model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any, *, experiments: Experiments = "default") -> Report:
    """Take one step of a model, without an update, and say whether its labels teach it anything, and if not, why.

    Nothing is changed: gradients, buffers and random numbers are afterwards what they were. An exception in the model or the loss is part of the
    report. A tuple as `inputs` gives the model several arguments, a mapping named ones. What differs by framework is what it differs by there:

    - PyTorch: a module in its present mode; `loss_fn(model(inputs), labels)`.
    - Keras and TensorFlow: a model, called for training; `loss_fn(labels, model(inputs))`, or whatever `compile` takes as a loss.
    - JAX: a pair `(apply, params)`, an Equinox or an nnx module; `loss_fn(apply(params, inputs), labels)`.

    What needs several steps, or an optimizer, can't be seen here: see `recording` and `watch`.

    ```pycon
    >>> import torch, whygrad
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Linear(4, 3)
    >>> x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
    >>> whygrad.diagnose(model, torch.nn.functional.cross_entropy, x, y).healthy
    True
    >>> report = whygrad.diagnose(model, lambda scores, labels: scores.mean(), x, y)
    >>> [cause.name for cause in report.root_causes]
    ['unused-labels']

    ```
    """
    step = _front_end_for(model)
    embedded = Embedded(Settings(steps=1, experiments=experiments), name=f"one step of {_named(model)}", repeatable=False, aside=UPDATES)
    if not embedded.start():
        raise WhygradError(
            "this process is watched already, by `whygrad run` or by another recording", help="call `diagnose` outside of it"
        )
    problem: Exception | None = None
    try:
        step.take(model, loss_fn, inputs, labels)
    except Exception as raised:  # noqa: BLE001 - the model's own, and part of the report
        problem = raised
    except BaseException:
        embedded.finish()
        raise
    return embedded.finish(problem)


def learns(
    model: Any, loss_fn: Callable[..., Any], inputs: Any, labels: Any, *, steps: int = 20, rate: float = 1e-3
) -> tuple[float, float]:
    """The loss on a batch before and after some updates by Adam on this batch; the model is put back.

    ```pycon
    >>> import torch, whygrad
    >>> _ = torch.manual_seed(0)
    >>> before, after = whygrad.learns(torch.nn.Linear(4, 1), torch.nn.functional.mse_loss, torch.randn(8, 4), torch.randn(8, 1))
    >>> after < before
    True

    ```
    """
    before, after = _front_end_for(model).descend(model, loss_fn, inputs, labels, steps, rate)
    return before, after


def assert_learns(
    model: Any, loss_fn: Callable[..., Any], batch: tuple[Any, Any], *, fail_on: Gate = "warning", steps: int = 20, rate: float = 1e-3
) -> Report:
    """For tests: this model learns from the labels of a batch `(inputs, labels)`. The message of the failure is the report.

    It learns if `diagnose` finds nothing as grave as `fail_on`, and if the loss on this very batch is lower after a few updates by Adam.

    ```pycon
    >>> import torch, whygrad
    >>> _ = torch.manual_seed(0)
    >>> batch = torch.randn(8, 4), torch.randn(8, 1)
    >>> whygrad.assert_learns(torch.nn.Linear(4, 1), torch.nn.functional.mse_loss, batch).healthy
    True

    ```
    """
    __tracebackhide__ = True
    inputs, labels = batch
    report = diagnose(model, loss_fn, inputs, labels)
    if report.healthy is None or report.gates(fail_on) or report.outcome.exception is not None:
        raise AssertionError(f"this model does not learn from these labels\n{report}")
    before, after = learns(model, loss_fn, inputs, labels, steps=steps, rate=rate)
    if not after < before:
        told = f"the loss on this batch was {before:.6g} and is {after:.6g} after {steps} updates on it (Adam, rate {rate:g})"
        raise AssertionError(f"this model does not learn from these labels: {told}\n{report}")
    return report


def _front_end_for(model: object) -> ModuleType:
    """The part of a front end that can take a step of this model."""
    for framework in FRONT_ENDS:
        if framework in modules:
            step = import_module(f"{FRONT_ENDS[framework]}.one_step")
            if step.knows(model):
                return step
    raise WhygradError(
        f"`diagnose` knows no step of {_named(model)}",
        help="give a PyTorch, Keras, Equinox or nnx module, or for JAX a pair `(apply, params)`; for any other training use `recording`",
    )


def _named(model: object) -> str:
    if isinstance(model, tuple) and model:
        return f"`{getattr(model[0], '__name__', type(model[0]).__name__)}`"
    return f"a `{type(model).__name__}`"


@dataclass(slots=True)
class Run:
    """What `recording` watches: `report` is there once the block is over; None where `whygrad run` watches the program and reports itself."""

    report: Report | None = None


@contextmanager
def recording(*, steps: int = 2, experiments: Experiments = "default") -> Iterator[Run]:
    """Watch the training steps of a block; `run.report` is there when it is over. An exception of the block's is reported and goes on.

    ```pycon
    >>> import torch, whygrad
    >>> model = torch.nn.Linear(4, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with whygrad.recording() as run:
    ...     for _ in range(3):
    ...         x = torch.randn(8, 4)
    ...         loss = torch.nn.functional.mse_loss(model(x), x.sum(1, keepdim=True))
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    >>> run.report.healthy, run.report.updates
    (True, 3)

    ```
    """
    run, embedded = Run(), Embedded(Settings(steps=steps, experiments=experiments))
    on = embedded.start()
    problem: BaseException | None = None
    try:
        yield run
    except BaseException as raised:
        problem = raised
        raise
    finally:
        if on:
            run.report = embedded.finish(problem)


@dataclass(slots=True)
class Watch:
    """A training loop under observation; see `watch`."""

    embedded: Embedded
    log: Log | None = None
    stop_on: Gate = "never"
    report: Report | None = None
    """The report of `finish`."""
    figures: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    """Number of each recorded step, and its figures."""
    _on: bool = False
    _told: bool = False
    _failed: Exception | None = None

    def start(self) -> Self:
        """Begin to record."""
        self.embedded.kept = self._kept
        self._on = self.embedded.start()
        return self

    def _kept(self, step: Step) -> None:
        found = gauges(step)
        self.figures.append((step.index, found))
        try:
            if self.log is not None and found:
                self.log(found, step.index)
        except Exception as problem:  # noqa: BLE001 - told at the end: the program trains on
            self._failed = problem

    def check(self) -> None:
        """Call it between steps: raises `TrainingFault` once, where `stop_on` asks for it and enough is recorded to say so."""
        if self._on and not self._told and self.stop_on != "never" and self.embedded.settled:
            self._told = True
            report = self.embedded.so_far()
            if report.gates(self.stop_on):
                self.report = self.finish()
                raise TrainingFault(report)

    def finish(self, problem: BaseException | None = None) -> Report | None:
        """The training is over: the report; None where `whygrad run` watches it. `problem`: the exception that ended it."""
        if self._on:
            self._on = False
            if self._failed is not None and self.embedded.observing is not None:
                self.embedded.observing.limits.append(f"the logger did not take the figures: {type(self._failed).__name__}: {self._failed}")
            self.report = self.embedded.finish(problem)
        return self.report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None) -> None:
        self.finish(problem)


def watch(
    model: Any = None,
    optimizer: Any = None,
    *,
    log: Any = None,
    stop_on: Gate = "never",
    steps: int = 2,
    experiments: Experiments = "default",
) -> Watch:
    """Watch a training loop of any form, from here until `finish`.

    An optimizer that was made before is known only from its first step on; one that never steps, only if it is given here. `log` gets the figures of
    each recorded step: a TensorBoard writer, a W&B run, the `mlflow` module, or a function of the figures and the number of the step. With
    `stop_on="error"` a call of `check` between steps raises `TrainingFault` as soon as a fault is sure.

    ```pycon
    >>> import torch, whygrad
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Linear(4, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with whygrad.watch(model, optimizer) as watch:
    ...     for _ in range(3):
    ...         x = torch.randn(8, 4)
    ...         optimizer.zero_grad()
    ...         torch.nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
    ...         optimizer.step()
    >>> watch.report.healthy
    True
    >>> sorted(watch.figures[0][1])
    ['gradient_norm', 'label_sensitivity', 'starved_parameters', 'update_ratio']

    ```
    """
    known = tuple(item for item in (model, optimizer) if item is not None)
    embedded = Embedded(Settings(steps=steps, experiments=experiments), known=known)
    return Watch(embedded, taking(log) if log is not None else None, stop_on).start()
