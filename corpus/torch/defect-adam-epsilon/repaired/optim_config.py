import torch

OPTIMIZERS = {
    "adam": dict(cls=torch.optim.Adam, lr=5e-3, eps=1e-8),
    "rmsprop": dict(cls=torch.optim.RMSprop, lr=1e-3, eps=1e-6),
}


def build(name, params):
    options = dict(OPTIMIZERS[name])
    return options.pop("cls")(params, **options)
