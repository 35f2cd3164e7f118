import torch
import torch.nn as nn
import torch.optim as optim


class StarModel(nn.Module):
    """Predicts 1 to 5 stars from a review's feature vector."""

    def __init__(self, n_features):
        super().__init__()
        self.norm = nn.LayerNorm(n_features)
        self.fc1 = nn.Linear(n_features, 32)
        self.fc2 = nn.Linear(32, 1)

    def forward(self, feats):
        h = torch.relu(self.fc1(self.norm(feats)))
        stars = 3.0 + self.fc2(h).squeeze(1)
        return stars.round()


def synthetic_reviews(count=500, n_features=14):
    feats = torch.randn(count, n_features)
    w = torch.randn(n_features) / n_features ** 0.5
    stars = (3 + 1.4 * feats @ w).round().clamp(1, 5)
    return feats, stars


class Trainer:
    def __init__(self, model, lr=0.005, epochs=14, batch_size=50):
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optim.RMSprop(model.parameters(), lr=lr)
        self.loss_fn = nn.MSELoss()

    def step(self, feats, stars):
        self.optimizer.zero_grad()
        loss = self.loss_fn(self.model(feats), stars)
        loss.backward()
        self.optimizer.step()
        return loss.item() * len(feats)

    def fit(self, feats, stars):
        for epoch in range(1, self.epochs + 1):
            order = torch.randperm(len(feats))
            total = sum(self.step(feats[i], stars[i]) for i in order.split(self.batch_size))
            print(f"epoch {epoch:02d} mse {total / len(feats):.4f}")


torch.manual_seed(42)
features, ratings = synthetic_reviews()
Trainer(StarModel(features.shape[1])).fit(features, ratings)
