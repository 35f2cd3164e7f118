import numpy as np
import torch


class ToFloat:
    """uint8 image and mask to float tensors in [0, 1]."""

    def __call__(self, image, mask):
        image = torch.from_numpy(image).float().div(255).unsqueeze(0)
        mask = torch.from_numpy(mask).float().div(255).unsqueeze(0)
        return image, mask


class BinaryMask:
    def __init__(self, level=0.5):
        self.level = level

    def __call__(self, image, mask):
        return image, (mask > self.level).float()


class Compose:
    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, image, mask):
        for step in self.steps:
            image, mask = step(image, mask)
        return image, mask


default_pipeline = Compose(ToFloat(), BinaryMask())
