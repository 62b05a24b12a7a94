"""A local exchange that plays back recorded markets over HTTP and websockets."""
