"""Every remedy on the smallest bad program of its rule: the patched program runs, and nothing is said of it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from program_pool import Pool
from whygrad.diagnosis import Report
from whygrad.fixes import patch
from whygrad.fixes.sources import Texts
from whygrad.ir.files import read_record

RULES = Path(__file__).parents[1] / "rules"
REMEDIED = (
    "graph/linear_stack", "labels/ordered_labels", "labels/undetached_target", "loss/class_count_mismatch",
    "loss/reduction_scale", "magnitude/noise_dominates", "magnitude/symmetric_start", "update/optimizer_epsilon", "update/optimizer_recreated",
    "update/too_large_update", "update/too_small_update",
    "graph/detached", "graph/freed_graph", "graph/frozen_parameters", "graph/gradient_disabled", "graph/inplace_overwrite",
    "graph/non_differentiable_op", "graph/unregistered_parameter", "labels/unused_labels", "loss/binary_loss_for_classes", "loss/broadcast_loss",
    "loss/dense_labels_for_sparse_loss", "loss/label_out_of_range", "loss/logits_for_probabilities", "loss/loss_dtype", "loss/loss_sign",
    "loss/non_scalar_loss", "loss/probabilities_for_logits", "loss/softmax_over_one", "loss/sparse_labels_for_dense_loss", "loss/wrong_axis",
    "magnitude/non_finite_forward", "magnitude/non_finite_gradient", "magnitude/unscaled_inputs", "magnitude/unscaled_targets",
    "update/accumulated_gradient", "update/cleared_before_step", "update/clipped_away", "update/missing_step", "update/not_in_optimizer",
    "update/stale_optimizer", "update/updated_copy", "update/wrong_mode", "update/wrong_order", "update/zero_learning_rate",
)  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One process with PyTorch for the tests that this worker runs."""
    started = Pool()
    yield started
    started.close()


@pytest.mark.torch
@pytest.mark.parametrize("folder", REMEDIED)
def test_the_bad_program_with_its_fix_is_healthy(folder: str, pool: Pool, tmp_path: Path):
    program, record = tmp_path / "bad_torch.py", tmp_path / "record"
    shutil.copy(RULES / folder / "bad_torch.py", program)
    pool.run(program, tmp_path / "before.json", "--record", str(record))
    report = msgspec.msgpack.decode(read_record(record).report_bytes or b"", type=Report)
    (remedy,) = [diagnosis.remedy for diagnosis in report.diagnoses if diagnosis.root_cause]
    assert remedy is not None
    made = patch(remedy, Texts(tmp_path))
    again = patch(remedy, Texts(tmp_path, made.texts))
    program.write_text(made.texts[str(program)])
    answer = pool.run(program, tmp_path / "after.json")
    after = json.loads((tmp_path / "after.json").read_text())

    assert [item["rule"] for item in after["diagnoses"] if item["severity"] != "note"] == []
    assert (after["healthy"], answer["status"]) == (True, 0)
    assert again.texts.get(str(program), made.texts[str(program)]) == made.texts[str(program)]
