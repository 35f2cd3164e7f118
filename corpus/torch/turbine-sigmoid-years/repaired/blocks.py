from torch import nn

ACTIVATIONS = {"none": nn.Identity, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def mlp(sizes, output="none"):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    layers += [nn.Linear(sizes[-2], sizes[-1]), ACTIVATIONS[output]()]
    return nn.Sequential(*layers)
