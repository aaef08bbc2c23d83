"""Where handlers find the rule for bare commitments; it is the firewall's."""

from api.firewall.chance import validate_bare_commitment

__all__ = ["validate_bare_commitment"]
