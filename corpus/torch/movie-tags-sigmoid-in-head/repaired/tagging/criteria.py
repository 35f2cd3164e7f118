from torch import nn

CRITERIA = {
    "ce": nn.CrossEntropyLoss,
    "bce": nn.BCEWithLogitsLoss,
    "mse": nn.MSELoss,
}


def get_criterion(name, **kwargs):
    return CRITERIA[name](**kwargs)
