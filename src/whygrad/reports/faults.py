"""What is said when whygrad itself fails: that it is our bug, what it was, and where to tell us."""

from importlib.metadata import PackageNotFoundError, metadata

from whygrad.reports.figures import counted


def fault_text(faults: tuple[str, ...], *, full: bool = False) -> str:
    """One paragraph; `full`: with the tracebacks, where no record keeps them."""
    if not faults:
        return ""
    lines = [f"whygrad: {counted(len(faults), 'fault')} in whygrad itself"]
    for fault in faults:
        head, _, rest = fault.partition("\n")
        lines.append(f"  {head}")
        lines += [f"    {line}" for line in rest.splitlines()] if full else []
    lines.append("  this is a bug in whygrad, not in your program, which ran on without it")
    return "\n".join([*lines, f"  please report it{_where()}", ""])


def _where() -> str:
    address = issue_address()
    keep = "`--record FILE` keeps the traceback"
    return f" at {address} ({keep})" if address else f" to its developers ({keep})"


def issue_address() -> str:
    """The address of the issue tracker from the package's own metadata; "" where it has none."""
    try:
        addresses = metadata("whygrad").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = dict(str(address).split(", ", 1) for address in addresses if ", " in str(address))
    return next((url for label, url in named.items() if label.lower() in ("issues", "bugs", "tracker", "bug tracker")), "")
