import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from sched import WarmupCosine


class Reader(nn.Module):
    def __init__(self, letters=6):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.rnn = nn.GRU(8 * 4, 16, batch_first=True)
        self.fc = nn.Linear(16, letters)

    def forward(self, strip):
        h = self.cnn(strip)
        h = h.permute(0, 3, 1, 2).flatten(2)
        return self.fc(self.rnn(h)[0])


FONT = (torch.rand(6, 8, 2, generator=torch.Generator().manual_seed(0)) > 0.5).float()


def strips(n, gen, length=7):
    text = torch.randint(0, 6, (n, length), generator=gen)
    pixels = FONT[text].permute(0, 2, 1, 3).reshape(n, 1, 8, length * 2)
    return pixels + 0.2 * torch.randn(pixels.shape, generator=gen), text


def main(total=150, lr=3e-3):
    torch.manual_seed(11)
    gen = torch.Generator().manual_seed(11)
    model = Reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scheduler = LambdaLR(optimizer, WarmupCosine(peak=lr, warmup=10, total=total))
    for step in range(1, total + 1):
        pixels, text = strips(32, gen)
        logits = model(pixels)
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), text)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 25 == 0:
            print(f"step {step} loss {loss.item():.4f} acc {(logits.argmax(-1) == text).float().mean():.3f}")


main()
