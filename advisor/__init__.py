"""archadvisor: which transformer architecture a task needs, why, and proof on your own hardware."""

__version__ = "0.1.0"
