import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(68)


def gram(f):
    b, c, h, w = f.shape
    m = f.reshape(c, h * w)
    return m @ m.t() / (c * h * w)


class Extractor(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 16, 3, padding=1, stride=2)

    def forward(self, x):
        a = torch.relu(self.c1(x))
        return a, torch.relu(self.c2(a))


cnn = Extractor().eval().requires_grad_(False)
grid = torch.linspace(0, 1, 20)
content = torch.stack([grid[None].expand(20, 20), grid[:, None].expand(20, 20), torch.full((20, 20), 0.5)])[None]
style = (torch.rand(1, 3, 20, 20) > 0.5).float()
goal_content = cnn(content)[1]
goal_style = [gram(f) for f in cnn(style)]

picture = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([picture], lr=0.02)
for step in range(120):
    optimizer.zero_grad()
    low, high = cnn(picture)
    c = F.mse_loss(high, goal_content)
    s = sum(F.mse_loss(gram(f), g) for f, g in zip((low, high), goal_style))
    loss = c + 3000 * s
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        picture.clamp_(0, 1)
    if step % 20 == 0 or step == 119:
        print(f"step {step} content {c.item():.5f} style {s.item():.7f} total {loss.item():.4f}")
