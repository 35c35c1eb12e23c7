"""Payments: taking money through a gateway, and the receipts that prove it."""
