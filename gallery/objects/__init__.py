"""Object stores: bytes under keys."""
