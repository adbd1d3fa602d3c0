"""The official kit's reading of a judge's words."""

import re

RIGHT = "0"


def read_verdict(output: str) -> str:
    """Returns the contents of all `<judge>` tags joined by spaces, or else the whole output.

    The answer counts as right if that is exactly `0`.
    """
    found: list[str] = re.findall(r"<judge>(.*?)</judge>", output, re.DOTALL)
    return " ".join(found) if found else output
