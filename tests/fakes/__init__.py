"""Local servers that stand in for services on the internet."""
