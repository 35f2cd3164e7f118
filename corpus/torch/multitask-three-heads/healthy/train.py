from collections import defaultdict

import torch
import torch.nn as nn


class Patients(torch.utils.data.Dataset):
    def __init__(self, n=512, seed=6):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 15, generator=g)
        w = torch.randn(15, 5, generator=g) / 15 ** 0.5
        s = self.x @ w
        self.risk = s[:, :3].argmax(1)
        self.stay = s[:, 3] + 0.05 * torch.randn(n, generator=g)
        self.readmit = (s[:, 4] > 0).float()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "risk": self.risk[i], "stay": self.stay[i], "readmit": self.readmit[i]}


class SharedTrunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(15, 64), nn.SiLU(), nn.Linear(64, 32), nn.SiLU())
        self.heads = nn.ModuleDict({"risk": nn.Linear(32, 3), "stay": nn.Linear(32, 1), "readmit": nn.Linear(32, 1)})

    def forward(self, x):
        h = self.trunk(x)
        out = {k: head(h) for k, head in self.heads.items()}
        out["stay"] = out["stay"].squeeze(-1)
        out["readmit"] = out["readmit"].squeeze(-1)
        return out


CRITERIA = {"risk": nn.CrossEntropyLoss(), "stay": nn.SmoothL1Loss(), "readmit": nn.BCEWithLogitsLoss()}
WEIGHTS = {"risk": 1.0, "stay": 2.0, "readmit": 1.0}


def train_one_epoch(model, loader, opt):
    meter = defaultdict(float)
    for batch in loader:
        out = model(batch["x"])
        parts = {k: CRITERIA[k](out[k], batch[k]) for k in CRITERIA}
        loss = sum(WEIGHTS[k] * v for k, v in parts.items())
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        for k, v in parts.items():
            meter[k] += v.detach().item() / len(loader)
        meter["risk_acc"] += (out["risk"].argmax(-1) == batch["risk"]).float().mean().item() / len(loader)
    return dict(meter)


if __name__ == "__main__":
    torch.manual_seed(6)
    loader = torch.utils.data.DataLoader(Patients(), batch_size=64, shuffle=True)
    model = SharedTrunk()
    opt = torch.optim.AdamW([{"params": model.trunk.parameters(), "lr": 5e-3}, {"params": model.heads.parameters(), "lr": 1e-2}])
    for epoch in range(15):
        stats = train_one_epoch(model, loader, opt)
        print(epoch, {k: round(v, 3) for k, v in stats.items()})
