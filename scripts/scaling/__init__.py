"""A ledger of full size, made from a seed: filled into an index and asked through REST."""
