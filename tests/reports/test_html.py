"""The page: what it says, that nothing of the user's can break it, and that a real browser shows it."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reports.samples import DETACH, DETACHED, HEALTHY
from whygrad.diagnosis import Diagnosis, Fix, Report, Symptom
from whygrad.flow.picturing import picture
from whygrad.ir import Record, Site
from whygrad.ir.text import loads
from whygrad.reports.figures import figure
from whygrad.reports.html import render

CUT = """
step 0 updated=true
  x: input f32[8,4] called="inputs"
  y: label i64[8] called="labels"
  a = linear x encoder.weight module="encoder" @ "train.py":40
  d = detach a @ "train.py":41
  p = linear d head.weight module="head" carries=[false,true] @ "train.py":42
  loss = cross_entropy p y with={"target":1} carries=[true,false] @ "train.py":43
  ! backward loss @ "train.py":44
  encoder.weight: parameter f32[4,4] differentiable=true
  head.weight: parameter f32[4,4] differentiable=true
  loss: loss f32[] differentiable=true
  parameter encoder.weight gradient="none"
  parameter head.weight gradient="finite" gradient_norm=0.7
"""
HOSTILE = """</script><img src=x onerror=alert(1)><b>`${alert(2)}`"""


def record() -> Record:
    """A step whose encoder is cut off."""
    return loads(CUT)


def with_picture(report: Report, diagnosis: Diagnosis) -> Report:
    """The report on that step."""
    return replace(
        report, healthy=False, diagnoses=(diagnosis,), picture=picture(record().steps[0], [diagnosis.site] if diagnosis.site else ())
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert path, "the tests of pages need Chromium on PATH (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--headless", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator["Opened"]:
    made = Opened(browser, tmp_path / "report.html")
    yield made
    made.page.close()


class Opened:
    """A page in the browser, with all that it complained of and asked for."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.path = path
        self.page: Page = browser.new_page(viewport={"width": 1200, "height": 800})
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def show(self, report: Report) -> Page:
        """Write the page and go there."""
        self.path.write_text(render(report), encoding="utf-8")
        self.page.goto(self.path.as_uri())
        return self.page


def test_the_page_leads_with_the_one_sentence(opened: Opened):
    page = opened.show(with_picture(HEALTHY, replace(DETACHED, site=replace(DETACH, column=32, end_column=41))))

    assert page.locator("h1").inner_text() == "encoder.weight gets no gradient: detach cuts it off from loss"
    assert page.locator(".source mark").first.inner_text() == ".detach()"


def test_nothing_is_fetched_and_nothing_complains(opened: Opened):
    opened.show(with_picture(HEALTHY, DETACHED))

    assert (opened.complaints, opened.asked) == ([], [opened.path.as_uri()])


def test_the_picture_marks_the_cut_and_opens_by_click_and_by_key(opened: Opened):
    page = opened.show(with_picture(HEALTHY, DETACHED))
    page.locator(".box.marked").click()

    assert "detach" in page.locator("#part").inner_text()
    page.locator(".box.module", has_text="head").focus()
    page.keyboard.press("Enter")
    assert "gradient norm 0.7" in page.locator("#part").inner_text()
    assert page.locator(".box[aria-expanded=true]").count() == 1


def test_arrows_tell_where_the_gradient_comes_back(opened: Opened):
    page = opened.show(with_picture(HEALTHY, DETACHED))

    assert page.locator("#canvas > svg > path.open").count() == 1
    assert page.locator("#canvas > svg > path.shut").count() == 4


def test_the_way_stands_there_as_text(opened: Opened):
    page = opened.show(with_picture(HEALTHY, DETACHED))

    assert [item.split(" ")[0] for item in page.locator(".path li").all_inner_texts()] == ["detach", "linear", "cross_entropy"]


def test_parameters_can_be_searched(opened: Opened):
    page = opened.show(with_picture(HEALTHY, DETACHED))
    page.locator("#search").fill("none")

    assert page.locator("#gauges tbody tr").all_inner_texts() != []
    assert page.locator("#gauges tbody td:first-child").all_inner_texts() == ["encoder.weight"]


def test_the_theme_can_be_changed(opened: Opened):
    page = opened.show(HEALTHY)
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.locator("#theme").click()

    assert page.evaluate(paper) != before


