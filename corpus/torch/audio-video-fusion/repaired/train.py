import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from fusion import FusionNet


def scenes(n):
    g = torch.Generator().manual_seed(31)
    sound = torch.randint(0, 2, (n,), generator=g)
    motion = torch.randint(0, 2, (n,), generator=g)
    audio = torch.randn(n, 10, generator=g) + 1.2 * (sound * 2 - 1).unsqueeze(1)
    video = torch.randn(n, 14, generator=g) + 1.2 * (motion * 2 - 1).unsqueeze(1)
    return TensorDataset(audio, video, sound * 2 + motion)


@torch.no_grad()
def score(model, loader):
    model.eval()
    n_right = sum((model(a, v).argmax(1) == y).sum().item() for a, v, y in loader)
    model.train()
    return n_right / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(0)
    train_set, test_set = random_split(scenes(600), [480, 120])
    train_loader = DataLoader(train_set, batch_size=40, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=120)
    model = FusionNet(10, 14, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(5):
        for audio, video, label in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(audio, video), label)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test {score(model, test_loader):.3f}")
