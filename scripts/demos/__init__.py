"""Demonstrations: whole stories, told step by step against real node processes."""
