"""The page of all commands and options, from what the command line itself says."""

import click

from whygrad.cli import whygrad

HEAD = """# Commands and options

Everything that `whygrad --help` and `whygrad COMMAND --help` say. Options may also stand in `pyproject.toml` under `[tool.whygrad]`, without the dashes.
`whygrad --version` prints the version; `-h` is short for `--help`.
"""


def page() -> str:
    """The whole page."""
    root = click.Context(whygrad, info_name="whygrad")
    names = whygrad.list_commands(root)
    return "\n\n".join([HEAD, *(section(name, whygrad.get_command(root, name), root) for name in names)]) + "\n"


def section(name: str, command: click.Command | None, root: click.Context) -> str:
    """One command: how it is called, what it does, its options."""
    if command is None:
        return ""
    context = click.Context(command, info_name=name, parent=root)
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context)) is not None]
    table = "\n".join(f"| `{cell(option)}` | {cell(text)} |" for option, text in rows)
    return (
        f"## `whygrad {name}`\n\n```text\n{usage}\n```\n\n{(command.help or '').strip()}\n\n| option | what it does |\n|---|---|\n{table}"
    )


def cell(text: str) -> str:
    """Text that can't end a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")
