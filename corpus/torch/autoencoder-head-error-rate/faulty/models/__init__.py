from .joint import JointNet
