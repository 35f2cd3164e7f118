import torch
from torch import nn


class TabularNet(nn.Module):
    def __init__(self, n_num, cardinalities, out):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(c, 4) for c in cardinalities])
        self.mlp = nn.Sequential(nn.Linear(n_num + 4 * len(cardinalities), 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, out))

    def forward(self, num, cat):
        e = [emb(cat[:, i]) for i, emb in enumerate(self.embs)]
        return self.mlp(torch.cat([num] + e, dim=1))


def make(n, g):
    num = torch.randn(n, 6, generator=g)
    cat = torch.stack([torch.randint(0, 5, (n,), generator=g), torch.randint(0, 7, (n,), generator=g)], 1)
    effect_a = torch.tensor([2.0, -1.0, 0.0, 1.0, -2.0])[cat[:, 0]]
    effect_b = torch.tensor([1.0, 1.0, -1.0, 0.0, 0.5, -0.5, -1.0])[cat[:, 1]]
    y = num[:, 0] * 1.5 - num[:, 1] + effect_a + effect_b + 0.1 * torch.randn(n, generator=g)
    return num, cat, y.unsqueeze(1) / 3


def main():
    torch.manual_seed(23)
    g = torch.Generator().manual_seed(23)
    num, cat, y = make(640, g)
    net = TabularNet(6, (5, 7), 1)
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=50)
    loss_fn = nn.MSELoss()
    for epoch in range(12):
        total, n = 0.0, 0
        for idx in torch.randperm(640, generator=g).split(64):
            opt.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                pred = net(num[idx], cat[idx])
            loss = loss_fn(pred.float(), y[idx])
            scaler.scale(loss).backward()
            scaler.unscale_(opt)
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            scaler.step(opt)
            scaler.update()
            total += loss.item()
            n += 1
        print(f"epoch {epoch} mse {total / n:.4f} scale {scaler.get_scale():.0f}")


main()
