"""Latency surfaces fitted to measured cells: the only place that knows scikit-learn, which takes seconds to import."""
