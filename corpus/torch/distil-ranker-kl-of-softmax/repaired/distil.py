import torch
from torch import nn
import torch.nn.functional as F


class ListwiseKL(nn.Module):
    """Student's score list against the teacher's."""

    def __init__(self, temperature=1.0):
        super().__init__()
        self.t = temperature

    def forward(self, student_scores, teacher_scores):
        teacher = F.softmax(teacher_scores / self.t, dim=-1)
        student = F.log_softmax(student_scores / self.t, dim=-1)
        return F.kl_div(student, teacher, reduction="batchmean")
