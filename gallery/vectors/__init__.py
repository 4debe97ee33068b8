"""Vector stores: builds of the collection, searched by cosine similarity."""
