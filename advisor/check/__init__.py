"""The review of a team's declared architectures, as a face: it reads, asks `core.review`, and hands over a document."""
