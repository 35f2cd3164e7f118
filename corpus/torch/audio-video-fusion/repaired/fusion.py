import torch
from torch import nn


class StreamEncoder(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Linear(32, n_out))

    def forward(self, x):
        return self.net(x)


class FusionNet(nn.Module):
    def __init__(self, n_audio, n_video, classes):
        super().__init__()
        self.audio_encoder = StreamEncoder(n_audio, 10)
        self.video_encoder = StreamEncoder(n_video, 10)
        self.classify = nn.Linear(20, classes)

    def forward(self, audio, video):
        a = self.audio_encoder(audio)
        v = self.video_encoder(video)
        return self.classify(torch.cat([a, v], dim=-1))
