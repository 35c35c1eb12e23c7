"""Real car parks to try the system with."""
