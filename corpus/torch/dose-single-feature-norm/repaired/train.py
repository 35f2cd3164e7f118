import torch
from torch import nn, optim


class ResponseCurve(nn.Module):
    def __init__(self, n_features=1, hidden=24):
        super().__init__()
        self.prepare = nn.Identity()
        self.body = nn.Sequential(
            nn.Linear(n_features, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1)
        )

    def forward(self, dose):
        return self.body(self.prepare(dose))


def assay(n):
    torch.manual_seed(70)
    dose = torch.rand(n, 1) * 4 - 2
    response = torch.sigmoid(3 * dose) + 0.03 * torch.randn(n, 1)
    return dose, response


def main(epochs=12):
    dose, response = assay(360)
    curve = ResponseCurve()
    optimizer = optim.Adam(curve.parameters(), lr=8e-3)
    for epoch in range(epochs):
        curve.train()
        for idx in torch.randperm(len(dose)).split(36):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(curve(dose[idx]), response[idx])
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            spread = curve(dose).std().item()
        print(f"epoch {epoch:2d} mse {loss.item():.4f} spread of predictions {spread:.4f}")


main()
