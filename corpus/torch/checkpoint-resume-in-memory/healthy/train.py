import io

import torch
import torch.nn as nn


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(2, 12, 5, padding=2), nn.ReLU(), nn.Conv1d(12, 1, 5, padding=2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [8, 14], gamma=0.3)
    return model, optimizer, scheduler


def save(model, optimizer, scheduler, epoch):
    buf = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "epoch": epoch}, buf)
    buf.seek(0)
    return buf


def restore(buf):
    state = torch.load(buf)
    model, optimizer, scheduler = build()
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    return model, optimizer, scheduler, state["epoch"] + 1


def signals(n):
    t = torch.linspace(0, 6.28, 40)
    f = 1 + 2 * torch.rand(n, 1)
    clean = torch.sin(f * t + 6.28 * torch.rand(n, 1))
    a = clean + 0.5 * torch.randn(n, 40)
    b = clean + 0.5 * torch.randn(n, 40)
    return torch.stack([a, b], 1), clean.unsqueeze(1)


def train_epochs(model, optimizer, scheduler, noisy, clean, epochs):
    for epoch in epochs:
        for idx in torch.randperm(len(noisy)).split(40):
            loss = nn.functional.mse_loss(model(noisy[idx]), clean[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f} lr {scheduler.get_last_lr()[0]:.4f}")
    return epoch


parts = build()
torch.manual_seed(46)
noisy, clean = signals(400)
done = train_epochs(*parts, noisy, clean, range(0, 8))
*parts, start = restore(save(*parts, done))
train_epochs(*parts, noisy, clean, range(start, 16))
