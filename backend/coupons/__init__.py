"""Coupons: codes that make a booking cheaper."""
