import torch
from torch import nn
import torch.nn.functional as F


class CVAE(nn.Module):
    def __init__(self, classes=4, size=36, latent=2):
        super().__init__()
        self.classes, self.latent = classes, latent
        self.enc = nn.Sequential(nn.Linear(size + classes, 64), nn.ReLU(), nn.Linear(64, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent + classes, 64), nn.ReLU(), nn.Linear(64, size), nn.Sigmoid())

    def forward(self, x, y):
        c = F.one_hot(y, self.classes).float()
        mean, logvar = self.enc(torch.cat([x, c], 1)).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (logvar / 2).exp()
        return self.dec(torch.cat([z, c], 1)), mean, logvar


def pictures(n):
    y = torch.randint(0, 4, (n,))
    img = torch.full((n, 6, 6), 0.05)
    level = 0.5 + 0.45 * torch.rand(n)
    for i, k in enumerate(y.tolist()):
        if k == 0:
            img[i, 2:4] = level[i]
        elif k == 1:
            img[i, :, 2:4] = level[i]
        elif k == 2:
            img[i].fill_diagonal_(float(level[i]))
        else:
            img[i, 1:5, 1:5] = level[i]
    return img.flatten(1), y


def main():
    torch.manual_seed(73)
    x, y = pictures(512)
    model = CVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=64, shuffle=True)
    for epoch in range(12):
        rec_sum = kl_sum = 0.0
        for xb, yb in loader:
            recon, mean, logvar = model(xb, yb)
            rec = F.mse_loss(recon, xb, reduction="none").sum(1).mean()
            kl = 0.5 * (mean ** 2 + logvar.exp() - 1 - logvar).sum(1).mean()
            optimizer.zero_grad()
            (rec + 0.01 * kl).backward()
            optimizer.step()
            rec_sum += rec.item() / len(loader)
            kl_sum += kl.item() / len(loader)
        print(f"epoch {epoch} reconstruction {rec_sum:.3f} kl {kl_sum:.3f}")


if __name__ == "__main__":
    main()
