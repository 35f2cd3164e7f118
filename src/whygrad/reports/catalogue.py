"""The rules themselves as text: the table of all, and the page of one."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from whygrad.diagnosis import Rule
from whygrad.reports.accuracy import sentence
from whygrad.reports.terminal import STYLES, Page, wrap


def table(rules: Iterable[Rule], *, width: int = 100, color: bool = False, unicode: bool = True) -> str:
    """One line for each rule: code, name, the gravest it may speak with, what it finds."""
    page = Page(width, unicode)
    known = tuple(rules)
    longest = max((len(rule.name) for rule in known), default=0) + 2
    for rule in known:
        page.lines += _row(page, rule, longest)
    page.lines += [Text(), Text("next: ") + Text(f"whygrad explain {known[0].code if known else 'CODE'}", "bold")]
    return page.printed(color=color)


def _row(page: Page, rule: Rule, longest: int) -> Iterator[Text]:
    head = Text(f"{rule.code}  ", "bold") + Text(f"{rule.name:<{longest}}") + Text(f"{rule.severity:<9}", STYLES[rule.severity])
    if head.cell_len + 24 <= page.width:
        yield from page.wrapped(_flat(rule.summary), head.cell_len, head)
        return
    yield Text(f"{rule.code}  ", "bold") + Text(f"{rule.name}  ") + Text(rule.severity, STYLES[rule.severity])
    yield from page.wrapped(_flat(rule.summary), 4, Text("    "))


def page(rule: Rule, *, width: int = 100, color: bool = False, unicode: bool = True) -> str:
    """The documentation of one rule."""
    sheet = Page(min(width, 100), unicode)
    sheet.lines += [
        Text(f"{rule.code} ", "bold") + Text(f"{rule.name} ", "bold") + Text(f"({rule.severity})", STYLES[rule.severity]),
        Text(),
    ]
    for block in blocks(rule.documentation):
        sheet.lines += block_lines(sheet, block)
    ours = rule.package == __name__.partition(".")[0]
    sheet.lines += block_lines(sheet, [sentence(rule.code) if ours else f"A rule of the package `{rule.package}`."])
    sheet.lines += [
        Text(f"A line may say `# whygrad: ignore[{rule.code}] reason`."),
        Text(),
        Text("next: ") + Text("whygrad rules", "bold"),
    ]
    return sheet.printed(color=color)


def blocks(documentation: str) -> Iterator[list[str]]:
    """Headings, paragraphs and fenced code, each as its lines."""
    block: list[str] = []
    fenced = False
    for line in [*documentation.splitlines(), ""]:
        if line.startswith("```"):
            fenced = not fenced
            block.append(line)
        elif fenced or (line.strip() and not line.startswith("#") and not _begins_item(line, block)):
            block.append(line)
        else:
            if block:
                yield block
            block = [line] if line.strip() else []
    if block:
        yield block


def _begins_item(line: str, block: list[str]) -> bool:
    return bool(block) and (line.lstrip().startswith("- ") or block[0].startswith("#"))


def block_lines(sheet: Page, block: list[str]) -> Iterator[Text]:
    """One block in the page's width."""
    if block[0].startswith("#"):
        yield Text(block[0].lstrip("# "), "bold")
        return
    if block[0].startswith("```"):
        yield from (Text("    " + line) for line in block if not line.startswith("```"))
        yield Text()
        return
    words = " ".join(line.strip() for line in block)
    indent = 4 if words.startswith("- ") else 2
    rows = wrap(sheet.text(words).plain, sheet.width - 2, sheet.width - indent)
    yield from (Text(" " * (2 if number == 0 else indent) + row) for number, row in enumerate(rows))
    yield Text()


def _flat(summary: str) -> str:
    return " ".join(summary.split())
