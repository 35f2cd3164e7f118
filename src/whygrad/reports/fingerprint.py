"""What stays the same of a diagnosis when lines move: for baselines, and for tools that compare two runs."""

from hashlib import sha256

from whygrad.diagnosis import Diagnosis


def fingerprint(diagnosis: Diagnosis) -> str:
    """Sixteen hexadecimal digits of rule, function, file and names; no line numbers."""
    site = diagnosis.site
    parts = (diagnosis.rule, site.function if site is not None else "", site.file if site is not None else "", *sorted(diagnosis.names))
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]
