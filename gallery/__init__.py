"""The library the pipeline and the web app both stand on: datasets, pictures, encoders, vectors, search."""
