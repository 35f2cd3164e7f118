import torch


class FeaturePipeline:
    def __init__(self, encoder, scale):
        self.encoder = encoder
        self.scale = scale

    def __call__(self, batch):
        with torch.inference_mode():
            feats = self.encoder(batch * self.scale)
        return feats
