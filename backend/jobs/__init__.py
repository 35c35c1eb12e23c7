"""Work that takes longer than a request: asked for, done by a worker, fetched as a file."""
