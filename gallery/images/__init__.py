"""Images: decoding them safely, and the smaller copies that pages show."""
