"""`atesta`, the command of an operator. The entry point is light; each command loads its own parts.

Exit codes: 0 done; 1 the answer is "no" (a certificate that does not verify, a devnet that is
down); 2 something given cannot be used; 3 the machine or the network fails; 70 a bug of ours.
"""


def main() -> None:
    """Run the command line of this process and exit."""
    from node.cli.app import run

    run()
