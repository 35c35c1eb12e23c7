"""What drivers say of lots where they stood, and what the operator answers."""
