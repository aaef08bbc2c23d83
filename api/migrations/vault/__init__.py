"""The steps of the vault."""
