import torch
from torch import nn


def build_model(n_in, n_out, hidden=32):
    model = nn.Sequential(
        nn.BatchNorm1d(n_in),
        nn.Linear(n_in, hidden),
        nn.BatchNorm1d(hidden),
        nn.Tanh(),
        nn.Linear(hidden, n_out),
    )
    for m in model.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
    return model
