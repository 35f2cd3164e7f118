import torch
from torch import nn


class TwoPart(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 8))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(torch.relu(self.backbone(x)))


class PhasedTrainer:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.03)

    def freeze_backbone(self):
        for p in self.model.backbone.parameters():
            p.requires_grad_(False)

    def phase(self, x, y, epochs, name):
        for epoch in range(epochs):
            for k in torch.randperm(len(x)).split(40):
                self.optimizer.zero_grad(set_to_none=False)
                loss = nn.functional.cross_entropy(self.model(x[k]), y[k])
                loss.backward()
                self.optimizer.step()
            acc = (self.model(x).argmax(1) == y).float().mean().item()
            size = sum(p.detach().norm().item() for p in self.model.backbone.parameters())
            print(f"{name} epoch {epoch}: loss {loss.item():.3f} acc {acc:.3f} |backbone| {size:.3f}")


def main():
    torch.manual_seed(18)
    centre = torch.randn(3, 12)
    y = torch.randint(0, 3, (400,))
    x = centre[y] + 0.6 * torch.randn(400, 12)
    trainer = PhasedTrainer(TwoPart())
    trainer.phase(x, y, 3, "pretrain")
    trainer.freeze_backbone()
    trainer.phase(x, (y + 1) % 3, 5, "transfer")


main()
