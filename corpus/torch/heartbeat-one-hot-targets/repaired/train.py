import torch
from torch.utils.data import DataLoader

from ecg.dataset import BEATS, BeatDataset
from ecg.model import BeatNet


def train(loader, model, criterion, optimizer):
    total = 0.0
    for inputs, targets in loader:
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    return total / len(loader.dataset)


def main():
    torch.manual_seed(202)
    loader = DataLoader(BeatDataset(), batch_size=30, shuffle=True)
    model = BeatNet(len(BEATS))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(6):
        print("epoch", epoch, "train loss", round(train(loader, model, torch.nn.CrossEntropyLoss(), optimizer), 4))


main()
