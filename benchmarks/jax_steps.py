"""What the recorded steps cost a JAX program, beside its own first call, and how long a traced graph of many equations takes.

Each program runs in processes of its own, plainly and under `whygrad run` in turns; figures are medians of ratios. Options: `--rounds N`, `--only steps|graph`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from textwrap import dedent

HEAD = """
import sys, time
import jax, jax.numpy as jnp, numpy as np, optax
from jax import lax

rng = np.random.default_rng(0)
normal = lambda *shape: jnp.asarray(rng.normal(size=shape) / shape[0] ** 0.5, jnp.float32)
"""
STEP = """
tx = optax.adam(1e-3)
state = tx.init(params)

@jax.jit
def step(params, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state, loss

begun = time.perf_counter()
for number in range(30):
    params, state, loss = step(params, state, x, y)
    if number == 0:
        first = float(loss) * 0 + time.perf_counter() - begun
print("first", first, "all", float(loss) * 0 + time.perf_counter() - begun)
"""
PERCEPTRON = """
params = [(normal(32, 256), jnp.zeros(256)), (normal(256, 256), jnp.zeros(256)), (normal(256, 10), jnp.zeros(10))]
x, y = normal(64, 32), jnp.asarray(rng.integers(0, 10, 64))

def loss_fn(params, x, y):
    for w, b in params[:-1]:
        x = jax.nn.gelu(x @ w + b)
    return optax.softmax_cross_entropy_with_integer_labels(x @ params[-1][0] + params[-1][1], y).mean()
"""
RECURRENT = """
params = {"w": normal(64, 64), "u": normal(8, 64), "b": jnp.zeros(64), "v": normal(64, 1)}
x, y = normal(200, 16, 8), normal(16)

def loss_fn(params, x, y):
    def turn(h, row):
        return jnp.tanh(h @ params["w"] + row @ params["u"] + params["b"]), None

    h, _ = lax.scan(turn, jnp.zeros((16, 64)), x)
    return jnp.mean(((h @ params["v"])[:, 0] - y) ** 2)
"""
UNROLLED = RECURRENT.replace("normal(200, 16, 8)", "normal(24, 16, 8)")
GRAPH = """
from whygrad.frontends import Recording
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.ir import Outcome
from whygrad.judging import consult
from whygrad.rules import load_rules

count, watched = int(sys.argv[1]), sys.argv[2] == "watched"
observing = Observing(Target("train.py"), Recording(2, None, "default"), load_rules, {"jax": "whygrad.frontends.jax"}, None)
if watched:
    observing.attach("jax")

def loss_fn(w, x):
    for _ in range(count // 2):
        x = lax.mul(lax.sin(x), w)
    raise ValueError("the trace ends here: what is measured is looking at it, without compiling it")

begun = time.process_time()
try:
    jax.jit(jax.grad(loss_fn))(jnp.ones(3), jnp.ones(3))
except ValueError:
    pass
record = observing.finish(Outcome(0)) if watched else None
traced = time.process_time() - begun
if record is not None:
    rules = load_rules()
    begun = time.process_time()
    consult(rules, record)
    judged = time.process_time() - begun
print("traced", traced, "rules", judged if record else 0.0, "whole", time.process_time())
"""


def run(text: str, *arguments: str, watched: bool = False) -> dict[str, float]:
    """The figures that a program prints."""
    tool = [str(Path(sys.executable).with_name("whygrad")), "run"] if watched else [sys.executable]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "train.py").write_text(dedent(HEAD + text))
        settings = {**os.environ, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
        done = subprocess.run([*tool, "train.py", *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return {name: float(figure) for name, figure in zip(words[::2], words[1::2], strict=True)}


def steps(rounds: int) -> None:
    """The recorded steps, experiments and all, beside the program's first call."""
    print("| program | first call, s | under whygrad: added by 30 steps, of the first call |\n|---|---|---|")
    for name, text in (("perceptron", PERCEPTRON), ("scan of 24 turns", UNROLLED), ("scan of 200 turns", RECURRENT)):
        pairs = [(run(text + STEP), run(text + STEP, watched=True)) for _ in range(rounds)]
        first = median(plain["first"] for plain, _ in pairs)
        print(f"| {name} | {first:.2f} | {median((watched['all'] - plain['all']) / plain['first'] for plain, watched in pairs):.1f} |")


def graph(rounds: int) -> None:
    """A traced loss of many equations, from types alone: the tape and the graph, then all rules."""
    print(
        "| equations | tracing, s | with the tape and the graph, s | all rules, s | added to the whole process, s |\n|---|---|---|---|---|"
    )
    for count in (1_000, 10_000, 50_000):
        pairs = [(run(GRAPH, str(count), "plain"), run(GRAPH, str(count), "watched")) for _ in range(rounds)]
        figures = ((p["traced"], w["traced"], w["rules"], w["whole"] - p["whole"]) for p, w in pairs)
        plain, watched, rules, added = (median(column) for column in zip(*figures, strict=True))
        print(f"| {count:,} | {plain:.2f} | {watched:.2f} | {rules:.2f} | {added:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("steps", "graph"))
    given = parser.parse_args()
    if given.only != "graph":
        steps(given.rounds)
    if given.only != "steps":
        graph(given.rounds)


if __name__ == "__main__":
    main()
