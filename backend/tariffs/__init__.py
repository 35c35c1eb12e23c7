"""What a stay costs: tariffs and the engine that prices with them."""
