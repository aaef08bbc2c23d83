"""Write the OpenAPI document to a file, or check that the file is up to date."""

import sys
from pathlib import Path
from typing import Final

from api.openapi.document import write_document

USAGE: Final = "usage: python -m api.openapi [--check] FILE"


def main(arguments: list[str]) -> int:
    """Return 0 if the file is, or was made, up to date; 1 if not; 2 for a wrong call."""
    check = arguments[:1] == ["--check"]
    files = arguments[1:] if check else arguments
    if len(files) != 1:
        sys.stderr.write(USAGE + "\n")
        return 2
    path, text = Path(files[0]), write_document()
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    if check:
        sys.stderr.write(f"{path} is out of date: run scripts/make_openapi\n")
        return 1
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
