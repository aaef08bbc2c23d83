"""`python -m node.cli` is `atesta`."""

from node.cli import main

main()
