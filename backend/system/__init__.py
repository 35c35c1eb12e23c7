"""The system itself: whether it runs and can serve, and its own housekeeping."""
