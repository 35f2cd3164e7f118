"""All rules, sharing one index, over synthetic steps of 1,000 to 100,000 ops, sound and faulty: the time, and how it grows."""

import math
import time
from collections.abc import Iterator

from whygrad.flow import Index
from whygrad.ir import (
    Ending,
    Event,
    GradientState,
    Graph,
    Group,
    Labels,
    Op,
    Optimizer,
    Outcome,
    Parameter,
    Record,
    Role,
    Site,
    Statistics,
    Step,
    Value,
)
from whygrad.judging import consult
from whygrad.rules import load_rules

SIZES = (1_000, 10_000, 100_000)
FAULTS = ("healthy", "cut", "frozen", "unused", "non-finite")
PATIENCE = 5.0
"""Seconds after which a run is not repeated."""
LAYER = 5
"""Ops of one layer of the synthetic network."""


def layer(number: int, source: str) -> Iterator[Op]:
    """One residual layer with a side branch that is cut, as real networks have."""
    name, site = f"h{number}", Site("model.py", 10 + number % 50, function="forward", text="h = self.layer(h)")
    yield Op("linear", (source, f"w{number}"), (f"{name}.linear",), site=site, module=f"layers.{number}")
    yield Op("relu", (f"{name}.linear",), (f"{name}.relu",), site=site)
    yield Op("detach", (f"{name}.relu",), (f"{name}.detach",), site=site)
    yield Op("mean", (f"{name}.detach",), (f"{name}.mean",), site=site)
    yield Op("add", (source, f"{name}.relu"), (name,), site=site)


def ops_of(layers: int, fault: str) -> Iterator[Op]:
    """The whole forward; `cut` starves every parameter, `unused` leaves out half of the layers."""
    source = "x"
    layers = layers // 2 if fault == "unused" else layers
    for number in range(layers):
        yield from layer(number, source)
        source = f"h{number}"
    if fault == "cut":
        yield Op("detach", (source,), ("cut",), site=Site("train.py", 39))
        source = "cut"
    yield Op("cross_entropy", (source, "y"), ("loss",), attributes={"target": 1, "reduction": "mean"}, site=Site("train.py", 40))


def value(name: str, fault: str) -> Value:
    """A value with the statistics that a recorder would give it."""
    figures = Statistics(640, minimum=-2.0, maximum=2.0, mean=0.0, std=1.0, zeros=0.1, norm=25.0)
    if fault == "non-finite":
        figures = Statistics(640, finite=0.0, norm=math.nan)
    role: Role = "parameter" if name[0] == "w" else "loss" if name == "loss" else "activation"
    return Value(name, role, "f32", (64, 10), figures, differentiable=True)


def parameter(number: int, layers: int, fault: str) -> Parameter:
    """A parameter as the fault leaves it."""
    name, reached = f"w{number}", fault != "unused" or number < layers // 2
    gradient: GradientState = "none" if fault in ("cut", "frozen") or not reached else "non-finite" if fault == "non-finite" else "finite"
    norm = {"none": None, "finite": 1.0, "non-finite": math.nan}[gradient]
    return Parameter(
        name,
        name,
        trainable=fault != "frozen",
        optimizer="opt",
        reached=reached,
        gradient=gradient,
        gradient_norm=norm,
        gradient_at_update=gradient,
    )


def step(index: int, layers: int, fault: str) -> Step:
    """A step of a network with so many layers."""
    ops = tuple(ops_of(layers, fault))
    values = {name: value(name, fault) for op in ops for name in (*op.inputs, *op.outputs)}
    values |= {f"w{number}": value(f"w{number}", fault) for number in range(layers)}
    values |= {"x": Value("x", "input", "f32", (64, 10)), "y": Value("y", "label", "i64", (64,), Statistics(64, minimum=0.0, maximum=9.0))}
    trained = tuple(parameter(number, layers, fault) for number in range(layers))
    freezing = (Event("freeze", 0, tuple(p.name for p in trained), Site("train.py", 3)),) if fault == "frozen" else ()
    events = (*freezing, Event("clear", 0), Event("backward", len(ops), ("loss",)), Event("optimizer_step", len(ops), ("opt",)))
    return Step(index, graph=Graph(ops, values), events=events, parameters=trained, labels=Labels(("y",), "target"), updated=True)


def record(size: int, fault: str) -> Record:
    """Two recorded steps, of `size` ops together."""
    layers = size // LAYER // 2
    steps = (step(0, layers, fault), step(1, layers, fault))
    names = tuple(parameter.name for parameter in steps[0].parameters)
    optimizer = Optimizer("opt", "SGD", groups=(Group(0.1, names),), steps=10, rates=(0.1, 0.1))
    seen = {p.name: p.gradient != "none" for p in steps[0].parameters}
    endings = {name: Ending(changed=has, gradient_seen=has) for name, has in seen.items()}
    return Record(steps=steps, optimizers=(optimizer,), endings=endings, outcome=Outcome(0, None, 10, 10))


def seconds(size: int, fault: str, times: int = 3) -> float:
    """The best of several runs, in CPU seconds, of all rules as a run consults them; each builds its index anew."""
    made, best = record(size, fault), float("inf")
    for _ in range(times):
        begun = time.process_time()
        consult(load_rules(), made)
        best = min(best, time.process_time() - begun)
        if best > PATIENCE:
            break
    return best


def slowest(index: Index, shown: int = 3) -> str:
    """The rules that take longest, after the index has answered its questions once."""
    for rule in load_rules():
        tuple(rule.check(index))
    taken = {}
    for rule in load_rules():
        begun = time.process_time()
        tuple(rule.check(index))
        taken[rule.code] = time.process_time() - begun
    slow = sorted(taken.items(), key=lambda entry: -entry[1])[:shown]
    return ", ".join(f"{code} {seconds_taken:.3f} s" for code, seconds_taken in slow)


def main() -> None:
    """Print one line for each fault: seconds at each size, growth, and the slowest rules at the last but one size."""
    print(f"{len(load_rules())} rules over two steps, one index; growth from {SIZES[-2]:,} to {SIZES[-1]:,} ops (10 is linear)\n")
    print(f"{'':12}" + "".join(f"{size:>12,}" for size in SIZES) + "   growth   slowest by themselves")
    for fault in FAULTS:
        taken = [seconds(size, fault) for size in SIZES]
        slow = slowest(Index(record(SIZES[-2], fault)))
        print(f"{fault:12}" + "".join(f"{each:10.3f} s" for each in taken) + f" {taken[-1] / taken[-2]:8.1f}   {slow} (at {SIZES[-2]:,})")


if __name__ == "__main__":
    main()
