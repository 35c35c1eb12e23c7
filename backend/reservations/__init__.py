"""Reservations: booking a bay, holding it until it is paid, and letting it go."""
