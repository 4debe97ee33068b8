"""What starts runs, and what looks after them, when nobody does."""
