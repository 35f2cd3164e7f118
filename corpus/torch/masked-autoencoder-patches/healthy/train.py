import torch
import torch.nn as nn


class MAE(nn.Module):
    def __init__(self, patches=16, size=9, d=40, keep=0.4):
        super().__init__()
        self.keep = int(patches * keep)
        self.embed = nn.Linear(size, d)
        self.pos = nn.Parameter(0.1 * torch.randn(patches, d))
        self.mask_token = nn.Parameter(torch.zeros(d))
        self.encoder = nn.TransformerEncoderLayer(d, 4, 80, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerEncoderLayer(d, 4, 80, dropout=0.0, batch_first=True, norm_first=True)
        self.pixels = nn.Linear(d, size)

    def forward(self, patches):
        b, n, _ = patches.shape
        order = torch.rand(b, n).argsort(1)
        back = order.argsort(1)
        tokens = self.embed(patches) + self.pos
        rows = torch.arange(b)[:, None]
        visible = self.encoder(tokens[rows, order[:, :self.keep]])
        full = torch.cat([visible, self.mask_token.expand(b, n - self.keep, -1)], 1)[rows, back] + self.pos
        out = self.pixels(self.decoder(full))
        hidden = (back >= self.keep).float()
        return (((out - patches) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def ripples(n):
    grid = torch.linspace(-1, 1, 12)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    a = torch.rand(n, 1, 1) * 3.1416
    img = torch.sin(3.5 * (x * a.cos() + y * a.sin()))
    return img.unfold(1, 3, 3).unfold(2, 3, 3).reshape(n, 16, 9)


if __name__ == "__main__":
    torch.manual_seed(94)
    data = ripples(512)
    model = MAE()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=160)
    for step in range(160):
        loss = model(data[torch.randint(0, 512, (48,))])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0 or step == 159:
            print(f"step {step} hidden-patch error {loss.item():.4f} (variance {data.var().item():.3f})")
