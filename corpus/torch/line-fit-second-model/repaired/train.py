import torch
from torch import nn

weight, bias = 0.7, 0.3
X = torch.arange(0, 1, 0.02).unsqueeze(1)
y = weight * X + bias
split = int(0.8 * len(X))
X_train, y_train, X_test, y_test = X[:split], y[:split], X[split:], y[split:]


class LineV0(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.w * x + self.b


class LineV1(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x)


def run_epochs(model, optimizer, loss_fn, epochs):
    for epoch in range(epochs):
        model.train()
        loss = loss_fn(model(X_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.inference_mode():
            test_loss = loss_fn(model(X_test), y_test)
        if epoch % 40 == 39:
            print(f"{type(model).__name__} epoch {epoch + 1} | train {loss:.4f} | test {test_loss:.4f}")


loss_fn = nn.L1Loss()

torch.manual_seed(42)
model_0 = LineV0()
optimizer = torch.optim.SGD(params=model_0.parameters(), lr=0.02)
run_epochs(model_0, optimizer, loss_fn, 120)

torch.manual_seed(43)
model_1 = LineV1()
optimizer = torch.optim.SGD(params=model_1.parameters(), lr=0.02)
run_epochs(model_1, optimizer, loss_fn, 160)