def everything() -> Report:
    """A report with every part that a page can have."""
    tried = Fix(
        "leave out `detach`", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n", verified=True, before={"loss_last": 0.5}, after={"loss_last": 0.125}
    )
    report = with_picture(HEALTHY, replace(DETACHED, fix=tried))
    other = replace(DETACHED, rule="WG501", name="vanishing", severity="warning", symptoms=(Symptom("the loss stands still", "WG512"),))
    return replace(
        report, diagnoses=(*report.diagnoses, other), picture=replace(report.picture, curve=(2.0, 1.5, 1.0), curve_width=8),
        limits=("steps ran eagerly",), faults=("a rule failed: ValueError",),
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(opened: Opened, scheme: str):
    page = opened.show(everything())
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    page.locator(".box.marked").click()

    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []


@pytest.mark.parametrize("width", [320, 1600])
def test_the_page_fits_narrow_and_wide(opened: Opened, width: int):
    opened.page.set_viewport_size({"width": width, "height": 700})
    page = opened.show(everything())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (opened.complaints, len(opened.asked)) == ([], 1)


def test_hostile_names_and_lines_stay_text(opened: Opened):
    site = Site("a<b>.py", 1, 1, 1, 5, HOSTILE, HOSTILE)
    hostile = replace(DETACHED, message=HOSTILE, site=site, label=HOSTILE, help=HOSTILE, names=(HOSTILE,))
    report = with_picture(replace(HEALTHY, program=HOSTILE, limits=(HOSTILE,)), hostile)
    blocks = tuple(replace(block, name=HOSTILE, type=HOSTILE) for block in report.picture.blocks)
    gauges = tuple(replace(gauge, name=HOSTILE) for gauge in report.picture.gauges)
    page = opened.show(replace(report, picture=replace(report.picture, blocks=blocks, gauges=gauges)))

    assert page.locator("img, main b:has-text('alert')").count() == 0
    assert (opened.complaints, len(opened.asked)) == ([], 1)
    assert page.locator("#gauges td").first.inner_text() == HOSTILE


def test_the_lines_around_the_place_are_shown_where_the_source_is_at_hand(opened: Opened, tmp_path: Path):
    file = tmp_path / "train.py"
    file.write_text(
        "import torch\n\n\ndef codes(x):\n    x = x.flatten(1)\n\n    return encoder(\n        x\n    ).detach()\n\n\nprint(1)\n"
    )
    site = Site(str(file), 7, 9, 12, 0, "codes", "    return encoder(")
    shown = opened.show(with_picture(HEALTHY, replace(DETACHED, site=site))).locator(".source pre").first.inner_text()

    assert [line.strip() for line in shown.splitlines()] == [
        "5    x = x.flatten(1)",
        "6",
        "7    return encoder(",
        "8        x",
        "9    ).detach()",
    ]


def test_no_lines_are_shown_around_a_place_whose_file_has_changed(opened: Opened, tmp_path: Path):
    file = tmp_path / "train.py"
    file.write_text("one = 1\ntwo = 2\nthree = 3\n")
    changed = replace(DETACHED, site=Site(str(file), 2, text="two = '2'"))
    shown = opened.show(with_picture(HEALTHY, changed)).locator(".source pre").first.inner_text()

    assert shown.strip() == "2two = '2'"


def test_a_sound_run_says_so(opened: Opened):
    page = opened.show(HEALTHY)

    assert page.locator("h1").inner_text() == "no fault found"
    assert "0.841" in page.locator(".cards").inner_text()


def test_a_large_record_opens_within_a_screenful_of_boxes():
    lines = [f'  h{at + 1} = relu h{at} module="layers.{at // 4}.{at}" @ "net.py":{at}' for at in range(4000)]
    step = loads("\n".join(["step 0", "  h0: input f32[4,4]", *lines, '  ! backward h4000 @ "t.py":1', ""])).steps[0]
    drawn = picture(step)

    assert 1 < len(drawn.blocks) <= 41
    assert sum(len(block.rows) + block.more for block in drawn.blocks) == 4000


def test_a_record_of_ten_thousand_ops_and_three_thousand_parameters_is_a_page_to_work_with(opened: Opened):
    layers = [
        f'  h{at + 1} = linear h{at} w{at} module="blocks.{at // 100}.{at}" @ "net.py":{at}\n  r{at} = relu h{at + 1}' for at in range(5000)
    ]
    parameters = [
        f'  w{at}: parameter f32[4,4]\n  parameter block.{at}.weight value=w{at} gradient="finite" gradient_norm=0.5' for at in range(3000)
    ]
    text = "\n".join(["step 0 updated=true", "  h0: input f32[4,4]", *layers, '  ! backward h5000 @ "t.py":1', *parameters, ""])
    page = opened.show(replace(HEALTHY, picture=picture(loads(text).steps[0])))

    assert page.locator(".box").count() <= 41
    assert page.locator("#gauges tbody tr").count() <= 200
    page.locator("#search").fill("block.2987.")
    assert page.locator("#gauges tbody td:first-child").all_inner_texts() == ["block.2987.weight"]


def test_numbers_that_are_none_stand_as_words():
    report = with_picture(HEALTHY, DETACHED)
    gauges = (replace(report.picture.gauges[0], gradient_norm=float("nan"), ratio=float("inf")),)
    page = render(replace(report, picture=replace(report.picture, gauges=gauges)))
    block = re.search(r'type="application/json">(.*?)</script>', page)

    assert block is not None
    assert json.loads(block[1])["gauges"][0]["gradient_norm"] == "nan"


def test_without_scripts_the_parameters_stand_there_all_the_same(browser: Browser, tmp_path: Path):
    page = browser.new_page(java_script_enabled=False)
    file = tmp_path / "report.html"
    file.write_text(render(with_picture(HEALTHY, DETACHED)), encoding="utf-8")
    page.goto(file.as_uri())

    assert page.locator("noscript tr").all_inner_texts()[1:] == ["encoder.weight\tf32[4,4]\tnone\t–", "head.weight\tf32[4,4]\t0.7\t–"]
    assert not page.locator("#search, #theme, #gauges").locator("visible=true").count()
    page.close()


def test_a_part_with_some_gradients_that_are_zero_is_not_drawn_as_cut_off(opened: Opened):
    report = with_picture(HEALTHY, DETACHED)
    blocks = tuple(replace(block, parameters=2 * block.parameters, flows=True) for block in report.picture.blocks)
    page = opened.show(replace(report, picture=replace(report.picture, blocks=blocks)))

    assert page.locator(".box.starved").count() == 0


def test_the_legend_names_the_marked_place_only_where_there_is_one(opened: Opened):
    assert opened.show(with_picture(HEALTHY, DETACHED)).locator(".legend .here").count() == 1
    assert opened.show(with_picture(HEALTHY, replace(DETACHED, site=None))).locator(".legend .here").count() == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_a_long_way_is_drawn_downwards_where_it_does_not_fit_beside(opened: Opened, width: int):
    opened.page.set_viewport_size({"width": width, "height": 900})
    lines = [f'  h{at + 1} = linear h{at} w{at} module="layers.{at}" @ "net.py":{at}' for at in range(12)]
    step = loads("\n".join(["step 0", "  h0: input f32[4,4]", *lines, '  ! backward h12 @ "t.py":1', ""])).steps[0]
    page = opened.show(replace(HEALTHY, picture=picture(step)))

    assert page.evaluate("document.querySelector('#canvas svg').clientWidth <= document.getElementById('canvas').clientWidth")


def test_what_a_patch_takes_and_gives_is_coloured(opened: Opened):
    fix = Fix("leave it out", "--- a\n+++ b\n@@ -1 +1 @@\n-x = <b>x</b>\n+x = 1\n")
    page = opened.show(with_picture(HEALTHY, replace(DETACHED, fix=fix)))

    assert page.locator(".diff .gone, .diff .added").all_inner_texts() == ["-x = <b>x</b>", "+x = 1"]


def test_figures_that_are_not_known_are_dashes():
    page = render(replace(HEALTHY, measures=replace(HEALTHY.measures, loss=None, gradient_norm=None)))

    assert "unknown" not in re.sub(r"<s(cript|tyle).*?</s(cript|tyle)>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("value", [454000.0, 999.6, 1000.0, 12.0, 0.5, 0.000123, 0.0000123, 1.0e-12, 1.76e10, -3.25])
def test_figures_are_written_as_in_the_text(opened: Opened, value: float):
    report = with_picture(HEALTHY, DETACHED)
    gauges = (replace(report.picture.gauges[1], ratio=value),)
    page = opened.show(replace(report, picture=replace(report.picture, gauges=gauges)))

    assert page.locator("#gauges td:last-child").inner_text() == figure(value)
