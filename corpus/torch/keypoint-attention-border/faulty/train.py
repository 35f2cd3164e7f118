import torch
from torch import nn


class Spotlight(nn.Module):
    """Finds where to look and reads the value there."""

    def __init__(self, polish=True):
        super().__init__()
        self.look = nn.Conv2d(2, 1, 5, padding=2)
        self.polish = polish

    def attention(self, image):
        att = torch.sigmoid(self.look(image))
        if self.polish:
            att[:, :, 0, :] = 0
            att[:, :, :, -1] = 0
        return att

    def forward(self, image):
        att = self.attention(image)
        return (att * image[:, 1:]).sum((1, 2, 3)) / (att.sum((1, 2, 3)) + 1e-3)


def scenes(n, gen):
    marker = torch.zeros(n, 1, 9, 9)
    where = torch.randint(1, 8, (n, 2), generator=gen)
    marker[torch.arange(n), 0, where[:, 0], where[:, 1]] = 3.0
    field = torch.randn(n, 1, 9, 9, generator=gen)
    value = field[torch.arange(n), 0, where[:, 0], where[:, 1]]
    return torch.cat([marker, field], 1), value


class Session:
    def __init__(self, steps=120):
        torch.manual_seed(25)
        self.gen = torch.Generator().manual_seed(25)
        self.model = Spotlight()
        self.opt = torch.optim.Adam(self.model.parameters(), lr=0.05)
        self.steps = steps

    def run(self):
        for step in range(1, self.steps + 1):
            image, value = scenes(48, self.gen)
            self.opt.zero_grad()
            loss = (self.model(image) - value).square().mean()
            loss.backward()
            self.opt.step()
            if step % 20 == 0:
                print(f"step {step} loss {loss.item():.4f}")


Session().run()
