"""`whygrad mcp`."""

from pathlib import Path

import click


@click.command()
def mcp() -> int:
    """Serve coding assistants over stdin and stdout, by the Model Context Protocol.

    Its tools are run, fix (as diff), explain and show. It runs only programs below the folder that it is started in. Needs `pip install 'whygrad[mcp]'`.
    """
    from importlib.util import find_spec

    from whygrad.errors import WhygradError

    if find_spec("mcp") is None:
        raise WhygradError("the package `mcp` is not installed", help="pip install 'whygrad[mcp]'")
    from whygrad.integrations.mcp_server import serve

    serve(Path.cwd())
    return 0
