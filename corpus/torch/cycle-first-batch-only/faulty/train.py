import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CFG = {"iterations": 80, "batch": 16, "lr": 3e-3, "dim": 30, "classes": 8}


def skeleton_features():
    g = torch.Generator().manual_seed(120)
    y = torch.randint(0, CFG["classes"], (480,), generator=g)
    x = torch.randn(CFG["classes"], CFG["dim"], generator=g)[y] + 1.1 * torch.randn(480, CFG["dim"], generator=g)
    return TensorDataset(x, y)


def main():
    torch.manual_seed(120)
    data = skeleton_features()
    train_loader = DataLoader(data, batch_size=CFG["batch"])
    model = nn.Sequential(nn.Linear(CFG["dim"], 64), nn.ReLU(), nn.Linear(64, CFG["classes"]))
    optimizer = torch.optim.Adam(model.parameters(), lr=CFG["lr"])
    criterion = nn.CrossEntropyLoss()
    for it in range(CFG["iterations"]):
        inputs, target = next(iter(train_loader))
        loss = criterion(model(inputs), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if it % 10 == 0:
            print(f"iteration {it:3d} loss {loss.item():.4f}")
    x, y = data.tensors
    with torch.no_grad():
        print("accuracy on all training examples", (model(x).argmax(1) == y).float().mean().item())


main()
