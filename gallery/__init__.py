"""The library shared by the pipeline and the web app: datasets, images, encoders, vectors and search."""
