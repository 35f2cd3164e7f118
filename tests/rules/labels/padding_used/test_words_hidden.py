"""WG112 on sketches of masks of padding: told where they are the wrong way round."""

import pytest

from sketch import said
from whygrad.rules.labels.padding_used import diagnose

READS = """
    step {number}
      ids: input i64[32,24] minimum=0 maximum=79 zeros={zeros} distinct=70
      y: label i64[32] minimum=0 maximum=1 zeros=0.5
      m: activation bool[32,24] called="mask"
      b: activation f32[32,24] finite={kept} minimum=0 maximum=0 zeros={kept}
      e: parameter f32[80,48]
      w: parameter f32[144,48]
      v: parameter f32[2,48]
      h: activation f32[32,24,48]
      a: activation f32[32,24,48]
      p: activation f32[32,48]
      s: activation f32[32,2]
      m = compare ids @ "m.py":2
      h = embedding ids e @ "m.py":3
      b = where m @ "m.py":4
      a = attention h h h w b @ "m.py":4
      p = index a @ "m.py":5
      s = linear p v @ "m.py":6
      loss = cross_entropy s y with={{"target":1}} @ "a.py":9
      labels values=["y"] how="target"
"""

COUNTS = """
    step {number}
      ids: input i64[32,16] minimum=0 maximum=19 zeros={zeros} distinct=18
      y: label i64[32,16] minimum=-100 maximum=0 zeros={kept} distinct=2
      e: parameter f32[20,48]
      w: parameter f32[20,48]
      h: activation f32[32,16,48]
      s: activation f32[32,16,20]
      h = embedding ids e @ "m.py":3
      s = linear h w @ "m.py":4
      loss = cross_entropy s y with={{"target":1,"ignore_index":-100}} @ "a.py":9
      labels values=["y"] how="target"
"""


def steps(text: str, *pairs: tuple[float, float], change: tuple[str, str] = ("", "")) -> str:
    """A recorded step for each pair of shares: of zeros among the ids, and of what is kept."""
    return "".join(text.replace(*change).format(number=number, zeros=zeros, kept=kept) for number, (zeros, kept) in enumerate(pairs))


def test_an_attention_that_reads_the_padding_alone():
    (told,) = said(diagnose, steps(READS, (0.48, 0.48), (0.45, 0.45)))

    assert told.site is not None
    assert (told.site.file, told.site.line) == ("m.py", 2)
    assert told.remedy is not None


def test_labels_of_which_the_padding_alone_counts():
    (told,) = said(diagnose, steps(COUNTS, (0.33, 0.33), (0.37, 0.37)))

    assert told.site is not None
    assert told.site.line == 9


SCORES = (
    "      a = attention h h h w b",
    '      q = linear h w\n      f = where q m native="torch.Tensor.masked_fill"\n      g = softmax f\n      a = matmul g h',
)
"""An attention that is written out, whose fill hides what the mask says."""


@pytest.mark.parametrize(("kept", "count"), {"padding left": (0.52, 1), "words left": (0.48, 0)}.values())
def test_a_fill_hides_where_its_mask_is_true(kept, count):
    text = READS.replace(*SCORES).replace(
        "      m: activation bool[32,24]",
        "      q: activation f32[32,24,24]\n      f: activation f32[32,24,24]\n      g: activation f32[32,24,24]\n      m: activation bool[32,24] minimum=0 maximum=1 zeros={mask}",
    )
    text = text.replace("{mask}", str(kept))

    # zeros of the mask are what the fill leaves open
    assert len(said(diagnose, steps(text, (0.52, 1), (0.52, 1)))) == count


SILENT = {
    "words that are read": steps(READS, (0.48, 0.52), (0.45, 0.55)),
    "one batch alone": steps(READS, (0.48, 0.48)),
    "one batch of two": steps(READS, (0.48, 0.48), (0.45, 0.55)),
    "as much padding as words": steps(READS, (0.5, 0.5), (0.5, 0.5)),
    "as many marks in each row": steps(READS, (0.25, 0.25), (0.25, 0.25)),
    "marks of one kind": steps(READS, (0.48, 0.48), (0.45, 0.45), change=("distinct=70", "distinct=2")),
    "a mask by positions": steps(READS, (0.48, 0.48), (0.45, 0.45), change=("b: activation f32[32,24]", "b: activation f32[24,24]")),
    "NaN among the figures": steps(READS, (float("nan"), float("nan")), (float("nan"), float("nan"))),
    "labels of words": steps(COUNTS, (0.33, 0.33), (0.37, 0.37), change=("maximum=0 zeros={kept} distinct=2", "maximum=19 zeros=0.0 distinct=18")),
    "labels of words as rare as padding": steps(COUNTS, (0.33, 0.33), (0.37, 0.37), change=("maximum=0", "maximum=3")),
    "few labels of one class elsewhere": steps(COUNTS, (0.33, 0.2), (0.37, 0.21)),
    "no id is ignored": steps(COUNTS, (0.33, 0.33), (0.37, 0.37), change=(',"ignore_index":-100', "")),
}  # fmt: skip


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text):
    assert not said(diagnose, text)
