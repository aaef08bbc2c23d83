"""Checking what a resident hands over, on this node's last final block and nothing else.

The issuer is not asked and does not learn of it; nothing about the check goes on the chain. The
answer is valid, not valid with every reason, or cannot say when this node is too far behind.
"""
