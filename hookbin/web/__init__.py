"""HTTP: the capture path, the JSON API, the pages and the stream."""
