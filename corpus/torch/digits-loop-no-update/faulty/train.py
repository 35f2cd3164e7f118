import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class SegmentNet(nn.Module):
    """Reads seven-segment displays."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(7, 30)
        self.fc2 = nn.Linear(30, 10)

    def forward(self, x):
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


SEGMENTS = torch.tensor([
    [1, 1, 1, 0, 1, 1, 1], [0, 0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0, 1], [1, 0, 1, 1, 0, 1, 1],
    [0, 1, 1, 1, 0, 1, 0], [1, 1, 0, 1, 0, 1, 1], [1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 0, 0, 1, 0],
    [1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 1, 1]], dtype=torch.float32)


def train(model, loader, optimizer, epoch):
    model.train()
    seen = 0
    for batch_idx, (data, target) in enumerate(loader):
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        seen += len(data)
    print(f"Train epoch {epoch}: {seen} samples, last loss {loss.item():.4f}")


def test(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in loader:
            correct += model(data).argmax(1).eq(target).sum().item()
    print(f"Test: {correct}/{len(loader.dataset)}")


def main():
    torch.manual_seed(1)
    digit = torch.randint(0, 10, (600,))
    lit = SEGMENTS[digit] + 0.1 * torch.randn(600, 7)
    train_loader = DataLoader(TensorDataset(lit[:500], digit[:500]), batch_size=50, shuffle=True)
    test_loader = DataLoader(TensorDataset(lit[500:], digit[500:]), batch_size=100)
    model = SegmentNet()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(1, 6):
        train(model, train_loader, optimizer, epoch)
        test(model, test_loader)


if __name__ == "__main__":
    main()
