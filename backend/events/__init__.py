"""Live events: tickets for the streams that the live process serves."""
