"""A generator and its critic, each with its own loss: whether the two work against each other (WG215)."""

from pathlib import Path

import pytest

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.ir import Record
from whygrad.rules.loss.loss_sign import diagnose

pytestmark = pytest.mark.torch

PROGRAM = """
    import torch.nn.functional as F
    gen = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    og, od = torch.optim.Adam(gen.parameters(), 2e-4), torch.optim.Adam(critic.parameters(), 2e-4)
    data = torch.randn(200, 2) * 0.3 + torch.tensor([2.0, -1.0])
    ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
    binary = F.binary_cross_entropy_with_logits
    for i in range(3):
        x, z = data[torch.randint(0, 200, (32,))], torch.randn(32, 8)
        od.zero_grad()
        CRITIC
        od.step()
        og.zero_grad()
        (GENERATOR).backward()
        og.step()
"""
WASSERSTEIN = "fake = gen(z).detach(); (critic(fake).mean() - critic(x).mean()).backward()"
HINGE = "(F.relu(1 - critic(x)).mean() + F.relu(1 + critic(gen(z).detach())).mean()).backward()"
SOFT = "(F.softplus(-critic(x)).mean() + F.softplus(critic(gen(z).detach())).mean()).backward()"
SQUARES = "(0.5 * (F.mse_loss(critic(x), ones) + F.mse_loss(critic(gen(z).detach()), zeros))).backward()"
APART = "binary(critic(x), ones).backward(); fake = gen(z); binary(critic(fake.detach()), zeros).backward()"
JOINED = (
    "labels = torch.cat([ones * 0.9, zeros]) + 0.02 * torch.rand(64, 1); binary(critic(torch.cat([x, gen(z).detach()])), labels).backward()"
)
NOISY = "(binary(critic(x), torch.rand(32, 1) * 0.3 + 0.7) + binary(critic(gen(z).detach()), torch.rand(32, 1) * 0.3)).backward()"
WRITTEN = "q = torch.sigmoid(critic(gen(z).detach())); (-(torch.log(torch.sigmoid(critic(x)) + 1e-8) + torch.log(1 - q + 1e-8)).mean()).backward()"
TURNED = "fake = gen(z).detach(); (binary(critic(x), zeros) + binary(critic(fake), ones)).backward()"

WRONG = {
    "a score": (WASSERSTEIN, "critic(gen(z)).mean()"),
    "a hinge": (HINGE, "critic(gen(z)).mean()"),
    "softplus": (SOFT, "F.softplus(critic(gen(z))).mean()"),
    "squares": (SQUARES, "F.mse_loss(critic(gen(z)), zeros)"),
    "two backwards": (APART, "binary(critic(fake), zeros)"),
    "one batch of both": (JOINED, "binary(critic(gen(z)), zeros)"),
    "noisy labels, and another term": (NOISY, "binary(critic(gen(z)), zeros) + 10 * F.l1_loss(gen(z), x)"),
    "written out": (WRITTEN, "-torch.log(1 - torch.sigmoid(critic(gen(z))) + 1e-8).mean()"),
    "real data are 0": (TURNED, "binary(critic(gen(z)), ones)"),
}
RIGHT = {
    "a score": (WASSERSTEIN, "-critic(gen(z)).mean()"),
    "a hinge": (HINGE, "-critic(gen(z)).mean()"),
    "softplus": (SOFT, "F.softplus(-critic(gen(z))).mean()"),
    "squares": (SQUARES, "F.mse_loss(critic(gen(z)), ones)"),
    "two backwards": (APART, "binary(critic(fake), ones)"),
    "one batch of both": (JOINED, "binary(critic(gen(z)), ones)"),
    "noisy labels, and another term": (NOISY, "binary(critic(gen(z)), ones) + 10 * F.l1_loss(gen(z), x)"),
    "minimax, written out": (WRITTEN, "torch.log(1 - torch.sigmoid(critic(gen(z))) + 1e-8).mean()"),
    "minimax, by a minus": (APART, "-binary(critic(fake), zeros)"),
    "real data are 0": (TURNED, "binary(critic(gen(z)), zeros)"),
    "a margin of energies": (
        "r = lambda v: (critic(v) - 1).pow(2).mean(); (r(x) + F.relu(1 - r(gen(z).detach()))).backward()",
        "(critic(gen(z)) - 1).pow(2).mean()",
    ),
    "a value function": ("F.mse_loss(critic(x), torch.rand(32, 1)).backward()", "-critic(gen(z)).mean()"),
    "classes of what is made": (
        "kinds = (z[:, :1] > 0).float(); (binary(critic(x), ones) + binary(critic(gen(z).detach()), kinds)).backward()",
        "binary(critic(gen(z)), kinds)",
    ),
    "a critic that sees nothing else": ("binary(critic(gen(z).detach()), zeros).backward()", "binary(critic(gen(z)), zeros)"),
}


def run(folder: Path, critic: str, generator: str) -> Record:
    return recorded(folder, PROGRAM.replace("CRITIC", critic).replace("GENERATOR", generator))


@pytest.mark.parametrize(("critic", "generator"), WRONG.values(), ids=WRONG)
def test_a_generator_that_helps_its_critic_is_told(tmp_path: Path, critic: str, generator: str):
    record = run(tmp_path, critic, generator)
    told = list(diagnose.check(Index(record)))

    assert [diagnosis.rule for diagnosis in told] == ["WG215"]
    assert told[0].site is not None
    assert generator.split("(", maxsplit=1)[0] in told[0].site.text


@pytest.mark.parametrize(("critic", "generator"), RIGHT.values(), ids=RIGHT)
def test_adversaries_and_others_stay_silent(tmp_path: Path, critic: str, generator: str):
    assert not list(diagnose.check(Index(run(tmp_path, critic, generator))))
