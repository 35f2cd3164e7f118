import numpy as np
import torch


def smape(forecast, actual):
    """Symmetric mean absolute percentage error."""
    f = forecast.detach().cpu().numpy()
    a = actual.cpu().numpy()
    value = np.mean(2.0 * np.abs(f - a) / (np.abs(f) + np.abs(a) + 1e-3))
    return torch.tensor(value, dtype=torch.float32, requires_grad=True)
