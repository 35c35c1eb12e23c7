"""What is told to people: mail, promised in the transaction that causes it and sent after."""
