import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_textures(n, gen):
    """Noise filtered horizontally, vertically or not at all."""
    kind = torch.randint(0, 3, (n,), generator=gen)
    img = torch.randn(n, 1, 14, 14, generator=gen)
    horiz = nn.functional.avg_pool2d(img, (1, 3), stride=1, padding=(0, 1)) * 3 ** 0.5
    vert = nn.functional.avg_pool2d(img, (3, 1), stride=1, padding=(1, 0)) * 3 ** 0.5
    out = torch.where((kind == 1)[:, None, None, None], horiz, img)
    out = torch.where((kind == 2)[:, None, None, None], vert, out)
    return out, kind


class Extractor(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 3)
        self.conv2 = nn.Conv2d(24, 48, 3)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        return torch.cat([x.mean((2, 3)), x.std((2, 3))], 1)


def run():
    torch.manual_seed(5)
    gen = torch.Generator().manual_seed(5)
    train = TensorDataset(*make_textures(480, gen))
    valid = make_textures(150, gen)
    backbone = Extractor().eval()
    probe = nn.Sequential(nn.LayerNorm(96, elementwise_affine=False), nn.Linear(96, 3))
    opt = torch.optim.AdamW(probe.parameters(), lr=2e-2)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=10)
    for epoch in range(10):
        for x, y in DataLoader(train, batch_size=48, shuffle=True):
            with torch.no_grad():
                features = backbone(x)
            loss = nn.functional.cross_entropy(probe(features), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        sched.step()
        with torch.no_grad():
            hit = (probe(backbone(valid[0])).argmax(1) == valid[1]).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} valid {hit:.3f}")


run()
