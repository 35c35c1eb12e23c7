"""Reviews: what drivers say of lots where they stood."""
