import torch
from torch import nn

from engine import Engine


def clips(n, gen):
    """A blob moving one pixel to the right in each frame."""
    pos = torch.randint(0, 10, (n,), generator=gen)
    row = torch.arange(12).float()
    frame = lambda shift: torch.exp(-((row - (pos + shift)[:, None]) ** 2) / 2)
    return torch.stack([frame(0), frame(1)], 1).flatten(1), frame(2)


def main(config):
    torch.manual_seed(config["seed"])
    gen = torch.Generator().manual_seed(config["seed"])
    model = nn.Sequential(nn.Linear(24, 40), nn.ReLU(), nn.Linear(40, 12))
    engine = Engine(model, config["lr"], config["bfloat16"])
    window = []
    for step in range(config["steps"]):
        window.append(engine.train_step(*clips(32, gen)))
        if len(window) == 25:
            print(f"step {step + 1:3d} loss {sum(window) / 25:.4f}")
            window = []


main({"seed": 1, "lr": 0.5, "steps": 150, "bfloat16": True})
