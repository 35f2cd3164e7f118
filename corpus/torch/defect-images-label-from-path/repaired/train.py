import torch
from torch import nn
from torch.utils.data import DataLoader

from surface_data import SurfaceDataset, list_files, read_image


def build():
    return nn.Sequential(
        nn.Conv2d(1, 12, (3, 5), padding=(1, 2)), nn.ReLU(), nn.MaxPool2d((1, 16)),
        nn.Flatten(), nn.Linear(12 * 16, 1),
    )


def train(model, loader, epochs):
    loss_fn = nn.BCEWithLogitsLoss()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for ep in range(epochs):
        right = count = 0
        for img, label in loader:
            logit = model(img)
            loss = loss_fn(logit, label)
            opt.zero_grad()
            loss.backward()
            opt.step()
            right += ((logit > 0).float() == label).sum().item()
            count += label.numel()
        print(f"epoch {ep} loss {loss.item():.4f} accuracy {right / count:.3f}")


if __name__ == "__main__":
    torch.manual_seed(13)
    files = list_files(160)
    model = build()
    train(model, DataLoader(SurfaceDataset(files), batch_size=20, shuffle=True), epochs=6)
    with torch.no_grad():
        flagged = sum((model(read_image(p).unsqueeze(0)) > 0).item() for p in files if "scratch" in p)
    print("scratched surfaces flagged:", flagged, "of", sum("scratch" in p for p in files))
