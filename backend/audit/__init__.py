"""The audit log: what staff did, and what became of accounts."""
