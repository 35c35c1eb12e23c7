"""One's own data: all of it as one archive, and the end of an account."""
