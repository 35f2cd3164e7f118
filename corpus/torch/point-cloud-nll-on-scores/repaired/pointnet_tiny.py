import torch
import torch.nn as nn
import torch.nn.functional as F


class PointEncoder(nn.Module):
    def __init__(self, out_dim=32):
        super().__init__()
        self.mlp1 = nn.Conv1d(3, 16, 1)
        self.mlp2 = nn.Conv1d(16, out_dim, 1)
        self.bn = nn.BatchNorm1d(16)

    def forward(self, pts):
        h = F.relu(self.bn(self.mlp1(pts)))
        return self.mlp2(h).max(dim=2).values


class PointNetCls(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.enc = PointEncoder()
        self.fc1 = nn.Linear(32, 24)
        self.fc2 = nn.Linear(24, k)

    def forward(self, pts):
        feat = self.enc(pts)
        return F.log_softmax(self.fc2(F.relu(self.fc1(feat))), dim=1), feat


class PointNetLoss(nn.Module):
    def __init__(self, feat_scale=1e-3):
        super().__init__()
        self.feat_scale = feat_scale

    def forward(self, labels_pred, labels, feat):
        label_loss = F.nll_loss(labels_pred, labels)
        return label_loss + self.feat_scale * feat.pow(2).mean()
