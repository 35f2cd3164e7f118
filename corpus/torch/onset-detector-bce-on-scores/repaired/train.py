import torch
import torch.nn as nn
import torch.nn.functional as F


class OnsetDetector(nn.Module):
    """Frame-wise note onsets from a mel spectrogram."""

    def __init__(self, mels=16, notes=6):
        super().__init__()
        self.gru = nn.GRU(mels, 24, batch_first=True, bidirectional=True)
        self.onset_stack = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, notes), nn.Sigmoid())

    def forward(self, mel):
        h, _ = self.gru(mel)
        return self.onset_stack(h)

    def run_on_batch(self, batch):
        onset_pred = self(batch["mel"])
        losses = {"loss/onset": F.binary_cross_entropy(onset_pred, batch["onset"])}
        return {"onset": onset_pred}, losses


def piece(n, frames, g, mels=16, notes=6):
    onset = (torch.rand(n, frames, notes, generator=g) < 0.1).float()
    timbre = torch.randn(notes, mels, generator=torch.Generator().manual_seed(99))
    mel = onset @ timbre + 0.1 * torch.randn(n, frames, mels, generator=g)
    return {"mel": mel, "onset": onset}


def batches(count, g):
    for _ in range(count):
        yield piece(16, 20, g)


def train(iterations=50):
    torch.manual_seed(12)
    g = torch.Generator().manual_seed(12)
    model = OnsetDetector()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.8)
    for i, batch in enumerate(batches(iterations, g)):
        predictions, losses = model.run_on_batch(batch)
        loss = sum(losses.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if i % 10 == 0:
            print(i, {k: round(v.item(), 4) for k, v in losses.items()})
    batch = piece(64, 20, g)
    with torch.no_grad():
        hit = (model(batch["mel"]) > 0.5) == (batch["onset"] > 0.5)
    print("frame accuracy", hit.float().mean().item(), "silence share", 1 - batch["onset"].mean().item())


train()
