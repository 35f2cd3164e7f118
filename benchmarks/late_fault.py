"""What it costs to explain a NaN that is born at step 900 of 1,000: whole processes, plain and under whygrad in turns, in CPU seconds.

The step: an embedding model on 64 pairs of 512 numbers whose distance is the root of a sum of squares; at step 900 a pair is twice the same, and the derivative of a root at zero is infinite. The bar:
1.05 times the plain run plus ten recorded steps, beside what starting up and writing the report cost, which is measured by the same program with three steps. Options: `--rounds N`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

STEPS, AT = 1000, 900
RECORDED = 1.5
"""A recorded step's bar, in plain steps."""
PROGRAM = f"""
import sys
import torch
from torch import nn

steps = int(sys.argv[1])
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 64))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
data = torch.Generator().manual_seed(1)
for step in range(steps):
    one, other = torch.randn(64, 512, generator=data), torch.randn(64, 512, generator=data)
    alike = torch.randint(0, 2, (64,), generator=data).float()
    if step == {AT}:
        other[7] = one[7]
    distance = (model(one) - model(other)).square().sum(1).sqrt()
    loss = (alike * distance**2 + (1 - alike) * torch.relu(4 - distance) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def cpu(command: list[str], folder: Path) -> float:
    """CPU seconds of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "train.py").write_text(PROGRAM)
        whygrad = [sys.executable, "-m", "whygrad", "run", "--json", "report.json", "train.py"]
        figures: dict[str, list[float]] = {name: [] for name in ("plain", "whygrad", "plain, 3 steps", "whygrad, 3 steps")}
        for _ in range(rounds):
            for steps, ending in ((3, ", 3 steps"), (STEPS, "")):
                figures[f"plain{ending}"].append(cpu([sys.executable, "train.py", str(steps)], folder))
                figures[f"whygrad{ending}"].append(cpu([*whygrad, str(steps)], folder))
        report = json.loads((folder / "report.json").read_text())
    seconds = {name: median(times) for name, times in figures.items()}
    step = (seconds["plain"] - seconds["plain, 3 steps"]) / (STEPS - 3)
    fixed = seconds["whygrad, 3 steps"] - seconds["plain, 3 steps"]
    ratio = (seconds["whygrad"] - fixed) / seconds["plain"]
    bar = 1.05 + 10 * RECORDED * step / seconds["plain"]
    for name, second in seconds.items():
        print(f"{name:20}{second:8.2f} s")
    print(f"a plain step: {1000 * step:.1f} ms; starting and reporting: {fixed:.2f} s")
    print(f"{STEPS} steps with a NaN at step {AT}: {ratio:.3f} times plain without starting and reporting (bar {bar:.3f})")
    for item in report["diagnoses"][:1]:
        print(f"said: {item['rule']} line {item['location']['line']}: {item['message']}")


if __name__ == "__main__":
    main()
