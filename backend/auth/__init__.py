"""Signing up, in and out: codes, passwords, tokens."""
