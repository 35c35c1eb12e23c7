"""What people are reminded of before it is too late, and the links by which they act without signing in."""
