import numpy as np
import torch


def smape(forecast, actual):
    """Symmetric mean absolute percentage error."""
    f = forecast
    a = actual
    return torch.mean(2.0 * torch.abs(f - a) / (torch.abs(f) + torch.abs(a) + 1e-3))
