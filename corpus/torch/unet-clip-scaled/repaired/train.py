import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MiniUNet(nn.Module):
    def __init__(self, ch=8):
        super().__init__()
        self.enc = nn.Conv2d(1, ch, 3, padding=1)
        self.mid = nn.Conv2d(ch, ch, 3, padding=1)
        self.dec = nn.Conv2d(2 * ch, 1, 3, padding=1)

    def forward(self, x):
        a = F.relu(self.enc(x))
        b = F.relu(self.mid(F.max_pool2d(a, 2)))
        return self.dec(torch.cat([a, F.interpolate(b, scale_factor=2)], 1))


def cars(n):
    g = torch.Generator().manual_seed(34)
    top, left = torch.randint(0, 10, (2, n), generator=g)
    mask = torch.zeros(n, 1, 16, 16)
    for k in range(n):
        mask[k, 0, top[k]:top[k] + 5, left[k]:left[k] + 6] = 1
    return TensorDataset(mask * 0.7 + 0.5 * torch.randn(n, 1, 16, 16, generator=g), mask)


def train_model(model, amp=True, epochs=6, lr=0.3, gradient_clipping=1.0):
    loader = DataLoader(cars(160), batch_size=16, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    grad_scaler = torch.amp.GradScaler("cpu", enabled=amp)
    for epoch in range(epochs):
        epoch_loss = 0.0
        for image, mask in loader:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=amp):
                logits = model(image)
                loss = F.binary_cross_entropy_with_logits(logits.float(), mask)
            optimizer.zero_grad(set_to_none=True)
            grad_scaler.scale(loss).backward()
            grad_scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), gradient_clipping)
            grad_scaler.step(optimizer)
            grad_scaler.update()
            epoch_loss += loss.item()
        print(f"epoch {epoch + 1}: loss {epoch_loss / len(loader):.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    train_model(MiniUNet())
