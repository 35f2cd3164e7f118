import torch
from torch import nn
import torch.nn.functional as F


class JointNet(nn.Module):
    def __init__(self, n_in, n_code, n_classes):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_in, 32), nn.ELU(), nn.Linear(32, n_code))
        self.decoder = nn.Sequential(nn.Linear(n_code, 32), nn.ELU(), nn.Linear(32, n_in))
        self.classifier = nn.Linear(n_code, n_classes)

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code), self.classifier(code)

    def compute_loss(self, x, y, alpha=1.0):
        recon, scores = self(x)
        recon_term = F.mse_loss(recon, x)
        class_term = F.cross_entropy(scores, y)
        return recon_term + alpha * class_term, {"recon": recon_term.item(), "cls": class_term.item()}
