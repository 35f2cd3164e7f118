import torch
from torch import nn, optim

from pipeline import FeaturePipeline


class RiverEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 12, batch_first=True)

    def forward(self, seq):
        out, _ = self.lstm(seq)
        return out[:, -1]


def gauge_data(n):
    g = torch.Generator().manual_seed(17)
    rain = torch.rand(n, 10, 3, generator=g)
    decay = 0.6 ** torch.arange(9, -1, -1).float()
    level = (rain[..., 0] * decay).sum(1) - 0.5 * (rain[..., 1] * decay).sum(1)
    return rain, level.unsqueeze(1)


def main(epochs=10):
    torch.manual_seed(0)
    x, y = gauge_data(320)
    encoder, head = RiverEncoder(), nn.Linear(12, 1)
    pipeline = FeaturePipeline(encoder, scale=2.0)
    opt = optim.Adam([*encoder.parameters(), *head.parameters()], lr=1e-2)
    for epoch in range(epochs):
        losses = []
        for idx in torch.randperm(len(x)).split(40):
            prediction = head(pipeline(x[idx]))
            loss = nn.functional.mse_loss(prediction, y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(epoch, sum(losses) / len(losses))


if __name__ == "__main__":
    main()
