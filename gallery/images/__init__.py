"""Pictures: decoding them safely, and making the smaller copies that pages show."""
